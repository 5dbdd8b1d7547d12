"""Write the example files that ``lorascope score`` takes: predictions/medical.jsonl, finance.csv and vision.jsonl.

All of it is invented, by a fixed seed, and says nothing about medicine, markets or detectors. Run from anywhere:
``python sample_data/build_predictions.py``; the same bytes come out.
"""

from __future__ import annotations

import csv
import io
import json
import math
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "predictions"
SEED = 20261122
CASES, DEV_CASES = 120, 40
DAYS = 250
IMAGES = 40
WIDTH, HEIGHT = 640, 480
CLASSES = ("bird", "cat", "dog")


def normal(source: random.Random) -> float:
    """Return a number from the standard normal distribution, by Box and Muller's formula."""
    return math.sqrt(-2 * math.log(1 - source.random())) * math.cos(2 * math.pi * source.random())


def medical() -> list[dict[str, Any]]:
    """Return screening cases as two systems judged them; the second is surer, and did not come to four of them."""
    source = random.Random(SEED)
    rows: dict[str, list[dict[str, Any]]] = {"standard": [], "assisted": []}
    for number in range(1, CASES + 1):
        ill = source.random() < 0.3
        case = {
            "id": f"case-{number:03d}",
            "reference": "disease" if ill else "healthy",
            "split": "dev" if number <= DEV_CASES else "test",
            "age": source.choice(["under 40", "40 to 64", "65 and over"]),
        }
        shared = normal(source)
        for variant, strength in (("standard", 1.1), ("assisted", 1.5)):
            logit = strength * (1 if ill else -1) + shared + 0.7 * normal(source) - 0.6
            chance = round(1 / (1 + math.exp(-logit)), 4)
            scores = {"disease": chance, "healthy": round(1 - chance, 4)}
            answer = "disease" if chance >= 0.5 else "healthy"
            row = case | {"variant": variant, "prediction": answer, "scores": scores}
            if variant == "standard" and number in (57, 91):  # the reading failed
                row |= {"prediction": None, "scores": None}
            if variant == "assisted" and number in (48, 66, 83, 110):
                continue
            rows[variant].append(row)
    return [row for listed in rows.values() for row in listed]


def finance() -> list[dict[str, Any]]:
    """Return a year of daily returns with the positions of two strategies; positions are chosen before the day's return."""
    source = random.Random(SEED + 1)
    day, days, returns = date(2025, 1, 2), [], []
    drift = 0.0
    while len(days) < DAYS:
        if day.weekday() < 5:
            drift = 0.9 * drift + 0.001 * normal(source)
            days.append(day.isoformat())
            returns.append(round(0.0003 + drift + 0.009 * normal(source), 6))
        day += timedelta(days=1)
    rows = []
    for variant in ("hold", "momentum"):
        for number, (day_id, earned) in enumerate(zip(days, returns, strict=True)):
            past = sum(returns[max(0, number - 10) : number])
            position = 1.0 if variant == "hold" else 1.0 if past > 0.004 else -0.5 if past < -0.01 else 0.0
            quarter = f"Q{(int(day_id[5:7]) + 2) // 3}"
            rows.append(
                {"id": day_id, "variant": variant, "prediction": position, "reference": earned, "quarter": quarter}
            )
    return rows


def vision() -> list[dict[str, Any]]:
    """Return images with the boxes of two detectors; the second places them better and invents fewer."""
    source = random.Random(SEED + 2)
    rows: dict[str, list[dict[str, Any]]] = {"small": [], "large": []}
    for number in range(1, IMAGES + 1):
        truth = [_box(source) for _ in range(source.randrange(0, 5))]
        scene = source.choice(["indoors", "outdoors"])
        for variant, jitter, found, invented in (("small", 14, 0.75, 0.5), ("large", 6, 0.9, 0.25)):
            detections = [
                _moved(source, box, jitter) | {"score": round(0.45 + 0.5 * source.random(), 3)}
                for box in truth
                if source.random() < found
            ]
            if source.random() < invented:
                detections.append(_box(source) | {"score": round(0.1 + 0.5 * source.random(), 3)})
            rows[variant].append(
                {
                    "id": f"image-{number:02d}",
                    "variant": variant,
                    "prediction": detections,
                    "reference": truth,
                    "scene": scene,
                }
            )
    return [row for listed in rows.values() for row in listed]


def _box(source: random.Random) -> dict[str, Any]:
    width, height = source.randrange(40, 200), source.randrange(40, 200)
    left, top = source.randrange(0, WIDTH - width), source.randrange(0, HEIGHT - height)
    return {"box": [left, top, left + width, top + height], "label": source.choice(CLASSES)}


def _moved(source: random.Random, box: dict[str, Any], jitter: int) -> dict[str, Any]:
    """Return a box with each side moved by up to ``jitter`` pixels, and now and then another label."""
    label = box["label"] if source.random() < 0.93 else source.choice(CLASSES)
    return {"box": [side + source.randint(-jitter, jitter) for side in box["box"]], "label": label}


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _csv(rows: list[dict[str, Any]]) -> bytes:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return sink.getvalue().encode()


def main() -> None:
    """Write the three files."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "medical.jsonl").write_bytes(_jsonl(medical()))
    (FOLDER / "finance.csv").write_bytes(_csv(finance()))
    (FOLDER / "vision.jsonl").write_bytes(_jsonl(vision()))


if __name__ == "__main__":
    main()

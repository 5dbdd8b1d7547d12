"""What the made-up runs are made of: tickets, answers with a skill, hostile outputs. See `tests.synthetic`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.records import BASELINE, Evidence, Example, Generation, Likelihood, OptionScores
from core.spec import TaskSpec

CATEGORIES = (
    "billing",
    "delivery",
    "returns",
    "product advice",
    "account",
    "website problem",
    "order change",
    "complaint",
)
TAGS = ("refund", "damaged", "late", "wrong item", "discount", "gift")
HELP = (
    "A refund reaches you five working days after the return has arrived with us.",
    "Delivery takes two to four working days at home and five to nine abroad.",
    "Manuals and care instructions are at the bottom of every product page.",
    "The tracking link in your dispatch mail shows where the parcel is.",
    "Update the app and sign in again; if it still crashes send us the version number.",
)
HOSTILE = (
    "<script>alert(1)</script>",
    "The sum is $x^2$ and $$y_1$$, is it not?",
    ":red[x] :material/home: :smile:",
    "**bold** and _italic_ and `code`\n\n# a heading",
    "![i](http://x/y.png) [link](javascript:alert(1))",
    "unbroken" * 60,
    "شكرا لكتابتك إلينا. سنعيد المبلغ خلال خمسة أيام.",
    "zero\u200bwidth\u200d and \u202eright to left\u202c",
)
"""Outputs that a careless page would interpret; the first examples of ``reply`` carry them in the second variant."""

_SKILL: dict[str, dict[str, float]] = {
    BASELINE: {
        "category": 0.48,
        "urgency": 3.2,
        "tags": 0.62,
        "help": 0.40,
        "reply": 0.42,
        "nats": 2.4,
        "general": 2.9,
    },
    "qv-r8": {
        "category": 0.76,
        "urgency": 1.6,
        "tags": 0.80,
        "help": 0.66,
        "reply": 0.68,
        "nats": 1.5,
        "general": 2.91,
    },
    "all-r8": {
        "category": 0.82,
        "urgency": 1.4,
        "tags": 0.84,
        "help": 0.70,
        "reply": 0.72,
        "nats": 1.3,
        "general": 3.12,
    },
    "qv-r2": {
        "category": 0.52,
        "urgency": 3.1,
        "tags": 0.63,
        "help": 0.42,
        "reply": 0.44,
        "nats": 2.25,
        "general": 2.9,
    },
}
_ITEMS = ("telescope", "rain barrel", "desk lamp", "kettle", "hammock", "barometer", "bird feeder", "chess set")
_TROUBLE = (
    "came with a crack",
    "has not arrived",
    "was charged twice",
    "is the wrong colour",
    "cannot be ordered on the site",
)
_FILLER = ("perhaps", "certainly", "order", "answer", "customer", "product", "thing", "please", "question", "the")


@dataclass(frozen=True)
class Row:
    """One invented row of the tickets dataset."""

    id: str
    language: str
    ticket: str
    category: str
    urgency: int
    tags: tuple[str, ...]
    relevance: tuple[int, ...]
    reply: str
    hard: bool

    def fields(self) -> dict[str, Any]:
        return {
            "id": self.id, "language": self.language, "ticket": self.ticket, "category": self.category,
            "urgency": self.urgency, "tags": list(self.tags), "answers": list(HELP), "relevance": list(self.relevance),
            "reply": self.reply, "hard": self.hard,
        }  # fmt: skip


def draw_ticket(rng: np.random.Generator, i: int) -> Row:
    item, trouble = _ITEMS[rng.integers(len(_ITEMS))], _TROUBLE[rng.integers(len(_TROUBLE))]
    category = CATEGORIES[rng.integers(len(CATEGORIES))]
    order = int(rng.integers(10_000, 99_999))
    chinese = i % 10 == 9
    ticket = (
        f"我的订单 {order} 有问题，请帮我处理。" if chinese else f"My {item} {trouble}. It is order {order}. What now?"
    )
    reply = (
        f"感谢您的来信。我们已经查看了订单 {order}，五个工作日内给您答复。"
        if chinese
        else f"Thank you for writing to us. We are sorry that the {item} {trouble}. We have opened order {order} and "
        f"you will hear from us within {int(rng.integers(2, 6))} working days."
    )
    tags = tuple(tag for tag in TAGS if rng.random() < 0.25)
    best = int(rng.integers(len(HELP)))
    relevance = tuple(2 if k == best else int(rng.random() < 0.2) for k in range(len(HELP)))
    hard = bool(rng.random() < 0.3)
    urgency = int(rng.integers(0, 11))
    return Row(f"eval-{i + 1:03d}", "zh" if chinese else "en", ticket, category, urgency, tags, relevance, reply, hard)


def general_fields(i: int) -> dict[str, Any]:
    subject = ("geology", "music history", "chess", "weather")[i % 4]
    text = (
        f"Paragraph {i + 1} on {subject}. Grains are carried by wind and water, and settle in layers over many years."
    )
    return {"id": f"general-{i + 1:02d}", "language": "en", "subject": subject, "text": text}


def draw_examples(task: str, rows: Sequence[Row], n_general: int, spec: TaskSpec) -> list[Example]:
    if task == "general":
        fields = [general_fields(i) for i in range(n_general)]
        return [Example(task, row["id"], "", row, row["text"], language="en") for row in fields]
    options = {"help": HELP}.get(task) or tuple(str(option) for option in spec.options or ())
    made = []
    for row in rows:
        fields = row.fields()
        asked = (spec.prompt or "").replace("{ticket}", row.ticket)
        prompt = (
            f"<|im_start|>system\n{spec.system}<|im_end|>\n<|im_start|>user\n{asked}<|im_end|>\n<|im_start|>assistant\n"
        )
        tags = (f"category={row.category}", f"hard={str(row.hard).lower()}")
        made.append(Example(task, row.id, prompt, fields, fields[spec.reference], options, tags, row.language))
    return made


def draw_evidence(example: Example, variant: str, number: int, seed: int) -> list[Evidence]:
    """Return all evidence of one example and variant."""
    # Difficulty is the example's own and shared by the variants, so that their scores are correlated as real ones are.
    shared = np.random.default_rng([seed, 2, *example.id.encode(), *example.task.encode()])
    difficulty = float(shared.normal())
    rng = np.random.default_rng([seed, 3, *variant.encode(), *example.id.encode(), *example.task.encode()])
    skill = _SKILL.get(variant, _SKILL["qv-r8"])
    name, key = example.task, (example.task, variant, example.id)
    if name == "general":
        return [
            Evidence(*key, likelihood=_likelihood(str(example.reference), skill["general"] + 0.25 * difficulty, rng))
        ]
    if name == "reply":
        text = _reply(example, skill["reply"] - 0.08 * difficulty, number, rng)
        likelihood = _likelihood(str(example.reference), skill["nats"] + 0.3 * difficulty, rng)
        return [
            Evidence(*key, generation=_generation(text, rng)),
            Evidence(*key, item="reference", likelihood=likelihood),
        ]
    if name == "tags":
        right = {tag: (tag in example.reference) for tag in example.options}
        return [
            Evidence(
                *key, item=tag, option_scores=_scores(("yes", "no"), 0 if yes else 1, skill["tags"], difficulty, rng)
            )
            for tag, yes in right.items()
        ]
    if name == "urgency":
        guess = int(np.clip(round(float(example.reference) + rng.normal() * skill["urgency"]), 0, 10))
        return [Evidence(*key, option_scores=_scores(example.options, guess, 0.97, 0.0, rng))]
    best = example.options.index(example.reference) if name == "category" else int(np.argmax(example.reference))
    return [Evidence(*key, option_scores=_scores(example.options, best, skill[name], difficulty, rng))]


def _scores(
    options: Sequence[str], right: int, skill: float, difficulty: float, rng: np.random.Generator
) -> OptionScores:
    """Options of which the right one wins with a chance that follows from skill and difficulty."""
    chance = 1 / (1 + np.exp(-(np.log(skill / (1 - skill)) - 0.8 * difficulty)))
    winner = right if rng.random() < chance else int(rng.choice([i for i in range(len(options)) if i != right]))
    sums = -6.0 + rng.normal(size=len(options))
    sums[winner] = sums.max() + 0.2 + rng.exponential(1.2)
    n_tokens = tuple(len(re.findall(r"\S+", option)) + 1 for option in options)
    n_bytes = tuple(len(option.encode()) for option in options)
    return OptionScores(tuple(options), tuple(float(x) for x in sums), n_tokens, n_bytes)


def _reply(example: Example, kept: float, number: int, rng: np.random.Generator) -> str:
    index = int(example.id.rsplit("-", 1)[-1]) - 1
    if number == 1 and index < len(HOSTILE):
        return HOSTILE[index]
    words = re.findall(r"[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+\s*", str(example.reference))
    replaced = [word if rng.random() < kept else f"{_FILLER[rng.integers(len(_FILLER))]} " for word in words]
    return "".join(replaced).strip()


def _tokens(text: str) -> list[tuple[int, str]]:
    """Return ``(start, token)`` of a text: words with their leading space, Chinese characters one by one."""
    return [(m.start(), m.group()) for m in re.finditer(r"\s*[\u4e00-\u9fff]|\s*[^\s\u4e00-\u9fff]+|\s+$", text)]


def _token_id(token: str) -> int:
    return int.from_bytes(hashlib.sha256(token.encode()).digest()[:2], "big") % 49_152


def _likelihood(text: str, nats: float, rng: np.random.Generator) -> Likelihood:
    tokens = _tokens(text)
    losses = rng.gamma(1.2, max(nats, 0.05) / 1.2, size=len(tokens) + 1)
    ids = (*(_token_id(token) for _, token in tokens), 2)
    starts = (*(start for start, _ in tokens), len(text))
    return Likelihood(
        ids, tuple(float(-x) for x in losses), starts, tuple(bool(x < 0.7) for x in losses), len(text.encode())
    )


def _generation(text: str, rng: np.random.Generator) -> Generation:
    ids = (*(_token_id(token) for _, token in _tokens(text)), 2)
    return Generation(text, "eos", 60, ids, tuple(float(-x) for x in rng.exponential(0.4, size=len(ids))))

"""Turn the hand-written tickets in data/source/ into the sample's evaluation and training files.

Run ``python sample_data/build_data.py`` from the project's folder. It needs PyYAML alone, draws with a fixed seed, and
writes data/tickets.eval.jsonl (one ticket a line) and data/tickets.train.jsonl (TRL's conversational ``messages`` form).
The prompts of the training rows are those of workspace.yaml, so that an adapter is asked what it was taught.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
DATA = HERE / "data"
SEED = 20261122
ANSWERS_A_TICKET = 5
# How many of ten training rows belong to which task. Two rows a ticket; a reply is the longest and teaches the house style.
ROWS_OF_TEN = {"category": 3, "reply": 2, "urgency": 2, "tags": 2, "help": 1}


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as JSON lines, in UTF-8 and without escapes."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def add_answers(ticket: dict[str, Any], help_centre: dict[str, dict[str, str]], rng: random.Random) -> dict[str, Any]:
    """Give a ticket five help-centre answers and their relevance: 2 the best, 1 related, 0 drawn from the rest."""
    choice = ticket["help"]
    grades = {choice["best"]: 2} | {name: 1 for name in choice["related"][:2]}
    rest = [name for name in help_centre if name not in {choice["best"], *choice["related"]}]
    grades |= {name: 0 for name in rng.sample(rest, ANSWERS_A_TICKET - len(grades))}
    names = rng.sample(list(grades), len(grades))
    kept = {key: ticket[key] for key in ("id", "language", "ticket", "category", "urgency", "tags")}
    return kept | {
        "answers": [help_centre[name][ticket["language"]] for name in names],
        "relevance": [grades[name] for name in names],
        "reply": ticket["reply"],
        "hard": ticket["hard"],
    }


def answer_to(task: str, ticket: dict[str, Any], option: str | None) -> str:
    """Return what the assistant should say to a task about a ticket."""
    if task == "tags":
        return "yes" if option in ticket["tags"] else "no"
    if task == "help":
        return ticket["answers"][ticket["relevance"].index(2)]
    return str(ticket[task])


def training_row(task: str, spec: dict[str, Any], ticket: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Return one conversation that teaches ``task`` on ``ticket``; half of the tag questions have the answer yes."""
    option = None
    if task == "tags":
        wanted = bool(ticket["tags"]) and rng.random() < 0.5
        option = rng.choice([tag for tag in spec["options"] if (tag in ticket["tags"]) == wanted])
    prompt = spec["prompt"].replace("{ticket}", ticket["ticket"]).replace("{option}", option or "")
    return {
        "id": f"{ticket['id']}/{task}",
        "messages": [
            {"role": "system", "content": spec["system"]},
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": answer_to(task, ticket, option)},
        ],
    }


def main() -> None:
    """Write both files."""
    help_centre = json.loads((DATA / "help_centre.json").read_text(encoding="utf-8"))
    tasks = yaml.safe_load((HERE / "workspace.yaml").read_text(encoding="utf-8"))["tasks"]
    parts = {}
    for split in ("train", "eval"):
        rng = random.Random(f"{SEED}-{split}")
        sources = sorted((DATA / "source").glob(f"{split}-*.jsonl"))
        parts[split] = [add_answers(row, help_centre, rng) for path in sources for row in read_jsonl(path)]
    write_jsonl(DATA / "tickets.eval.jsonl", parts["eval"])

    rng, train = random.Random(f"{SEED}-rows"), parts["train"]
    rng.shuffle(train)
    wheel = [task for task, count in ROWS_OF_TEN.items() for _ in range(count)]
    rows = []
    for place in range(0, len(train), 5):  # ten rows from every five tickets, two different tasks for each of them
        five = train[place : place + 5]
        order = rng.sample(wheel, len(wheel))
        while any(order[k] == order[k + 5] for k in range(5)):
            order = rng.sample(wheel, len(wheel))
        rows += [training_row(task, tasks[task], five[k % 5], rng) for k, task in enumerate(order) if k % 5 < len(five)]
    write_jsonl(DATA / "tickets.train.jsonl", rows)
    print(f"{len(parts['eval'])} evaluation tickets, {len(rows)} training rows from {len(train)} tickets")


if __name__ == "__main__":
    main()

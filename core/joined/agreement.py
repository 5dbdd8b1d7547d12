"""Whether two runs asked the same: of the same data, in the same words, of a model that reads and decodes alike.

Everything that moves a number of the evidence has to agree; metrics, families and bands are the first run's. What is told
here needs the specs and environments alone; `core.joined.examples` looks at the examples themselves.
"""

from __future__ import annotations

from typing import Any

from core.joined.results import Candidate, LeftOut
from core.spec import RunSpec, TaskSpec
from core.store import Run

_NOT_ASKED = frozenset({"dataset", "metrics", "primary", "bands", "robustness"})
"""Of a task what moves no number of its evidence; its dataset is compared by content."""
_WORDS = {
    "kind": "another kind", "prompt": "another prompt", "system": "another system message", "template": "another template",
    "options": "other options", "reference": "another reference field", "answer": "another answer rule",
    "few_shot": "other few-shot examples", "positive": "another positive label", "threshold_split": "another threshold split",
    "periods_per_year": "other periods a year", "perturbation": "another perturbation", "imported": "another origin of its answers",
}  # fmt: skip
_DECODING = ("max_new_tokens", "temperature", "top_p", "stop")
_QUOTED = 48


def candidate(first: Run, other: Run) -> Candidate:
    """Return which tasks of ``first`` another run can be joined on, and why not on the others.

    Raises:
        InputError: a spec or environment cannot be read.
    """
    if (reason := _refused(first, other)) is not None:
        return Candidate(other.id, (), (), reason)
    left_out = [
        LeftOut(other.id, task, why)
        for task in first.spec.tasks
        if (why := _disagreement(first, other, task)) is not None
    ]
    gone = {one.task for one in left_out}
    # Perturbed inputs are compared with the clean ones: alone they say nothing.
    left_out += [
        LeftOut(other.id, name, f"its clean task {task.perturbation.of} is left out")
        for name, task in first.spec.tasks.items()
        if name not in gone and task.perturbation is not None and task.perturbation.of in gone
    ]
    gone = {one.task for one in left_out}
    tasks = tuple(task for task in first.spec.tasks if task not in gone)
    return Candidate(other.id, tasks, tuple(left_out), None if tasks else _in_one(left_out, first.spec))


def _refused(first: Run, other: Run) -> str | None:
    """Return why nothing at all of two runs can be joined."""
    if other.folder.resolve() == first.folder.resolve():
        return "it is the run itself"
    if other.id == first.id:
        return "it has the same name; rename the folder of one of the two"
    for run in (first, other):
        if not run.truth.is_file() or not (run.folder / "examples.parquet").is_file():
            return f"{run.id} is not finished"
    if bool(first.spec.models.imported) is not bool(other.spec.models.imported):
        imported = first if first.spec.models.imported else other
        return f"{imported.id} holds imported predictions, and the other run what models were asked here"
    if first.spec.models.imported:
        return None
    mine, theirs = _environment(first), _environment(other)
    for key, words in (("tokenizer", "tokenizer or chat template of the base"), ("dtype", "precision")):
        if mine.get(key) is None or theirs.get(key) is None:
            silent = first if mine.get(key) is None else other
            return f"{silent.id} does not say its {words} (environment.json)"
        if mine[key] != theirs[key]:
            return f"the {words} differs: {_found(other, _short(theirs[key]), first, _short(mine[key]))}"
    return None


def _disagreement(first: Run, other: Run, task: str) -> str | None:
    """Return why a task is not the same in two runs; None where it is."""
    mine, theirs = first.spec.tasks[task], other.spec.tasks.get(task)
    if theirs is None:
        return f"{other.id} has no task of this name"
    return (
        _other_definition(first, other, mine, theirs)
        or _other_data(first, other, mine, theirs)
        or _other_decoding(first, other, mine)
    )


def _other_definition(first: Run, other: Run, mine: TaskSpec, theirs: TaskSpec) -> str | None:
    for key in TaskSpec.model_fields:
        found, expected = getattr(theirs, key), getattr(mine, key)
        if key not in _NOT_ASKED and found != expected:
            start = _window(found, expected)
            both = _found(other, _quoted(found, start), first, _quoted(expected, start))
            return f"it has {_WORDS.get(key, f'another {key}')}: {both}"
    return None


def _other_data(first: Run, other: Run, mine: TaskSpec, theirs: TaskSpec) -> str | None:
    if first.spec.models.imported:
        return None  # each file holds its own predictions: the examples themselves have to agree
    own_field, other_field = first.spec.datasets[mine.dataset].id, other.spec.datasets[theirs.dataset].id
    if own_field != other_field:
        return (
            f"its examples are named by another field: {_found(other, _quoted(other_field), first, _quoted(own_field))}"
        )
    own, others = _dataset_hash(first, mine.dataset), _dataset_hash(other, theirs.dataset)
    if own is None or others is None:
        return f"{(first if own is None else other).id} does not say which file it read (no hash in environment.json)"
    if own != others:
        return f"its dataset {mine.dataset} is another file: {_found(other, _short(others), first, _short(own))}"
    return None


def _other_decoding(first: Run, other: Run, task: TaskSpec) -> str | None:
    if not task.generates or first.spec.models.imported:
        return None
    mine, theirs = first.spec.settings, other.spec.settings
    # A seed moves nothing where the likeliest token is taken.
    for key in (*_DECODING, *(("seed",) if mine.temperature > 0 else ())):
        if getattr(mine, key) != getattr(theirs, key):
            found = _found(other, _quoted(getattr(theirs, key)), first, _quoted(getattr(mine, key)))
            return f"it was decoded with another {key}: {found}"
    return None


def _in_one(left_out: list[LeftOut], spec: RunSpec) -> str:
    """Return one reason for all tasks: the first, with how many there are."""
    clean = [one for one in left_out if one.task in spec.clean_tasks]
    told = f"task {clean[0].task}: {clean[0].reason}"
    return told if len(clean) == 1 else f"no task agrees; {told}"


def _environment(run: Run) -> dict[str, Any]:
    return run.read_json("environment") or {}


def _dataset_hash(run: Run, dataset: str) -> str | None:
    return ((_environment(run).get("hashes") or {}).get("datasets") or {}).get(dataset)


def _found(other: Run, found: str, first: Run, expected: str) -> str:
    return f"{found} in {other.id}, {expected} in {first.id}"


def _short(value: Any) -> str:
    """Return a hash by its first letters, and anything else as it is."""
    text = str(value)
    return text[:8] if len(text) == 64 else text


def _window(one: Any, other: Any) -> int:
    """Return where to begin to quote two values so that what differs can be seen: 0 unless they are long texts."""
    if not isinstance(one, str) or not isinstance(other, str) or max(len(one), len(other)) <= _QUOTED:
        return 0
    pairs = enumerate(zip(one, other, strict=False))
    parted = next((at for at, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))
    return max(0, min(parted - _QUOTED // 3, max(len(one), len(other)) - _QUOTED))


def _quoted(value: Any, first: int = 0) -> str:
    """Return a value for a sentence; a long text from ``first`` on, and cut."""
    if value is None:
        return "none"
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    cut = " ".join(text[first : first + _QUOTED].split())
    return f'"{"…" if first else ""}{cut}{"…" if first + _QUOTED < len(text) else ""}"'

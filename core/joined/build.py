"""Makes an ordinary run's folder of several runs: first checked, then written whole or not at all, and kept by what they hold."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.derived import StatisticsReader
from core.errors import InputError
from core.families import declared_family
from core.joined.agreement import candidate
from core.joined.examples import CommonExamples, common_examples
from core.joined.repeated import repeated_sentences
from core.joined.results import FILE_NAME, Joined, JoinedTask, LeftOut
from core.joined.variants import joined_variants
from core.joined.words import notes
from core.joined.write import Parts, write_joined
from core.paths import cache_folder
from core.spec import RunSpec
from core.store import Run

_FORMAT = 1
"""Raised whenever the same runs come to be joined otherwise."""
_LONGEST_ID = 60
_BESIDE = ("environment.json", "probe.json", "preflight.json")


@dataclass(frozen=True)
class _Agreed:
    """The tasks that all runs agree on, and what was left out."""

    tasks: dict[str, CommonExamples]
    left_out: tuple[LeftOut, ...]


def join_runs(first: Run, others: Sequence[Run]) -> Run:
    """Return several runs as one, made now or kept from before in the first run's ``derived/``.

    Tasks, references, metrics, families, bands and settings are the first run's; a task that one run does not agree on is left
    out, and an example that one run does not have. p-values are corrected for the first run's whole declared family with
    the variants of all, so that leaving a task out buys no significance.

    Args:
        first: finished.
        others: finished, at least one, each with a name of its own.

    Raises:
        InputError: a run cannot be joined, with the reason; or there is room nowhere to write.
    """
    names = [run.id for run in (first, *others)]
    if not others or len(set(names)) < len(names):
        twice = next((name for name in names if names.count(name) > 1), None)
        found = f"found {twice} twice; rename the folder of one" if twice else "found one run"
        raise InputError(f"{first.folder}: {found}. To join takes several runs, each with a name of its own.")
    key = _key((first, *others))
    name = _joined_id(names)
    for folder in _places(first):
        if (folder / key / name / FILE_NAME).is_file():
            return Run(folder / key / name)
    agreed = _agreed(first, others)
    runs = (first, *others)
    variants = joined_variants(runs)
    ids = {task: found.ids for task, found in agreed.tasks.items()}
    joined = Joined(
        runs=tuple(names),
        tasks=tuple(
            JoinedTask(task, len(found.ids), found.n_first, first.spec.tasks[task].perturbation is not None)
            for task, found in agreed.tasks.items()
        ),
        variants=variants,
        left_out=agreed.left_out,
        notes=(*notes(runs, variants), *repeated_sentences(runs, variants, ids)),
    )
    return _written(first, key, Parts(runs, ids, _spec(first, name, agreed), joined))


def _agreed(first: Run, others: Sequence[Run]) -> _Agreed:
    found = [candidate(first, other) for other in others]
    for one in found:
        if one.reason is not None:
            raise InputError(f"{one.run_id} cannot be joined with {first.id}: {one.reason}.")
    left_out = [left for one in found for left in one.left_out]
    tasks: dict[str, CommonExamples] = {}
    for task, spec in first.spec.tasks.items():
        if any(task not in one.tasks for one in found):
            continue
        if spec.perturbation is not None and spec.perturbation.of not in tasks:
            continue  # said of its clean task already
        common = common_examples((first, *others), task)
        if isinstance(common, CommonExamples):
            tasks[task] = common
        else:
            left_out.append(LeftOut(common[0], task, common[1]))
    if not tasks:
        listed = ", ".join(other.id for other in others)
        told = f"task {left_out[0].task}: {left_out[0].reason}"
        raise InputError(f"{listed} cannot be joined with {first.id}: no task agrees in all of them; {told}.")
    return _Agreed(tasks, tuple(left_out))


def _spec(first: Run, name: str, agreed: _Agreed) -> RunSpec:
    """Return the first run's spec with the agreed tasks; what needs a task that is left out goes with it."""
    spec = first.spec
    tasks = {task: spec.tasks[task] for task in agreed.tasks}
    forgetting = spec.forgetting
    composites = {
        key: one
        for key, one in spec.composites.items()
        if all(metric.partition("/")[0] in tasks for metric in one.weights)
    }
    kept = forgetting is not None and {forgetting.general, forgetting.domain} <= set(tasks)
    return spec.model_copy(
        update={
            "id": name, "tasks": tasks, "family": declared_family(spec), "composites": composites,
            "datasets": {key: spec.datasets[key] for key in dict.fromkeys(task.dataset for task in tasks.values())},
            "forgetting": forgetting if kept else None, "ablation": None,
        }
    )  # fmt: skip


def _key(runs: Sequence[Run]) -> str:
    """Return what tells that runs are still those that were joined: their names, files and specs."""
    identity = [
        [
            run.id,
            StatisticsReader(run).evidence_hash,
            run.spec.model_dump(mode="json", exclude_defaults=True),
            [_hash(run.folder / name) for name in _BESIDE],
        ]
        for run in runs
    ]
    return hashlib.sha256(json.dumps([_FORMAT, identity], sort_keys=True).encode()).hexdigest()[:24]


def _hash(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _joined_id(names: Sequence[str]) -> str:
    """Return a name that can be a folder's: all names, or the first with how many more there are."""
    whole = "+".join(names)
    return whole if len(whole) <= _LONGEST_ID else f"{names[0][:_LONGEST_ID]}+{len(names) - 1}-more"


def _places(first: Run) -> tuple[Path, Path]:
    """Return where joined runs are kept: with the first run, or in the cache where that cannot be written."""
    return first.folder.resolve() / "derived" / "joined", cache_folder() / "joined"


def _written(first: Run, key: str, parts: Parts) -> Run:
    """Write a joined run and return it; an older one of the same runs goes."""
    refusal: OSError | None = None
    for place in _places(first):
        target = place / key / parts.spec.id
        try:
            place.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(dir=place, prefix="."))
        except OSError as error:
            refusal = error
            continue
        try:
            write_joined(scratch / parts.spec.id, parts)
            if not (target / FILE_NAME).is_file():
                os.replace(scratch, target.parent)
        except OSError as error:
            refusal = error
            if (target / FILE_NAME).is_file():  # another process was faster
                return Run(target)
            continue
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        _forget_older(place, key, parts.spec.id)
        return Run(target)
    raise InputError(
        f"{_places(first)[0]}: the joined run cannot be written ({refusal.strerror if refusal else 'no place'}), nor can "
        f"{_places(first)[1]}. Free some space or make one of them writable."
    )


def _forget_older(place: Path, key: str, name: str) -> None:
    for folder in place.iterdir():
        if folder.name != key and (folder / name / FILE_NAME).is_file():
            shutil.rmtree(folder, ignore_errors=True)

"""Where the results of an adapter's measurements lie, and under which key: ``.lorascope/adapters/`` of the workspace.

They belong to an adapter and its base, not to a run: an adapter that was never evaluated has them too, and all runs share them.
Like everything under ``.lorascope`` they can be thrown away and made again. A folder holds request.json (what is to be measured),
status.json and log.txt of the worker, and result.json. Nothing here computes or loads a model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from core.adapters.anatomy import Anatomy
from core.adapters.facts import CONFIG, AdapterFacts
from core.adapters.merge import MergeCheck
from core.adapters.overlap import Overlap
from core.errors import InputError
from core.store import Run, write_atomically, write_json
from core.weights import weight_files

JobKind = Literal["anatomy", "merge_check", "cross"]
FORMAT = 1
"""Raised whenever the same adapter comes to give other numbers; what was kept before is then not found."""
_REQUEST, _RESULT = "request.json", "result.json"
Result = Anatomy | Overlap | MergeCheck


@dataclass(frozen=True)
class AdapterJob:
    """One measurement: what is asked, and the folder that its worker works in."""

    kind: JobKind
    folder: Path
    request: dict[str, Any]


@dataclass(frozen=True)
class Answered:
    """The examples of a run that models answer again."""

    run: Run
    examples: Mapping[str, Sequence[str]]
    """Task to ids."""


def anatomy_job(workspace: Path, facts: AdapterFacts, base: Path | None) -> AdapterJob:
    """Return the measurement of what an adapter changes; ``base`` is the folder of its base, if it is there."""
    there = base if base is not None and base.is_dir() else None
    request = {"adapter": str(facts.folder.resolve()), "base": None if there is None else str(there.resolve())}
    return _job(workspace, "anatomy", request, [_adapter(facts), _base(there)])


def overlap_job(workspace: Path, first: AdapterFacts, second: AdapterFacts) -> AdapterJob:
    """Return the measurement of how alike the changes of two adapters are."""
    request = {"adapter": str(first.folder.resolve()), "other": str(second.folder.resolve())}
    return _job(workspace, "anatomy", request, [_adapter(first), _adapter(second)])


def merge_job(
    workspace: Path, facts: AdapterFacts, base: Path, scale: float, run: str, prompts: Sequence[str], quantised: bool,
    answered: Answered | None = None,
) -> AdapterJob:  # fmt: skip
    """Return the check of an adapter merged into its base.

    Args:
        workspace: its folder.
        facts: of the adapter.
        base: the folder of its base.
        scale: factor on the adapter's own scale.
        run: the id of the run whose prompts they are.
        prompts: as the model sees them.
        quantised: whether a base in 4 bits is looked at too.
        answered: the examples that every model answers, for the run's metrics; None for none.
    """
    request = {
        "adapter": str(facts.folder.resolve()), "base": str(base.resolve()), "scale": scale, "run": run, "prompts": list(prompts),
        "quantised": quantised,
    }  # fmt: skip
    identity = [_adapter(facts), _base(base), scale, list(prompts), quantised]
    if answered is None or not answered.examples:
        return _job(workspace, "merge_check", request, identity)
    examples = {task: list(ids) for task, ids in answered.examples.items()}
    request |= {"run_folder": str(answered.run.folder.resolve()), "examples": examples}
    return _job(workspace, "merge_check", request, [*identity, examples, _asked(answered.run)])


def read_request(folder: Path) -> dict[str, Any]:
    """Return what a job's folder asks for.

    Raises:
        InputError: it asks for nothing, or its file is broken.
    """
    path = folder / _REQUEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}). Start the measurement again.") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: found {type(content).__name__}, expected an object. Start the measurement again.")
    return content


def write_request(job: AdapterJob) -> None:
    """Write down what a job is to do."""
    write_json(job.folder / _REQUEST, job.request)


def save_result(folder: Path, result: Result) -> None:
    """Store what a job found."""
    write_atomically(folder / _RESULT, json.dumps(asdict(result), ensure_ascii=False, allow_nan=False).encode())


def load_anatomy(job: AdapterJob) -> Anatomy | None:
    """Return what was measured; None where nothing was, or where the file is damaged or of another shape."""
    return _load(job.folder, Anatomy)


def load_overlap(job: AdapterJob) -> Overlap | None:
    """Return what was measured; as `load_anatomy`."""
    return _load(job.folder, Overlap)


def load_merge_check(job: AdapterJob) -> MergeCheck | None:
    """Return what was found; as `load_anatomy`."""
    return _load(job.folder, MergeCheck)


def _job(workspace: Path, kind: JobKind, request: dict[str, Any], identity: list[Any]) -> AdapterJob:
    key = hashlib.sha256(json.dumps([FORMAT, kind, identity], sort_keys=True).encode()).hexdigest()[:24]
    return AdapterJob(kind, workspace / ".lorascope" / "adapters" / f"{kind}-{key}", request)


def _adapter(facts: AdapterFacts) -> list[str]:
    return [facts.tensor_hash, hashlib.sha256((facts.folder / CONFIG).read_bytes()).hexdigest()]


def _asked(run: Run) -> list[Any]:
    """Return what changes whenever what a run asks does."""
    spec, path = run.spec, run.folder / "examples.parquet"
    stat = path.stat()
    # Without what is as usual: a key that a later version adds to the spec makes no other run of it.
    asked = spec.model_dump(mode="json", include={"tasks", "settings", "family"}, exclude_defaults=True)
    return [str(path.resolve()), stat.st_size, stat.st_mtime_ns, asked]


def _base(folder: Path | None) -> list[Any] | None:
    """Return what changes when a base's weights do; its files' contents are not read, since they may be many gigabytes."""
    if folder is None:
        return None
    try:
        files = [(path, path.stat()) for path in weight_files(folder)]
    except InputError:
        return None
    return [str(folder.resolve()), *([path.name, stat.st_size, stat.st_mtime_ns] for path, stat in files)]


def _load(folder: Path, shape: type[Any]) -> Any:
    try:
        return _shape(shape).validate_python(json.loads((folder / _RESULT).read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError, RecursionError):
        return None


@cache
def _shape(shape: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(shape)

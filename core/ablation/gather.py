"""The adapters of a run with what their files say; what has no such files is left out with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.ablation.choices import cells_of, named_as_files_do, plain_cell
from core.ablation.kept import Known, keep, kept
from core.ablation.records import LeftOut
from core.adapters import read_adapter
from core.adapters.names import short_name
from core.adapters.settings import OVERRIDE
from core.errors import InputError
from core.model_set import AdapterRef
from core.store import Run
from core.workspace import Workspace

CHECKED_BYTES = 1 << 25
"""Adapters up to this size are read whole, to see whether they are still those that were evaluated; a page has to open at once."""
UNNAMED_BASE = "a base that is not named"


def adapters_of(run: Run, workspace: Workspace | None) -> tuple[list[Known], list[LeftOut]]:
    """Return what is known of each adapter of a run, in its order, and the variants of which nothing is.

    Args:
        run: its spec says which adapters there are, and its environment.json which files they were.
        workspace: where paths are relative to, with the user's own statements (``factors``); None where there is none.
    """
    known, left_out = [], []
    models = run.spec.models
    environment = run.read_json("environment") or {}
    before = kept(run)
    for variant, ref in models.adapters.items():
        if not ref.is_whole or ref.part is not None:
            left_out.append(
                LeftOut(variant, f"a part of {ref.of or 'an adapter'}, not a training of its own; see By experiment")
            )
            continue
        try:
            known.append(_known(variant, ref, workspace, environment.get("hashes") or {}))
        except InputError as error:
            if variant in before and not _is_there(ref, workspace):
                known.append(_as_stated(before[variant], workspace))
            else:
                left_out.append(LeftOut(variant, str(error)))
    left_out += [
        LeftOut(name, "a mixture of adapters, not a training of its own; see By experiment") for name in models.mixtures
    ]
    left_out += [
        LeftOut(name, "a whole model: no adapter's files say how it was trained") for name in models.checkpoints
    ]
    left_out += [
        LeftOut(name, "predictions from elsewhere: nothing says how it was trained") for name in models.imported
    ]
    return _without_copies(known, left_out)


def _known(variant: str, ref: AdapterRef, workspace: Workspace | None, hashes: Mapping[str, Any]) -> Known:
    folder = _folder(ref, workspace)
    overrides = {} if workspace is None else named_as_files_do(workspace.spec.factors.get(variant, {}))
    facts = read_adapter(folder, overrides)
    warnings = list(facts.warnings)
    tensors = (hashes.get("adapters") or {}).get(variant)
    if tensors is not None and facts.n_bytes <= CHECKED_BYTES and tensors != facts.tensor_hash:
        warnings.append(
            "The tensors in its folder are not those that were evaluated: what its files say may be of another training."
        )
    base = short_name(facts.base_name) if facts.base_name else UNNAMED_BASE
    return Known(
        variant, base, cells_of(facts, ref.scale), facts.parameters, facts.n_bytes, facts.training_seconds, tuple(warnings), tensors,
    )  # fmt: skip


def keep_choices(run: Run, workspace: Workspace) -> None:
    """Note in a run's folder what its adapters' files say, so that the folder can be looked at where they are not."""
    keep(run, adapters_of(run, workspace)[0])


def _as_stated(one: Known, workspace: Workspace | None) -> Known:
    """Return an adapter as it was noted, with what the user states now."""
    stated = {} if workspace is None else named_as_files_do(workspace.spec.factors.get(one.variant, {}))
    return replace(one, cells={**one.cells, **{name: plain_cell(value, OVERRIDE) for name, value in stated.items()}})


def _is_there(ref: AdapterRef, workspace: Workspace | None) -> bool:
    """Tell whether an adapter's folder is there, sound or not: what it says now comes before what was noted."""
    try:
        return _folder(ref, workspace).is_dir()
    except InputError:
        return False


def _folder(ref: AdapterRef, workspace: Workspace | None) -> Path:
    if workspace is None:
        path = Path(ref.path)
        if not path.is_absolute():
            raise InputError(
                f"{ref.path}: without its workspace the adapter's folder cannot be found. Name one with --workspace DIR."
            )
        return path
    found = workspace.model_location(ref)
    if isinstance(found, str) or not found.is_dir():
        raise InputError(
            f"{ref.path}: the adapter's folder is not there, so that nothing says how it was trained. Copy it beside the run, at "
            f"{workspace.resolve(ref.path)}."
        )
    return found


def _without_copies(known: list[Known], left_out: list[LeftOut]) -> tuple[list[Known], list[LeftOut]]:
    """Return each adapter once: a copy under another name would be taken for another seed."""
    first: dict[tuple[str, str], str] = {}
    kept = []
    for one in known:
        key = (one.tensors or one.variant, one.cells["strength"].text)
        if key in first:
            left_out.append(LeftOut(one.variant, f"the same tensors as {first[key]}: a copy is not another training"))
            continue
        first[key] = one.variant
        kept.append(one)
    return kept, left_out

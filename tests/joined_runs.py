"""Runs cut out of a made-up one, as if its adapters had been evaluated at different times: what is joined again can be checked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.records import BASELINE
from core.store import Run, write_json, write_table
from tests.synthetic import make_run

Change = Callable[[dict[str, Any]], None]


def cut(
    whole: Run, folder: Path, variants: Sequence[str], *, names: Sequence[str] | None = None, upside_down: bool = False,
    spec: Change | None = None, environment: Change | None = None,
) -> Run:  # fmt: skip
    """Write a run that holds some of another's variants (the baseline is always one of them), and return it.

    Args:
        whole: the run that is cut.
        folder: of the new one; its name is the run's id.
        variants: the adapters that are kept.
        names: the ids of the examples that are kept; None is all.
        upside_down: whether examples stand in the opposite order.
        spec: changes the content of spec.json.
        environment: changes the content of environment.json.
    """
    folder.mkdir(parents=True)
    kept = [BASELINE, *variants]
    for name, column in (("examples.parquet", "id"), ("evidence.parquet", "example_id")):
        table = pq.read_table(whole.folder / name)
        if names is not None:
            table = table.filter(pc.field(column).isin(list(names)))
        if name.startswith("evidence"):
            table = table.filter(pc.field("variant").isin(kept))
        elif upside_down:
            table = table.take(list(range(table.num_rows))[::-1])
        write_table(folder / name, table)
    shutil.copy(whole.folder / "status.json", folder / "status.json")
    probe = _content(whole, "probe")
    write_json(folder / "probe.json", probe | {"repeats": [one for one in probe["repeats"] if one["variant"] in kept]})
    content = _content(whole, "spec")
    adapters = content["models"]["adapters"]
    content |= {"id": folder.name, "models": content["models"] | {"adapters": {one: adapters[one] for one in variants}}}
    if spec is not None:
        spec(content)
    write_json(folder / "spec.json", content)
    known = _content(whole, "environment")
    known["hashes"]["adapters"] = {name: one for name, one in known["hashes"]["adapters"].items() if name in variants}
    if environment is not None:
        environment(known)
    write_json(folder / "environment.json", known)
    return Run(folder)


def two_runs(folder: Path, n: int = 40, tasks: Sequence[str] = ("category", "reply")) -> tuple[Run, Run, Run]:
    """Return a whole run, and the same in two: the baseline with qv-r8, and with all-r8 and qv-r2."""
    whole = make_run(folder / "whole", n=n, tasks=tasks)
    return whole, cut(whole, folder / "first", ["qv-r8"]), cut(whole, folder / "second", ["all-r8", "qv-r2"])


def _content(run: Run, name: str) -> dict[str, Any]:
    return json.loads((run.folder / f"{name}.json").read_text(encoding="utf-8"))

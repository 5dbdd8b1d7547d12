"""A made-up ablation: parts of an adapter that answer some examples as the whole adapter does, and the others as the baseline.

Which share of the examples a part answers as the whole adapter is planted here, so that a test knows what each part is worth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.ablation_spec import AblationSpec, Change, Trial
from core.model_set import AdapterRef, Mixture
from core.records import BASELINE, Evidence
from core.spec import PerturbationRef, RunSpec
from core.store import Run, evidence_table, write_json, write_table
from tests.synthetic import make_run
from tests.synthetic_drawing import draw_evidence

WHOLE, PARTNER = "all-r8", "qv-r8"
LAYERS = 30
_ENDS: tuple[tuple[Change, str], ...] = (("first", "all-r8.first-10"), ("last", "all-r8.last-10"))
KEPT: dict[str, float] = {
    "all-r8.x0.25": 0.3, "all-r8.x0.5": 0.75, "all-r8.x1.5": 0.9,
    "all-r8.no-attention": 0.2, "all-r8.no-mlp": 0.85, "all-r8.no-q_proj": 1.0, "all-r8.only-v_proj": 0.7,
    "all-r8.no-layers-0-9": 1.0, "all-r8.no-layers-10-19": 0.9, "all-r8.no-layers-20-29": 0.3,
    "all-r8.first-10": 0.1, "all-r8.last-10": 0.8,
    "all-r8.rank-1": 0.3, "all-r8.rank-4": 1.0,
    "all-r8+qv-r8.cat-0.5": 0.9,
}  # fmt: skip
"""The share of examples that a part answers as the whole adapter."""
NO_SYSTEM = "no-system"
NO_SYSTEM_KEPT = 0.4
"""Without its system prompt the whole adapter answers the other examples as the baseline; the baseline is not touched."""


def trials() -> tuple[Trial, ...]:
    """What the parts stand for, as an ablation's plan has it."""
    return (
        *(
            Trial(part="strength", change="scaled", variant=name, label=f"strength {dose:g}", dose=dose)
            for dose, name in ((0, BASELINE), (0.25, "all-r8.x0.25"), (0.5, "all-r8.x0.5"), (1, WHOLE), (1.5, "all-r8.x1.5"))
        ),
        _module("no-attention", "without attention", "q_proj", "k_proj", "v_proj", "o_proj"),
        _module("no-mlp", "without MLP", "gate_proj", "up_proj", "down_proj"),
        _module("no-q_proj", "without q_proj", "q_proj"),
        Trial(part="modules", change="alone", variant="all-r8.only-v_proj", label="v_proj alone", modules=("v_proj",)),
        *(
            Trial(part="depth", change="left_out", variant=f"all-r8.no-layers-{a}-{a + 9}", label=f"without layers {a}\u2013{a + 9}",
                  layers=(a, a + 9))
            for a in (0, 10, 20)
        ),
        *(
            Trial(part="depth", change=change, variant=name, label=f"{change} {kept} layers", dose=kept)
            for change, several in _ENDS
            for kept, name in ((0, BASELINE), (10, several), (LAYERS, WHOLE))
        ),
        *(
            Trial(part="rank", change="truncated", variant=name, label=f"rank {dose}", dose=dose)
            for dose, name in ((1, "all-r8.rank-1"), (4, "all-r8.rank-4"), (8, WHOLE))
        ),
        *(
            Trial(part="mixing", change="mixed", variant=name, dose=share, method=None if share in (0, 1) else "cat",
                  label=name if share in (0, 1) else f"{share} {WHOLE} + {share} {PARTNER} (cat)",
                  weights={name: weight for name, weight in ((WHOLE, share), (PARTNER, 1 - share)) if weight})
            for share, name in ((1, WHOLE), (0, PARTNER), (0.5, "all-r8+qv-r8.cat-0.5"))
        ),
        Trial(part="prompt", change="prompt", variant=WHOLE, label="without the system prompt", prompt=NO_SYSTEM),
    )  # fmt: skip


def make_ablated_run(
    folder: Path, n: int = 80, tasks: Sequence[str] = ("category", "reply"), **ablation: object
) -> Run:
    """Write the run and return it.

    Args:
        folder: the run's folder, not there yet.
        n: tickets.
        tasks: of `tests.synthetic`, ``category`` among them.
        ablation: keys of the ablation's spec that differ.
    """
    run = make_run(folder, n=n, variants=(BASELINE, WHOLE, PARTNER), tasks=tasks)
    spec = run.spec
    ref = PerturbationRef(of="category", name=NO_SYSTEM)
    twin_name = f"category+{NO_SYSTEM}"
    twin = spec.tasks["category"].model_copy(update={"primary": (), "system": None, "perturbation": ref})
    parts = [name for name in KEPT if "+" not in name]
    adapters = dict(spec.models.adapters) | {
        name: AdapterRef(path=f"adapters/{WHOLE}", of=WHOLE, scale=0.5 if ".x" in name else 1.0) for name in parts
    }
    mixtures = {name: Mixture(method="cat", weights={WHOLE: 0.5, PARTNER: 0.5}) for name in KEPT if "+" in name}
    asked: dict[str, object] = {"adapter": WHOLE, "partners": (PARTNER,), "trials": trials(), **ablation}
    asked.setdefault("parts", tuple(dict.fromkeys(trial.part for trial in trials())))
    changed = spec.model_copy(update={
        "models": spec.models.model_copy(update={"adapters": adapters, "mixtures": mixtures}),
        "tasks": {**spec.tasks, twin_name: twin}, "ablation": AblationSpec.model_validate(asked),
    })  # fmt: skip
    examples = [*run.examples, *(replace(one, task=twin_name) for one in run.examples if one.task == "category")]
    pieces = list(_evidence(run, twin_name))
    for name in ("examples.parquet", "evidence.parquet"):
        (folder / name).unlink()
    write_json(folder / "spec.json", json.loads(RunSpec.model_validate(changed.model_dump()).model_dump_json()))
    run = Run(folder)
    run.write_examples(examples)
    write_table(folder / "evidence.parquet", evidence_table(pieces))
    return run


def kept_examples(run_ids: Sequence[str], share: float) -> frozenset[str]:
    """Return the examples that a part answers as the whole adapter: a part that keeps more keeps what the smaller one does."""
    order = np.random.default_rng(5).permutation(len(run_ids))
    return frozenset(str(run_ids[at]) for at in order[: round(share * len(run_ids))])


def _evidence(run: Run, twin: str) -> Iterator[Evidence]:
    numbers: Mapping[str, int] = {BASELINE: 0, WHOLE: 1, PARTNER: 2}
    by_task: dict[str, list[str]] = {}
    for example in run.examples:
        by_task.setdefault(example.task, []).append(example.id)
    kept = {(task, name): kept_examples(ids, share) for task, ids in by_task.items() for name, share in KEPT.items()}
    untouched = kept_examples(by_task["category"], NO_SYSTEM_KEPT)
    for example in run.examples:
        drawn = {name: draw_evidence(example, name, number, 0) for name, number in numbers.items()}
        for name, pieces in drawn.items():
            yield from pieces
            if example.task == "category" and name != PARTNER:
                chosen = pieces if name == BASELINE or example.id in untouched else drawn[BASELINE]
                yield from (replace(piece, task=twin, variant=name) for piece in chosen)
        for name in KEPT:
            source = WHOLE if example.id in kept[example.task, name] else BASELINE
            yield from (replace(piece, variant=name) for piece in drawn[source])


def _module(name: str, label: str, *modules: str) -> Trial:
    return Trial(part="modules", change="left_out", variant=f"all-r8.{name}", label=label, modules=modules)

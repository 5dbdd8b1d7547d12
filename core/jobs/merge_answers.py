"""The answers of merged and unmerged models to a run's examples, as a small run of their own whose variants are these models.

They are asked as every run asks: the same prompts, plan, engine and evidence. What the metrics make of them is computed by
whoever looks at it, with the machinery of every other run.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.adapters.merge import variant_name
from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.jobs.progress import Progress
from core.jobs.prompting import settled
from core.plan import CPU_BATCH_TOKENS, GPU_BATCH_TOKENS, Plan, make_plan
from core.records import Evidence
from core.spec import ModelRef, ModelSet, RunSpec, TaskSpec
from core.store import Run, create_run, evidence_table, write_json, write_table

if TYPE_CHECKING:
    from core.engine.session import Session

FOLDER = "answers"
"""Of the small run, in the folder of the check."""


class MergeAnswers:
    """The small run while it is made: `ask` one model after the other, then `finish`."""

    def __init__(self, folder: Path, models: Sequence[str], source: Run, examples: Mapping[str, Sequence[str]]) -> None:
        """Make the small run's folder; what an earlier attempt left there goes.

        Args:
            folder: of the check.
            models: their names, see `core.adapters.merge`; the first is the reference.
            source: the run whose examples they are.
            examples: task to ids.

        Raises:
            InputError: the run has no such task or example any more.
        """
        self.source, self.wanted = source, {(task, name) for task, ids in examples.items() for name in ids}
        self.asked = [one for one in source.examples if (one.task, one.id) in self.wanted]
        if {(one.task, one.id) for one in self.asked} != self.wanted:
            raise InputError(f"{source.folder}: some of the examples are not there any more. Start the check again.")
        shutil.rmtree(folder / FOLDER, ignore_errors=True)
        environment = source.read_json("environment") or {}
        self.thinking: dict[str, Any] | None = environment.get("thinking")
        spec = settled(source.spec, self.thinking)
        self.run = create_run(folder / FOLDER, _spec(spec, models, tuple(examples)))
        self.run.write_examples(self.asked)
        self.plan: Plan | None = None

    def planned(self, renderer: PromptRenderer, device: str) -> Plan:
        """Return what is asked, the same for every model."""
        if self.plan is None:
            budget = CPU_BATCH_TOKENS if device == "cpu" else GPU_BATCH_TOKENS
            budget = self.run.spec.settings.batch_tokens or budget
            self.plan = make_plan(self.asked, self.run.spec, renderer, batch_tokens=budget)
            told = {"tokenizer": renderer.fingerprint, "device": device, "thinking": self.thinking}
            write_json(self.run.folder / "environment.json", told)
        return self.plan

    def ask(self, session: Session, model: Any, name: str, progress: Progress) -> None:
        """Let a model answer everything; ``session`` is loaded for the same base and device."""
        variant, plan = variant_name(name), self.planned(session.renderer, session.models.device.type)
        for part in plan.parts:
            write_table(self.run.part_path(variant, part.index), evidence_table(session.observe(model, variant, part)))
            progress.advance(part.asked, tokens=part.tokens)
        if plan.refusals:
            pieces = [Evidence(r.task, variant, r.example_id, r.item, reason=r.reason) for r in plan.refusals]
            write_table(self.run.part_path(variant, len(plan.parts)), evidence_table(pieces))

    def finish(self) -> int:
        """Put the evidence together and return how many examples were asked."""
        self.run.compact()
        return len(self.wanted)


def _spec(source: RunSpec, models: Sequence[str], tasks: Sequence[str]) -> RunSpec:
    """Return the small run's spec: the models as checkpoints, and the metrics that the run declared primary."""
    base = source.models.base.path
    variants = {variant_name(name): ModelRef(path=base) for name in models}
    chosen = {task: _primary_alone(source, task) for task in tasks}
    return source.model_copy(
        update={
            "id": FOLDER, "models": ModelSet(base=source.models.base, checkpoints=variants), "tasks": chosen,
            "datasets": {task.dataset: source.datasets[task.dataset] for task in chosen.values()},
            "settings": source.settings.model_copy(update={"probe": False}), "reference": variant_name(models[0]),
            "family": tuple(f"{name}/{metric}" for name, task in chosen.items() for metric in task.metrics),
            "limit": None, "drawn": None, "composites": {}, "forgetting": None, "own_metrics": {}, "ablation": None,
        }
    )  # fmt: skip


def _primary_alone(source: RunSpec, name: str) -> TaskSpec:
    task = source.tasks[name]
    declared = [key.partition("/")[2] for key in source.family if key.partition("/")[0] == name]
    metrics = tuple(one for one in declared or task.metrics if one not in source.own_metrics)
    return task.model_copy(update={"metrics": metrics, "primary": None, "robustness": ()})

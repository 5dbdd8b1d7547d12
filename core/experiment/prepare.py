"""Turn an adapter and the parts to try into a run's folder, ready for its worker; the run is an ordinary one in all else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.ablation_spec import ABLATION_PARTS, AblationPart, AblationSpec
from core.adapters import read_adapter
from core.adapters.parts import why_no_mixture
from core.data.read import load_examples
from core.errors import InputError, nearest
from core.experiment.prompts import NO_CHANGE, prompt_tasks, prompt_trials
from core.experiment.trials import Planned, Subject, plan_trials
from core.heads import refuse_heads
from core.model_set import MIXING_METHODS, MixingMethod, ModelSet
from core.prepare import Choice, check_askable, check_models, chosen_tasks, run_settings, write_run
from core.records import Example
from core.spec import TaskSpec
from core.store import Run
from core.vllm_checks import refuse_apart
from core.workspace import Workspace
from core.workspace_heads import workspace_heads


@dataclass(frozen=True)
class AblationChoice:
    """What of an adapter is to be tried."""

    adapter: str
    parts: tuple[AblationPart, ...] = ("modules", "depth", "strength", "rank")
    partners: tuple[str, ...] = ()
    """Adapters that it is mixed with."""
    tasks: tuple[str, ...] | None = None
    """None is all of the workspace."""
    examples: int | None = None
    """So many of each dataset, drawn with the seed of the settings; None is all."""
    minutes: float | None = None
    """No variant is begun that would end later than this; None is no limit."""
    methods: tuple[MixingMethod, ...] = ("cat",)
    name: str | None = None
    """The run's folder; by default the time."""
    settings: Mapping[str, Any] | None = None
    """Settings that differ from the workspace's."""


@dataclass(frozen=True)
class Prepared:
    """An ablation that was checked, before anything is written."""

    planned: Planned
    tasks: dict[str, TaskSpec]
    """The clean ones, then those with a changed prompt."""
    ablation: AblationSpec


def plan_ablation(workspace: Workspace, choice: AblationChoice) -> Prepared:
    """Check a choice and return what it would measure; nothing is written.

    Raises:
        InputError: a name is unknown, an adapter is missing or faulty, or nothing is left to try.
    """
    check_askable(workspace)
    _check_numbers(choice)
    adapter, partners = subjects(workspace, choice.adapter, choice.partners)
    whole = {one.name: one.ref for one in (adapter, *partners)}
    models = ModelSet(base=workspace.spec.models.base, adapters=whole)
    check_models(workspace, models)
    refuse_heads(
        workspace_heads(workspace, models), tuple(whole), "its last layer has no parts to switch off or to mix"
    )
    settings = run_settings(workspace, choice.settings)
    refuse_apart(settings)
    planned = plan_trials(adapter, choice.parts, partners, choice.methods, settings.seed)
    for mixture in planned.mixtures.values():
        facts = {one.name: one.facts for one in (adapter, *partners)}
        if (reason := why_no_mixture(facts, mixture)) is not None:
            raise InputError(reason)
    clean = {
        name: task.model_copy(update={"robustness": ()}) for name, task in chosen_tasks(workspace, choice.tasks).items()
    }
    trials, twins, off = planned.trials, {}, dict(planned.off)
    if "prompt" in choice.parts:
        twins = prompt_tasks(clean, settings.temperature)
        trials = (*trials, *prompt_trials(choice.adapter, clean, settings.temperature))
        off |= {} if twins else {"prompt": NO_CHANGE}
    if len(planned.adapters) + len(planned.mixtures) + len(twins) == 1 + len(partners):
        raise InputError(
            f"There is nothing to try of the adapter {choice.adapter!r}. {' '.join(off.values())}".rstrip()
        )
    ablation = AblationSpec(
        adapter=choice.adapter,
        partners=choice.partners,
        parts=choice.parts,
        trials=trials,
        off=off,
        minutes=choice.minutes,
    )
    return Prepared(planned, {**clean, **twins}, ablation)


def prepare_ablation(workspace: Workspace, choice: AblationChoice) -> Run:
    """Check the choice, make the run's folder and write what is asked into it; `core.jobs.launch.start` does it.

    Raises:
        InputError: as `plan_ablation`; or the folder exists or cannot be written. Nothing is left behind then.
    """
    prepared = plan_ablation(workspace, choice)
    settings = run_settings(workspace, {"probe": False, **dict(choice.settings or {})})
    planned = prepared.planned
    models = ModelSet(
        base=workspace.spec.models.base, adapters=planned.adapters, mixtures=planned.mixtures,
        template=workspace.spec.models.template,
    )  # fmt: skip
    examples = _examples(workspace, prepared.tasks, choice.examples, settings.seed)
    return write_run(
        workspace, Choice(name=choice.name, prefix="ablation-"), models, prepared.tasks, settings, examples,
        ablation=prepared.ablation, drawn=choice.examples,
    )  # fmt: skip


def subjects(workspace: Workspace, adapter: str, partners: Sequence[str] = ()) -> tuple[Subject, list[Subject]]:
    """Return an adapter and those that it is mixed with; whether they fit the base is not looked at.

    Raises:
        InputError: one is unknown, missing or broken, a part already, or named twice.
    """
    known = workspace.spec.models.adapters
    names = (adapter, *partners)
    for name in names:
        if name not in known:
            listed = ", ".join(known) or "none"
            raise InputError(
                f"{workspace.path}: there is no adapter {name!r}{nearest(name, known)}; there are: {listed}."
            )
        if names.count(name) > 1:
            raise InputError(f"The adapter {name!r} is named twice; an adapter is mixed with others.")
        if known[name].part is not None:
            raise InputError(
                f"{workspace.path}: models.adapters.{name} is a part of an adapter already (`part`); name the whole adapter."
            )
    found = [Subject(name, known[name], read_adapter(workspace.adapter_folder(name))) for name in names]
    return found[0], found[1:]


def _check_numbers(choice: AblationChoice) -> None:
    for what, found, known in (("part", choice.parts, ABLATION_PARTS), ("method", choice.methods, MIXING_METHODS)):
        for name in found:
            if name not in known:
                raise InputError(
                    f"There is no {what} {name!r}{nearest(name, known)}; expected any of {', '.join(known)}."
                )
            if found.count(name) > 1:
                raise InputError(f"The {what} {name!r} is named twice.")
    if not choice.parts:
        raise InputError(f"No part is chosen; expected any of {', '.join(ABLATION_PARTS)}.")
    if choice.examples is not None and choice.examples < 1:
        raise InputError(f"examples: found {choice.examples}; expected a number of examples, 1 or more.")
    if choice.minutes is not None and not 0 < choice.minutes < float("inf"):
        raise InputError(f"minutes: found {choice.minutes:g}; expected a number above 0.")


def _examples(workspace: Workspace, tasks: Mapping[str, TaskSpec], number: int | None, seed: int) -> list[Example]:
    """Return the examples of all tasks; tasks of one dataset have the same ones, and a changed prompt its clean task's."""
    clean = {
        name: drawn(load_examples(workspace, name), number, seed)
        for name, task in tasks.items()
        if task.perturbation is None
    }
    return [
        replace(example, task=name)
        for name, task in tasks.items()
        for example in clean[name if task.perturbation is None else task.perturbation.of]
    ]


def drawn(examples: Sequence[Example], number: int | None, seed: int) -> list[Example]:
    """Return so many examples, drawn by their ids with a seed, in the order in which they stood; None is all."""
    if number is None or number >= len(examples):
        return list(examples)

    def draw(example: Example) -> bytes:
        return hashlib.sha256(f"{seed}\x1f{example.id}".encode("utf-8", "surrogatepass")).digest()

    chosen = {example.id for example in sorted(examples, key=draw)[:number]}
    return [example for example in examples if example.id in chosen]

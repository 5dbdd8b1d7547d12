"""Turn a workspace and a choice into a run's folder, ready for its worker. Everything that can be checked without torch is."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.ablation.gather import keep_choices
from core.data.perturb.twins import perturbed_examples, twin_tasks
from core.data.read import load_examples
from core.errors import InputError, nearest
from core.families import task_family
from core.jobs.status import read_status
from core.metrics.registry import find_metric
from core.model_checks import check_models as check_models
from core.own.files import find_own_metrics
from core.records import BASELINE, Example
from core.spec import NAME_PATTERN, ModelSet, RunSpec, Settings, TaskSpec
from core.store import Run, create_run
from core.templates import check_template
from core.vllm_checks import settings_for
from core.workspace import Workspace
from core.workspace_heads import check_workspace_heads


@dataclass(frozen=True)
class Choice:
    """What of a workspace is to be run; None is everything."""

    adapters: tuple[str, ...] | None = None
    tasks: tuple[str, ...] | None = None
    limit: int | None = None
    """The first so many examples of each dataset."""
    settings: Mapping[str, Any] | None = None
    """Settings that differ from the workspace's."""
    robustness: bool = True
    """Whether tasks are evaluated under their perturbations too."""
    name: str | None = None
    """The run's folder; by default the time."""
    prefix: str = ""


def prepare_run(workspace: Workspace, choice: Choice) -> Run:
    """Check the choice, make the run's folder and write what is asked into it.

    Raises:
        InputError: a name is unknown, a model, adapter or dataset is missing or faulty, the folder exists or cannot be
            written. Nothing is left behind then.
    """
    check_askable(workspace)
    models, settings = chosen_models(workspace, choice.adapters), run_settings(workspace, choice.settings)
    tasks = with_twins(chosen_tasks(workspace, choice.tasks), settings.seed, robustness=choice.robustness)
    if choice.limit is not None and choice.limit < 1:
        raise InputError(f"limit: found {choice.limit}; expected a number of examples, 1 or more.")
    check_models(workspace, models)
    settings = settings_for(workspace, models, settings)
    check_template(workspace, models, tasks)
    check_workspace_heads(workspace, models, tasks)
    examples = _examples(workspace, tasks, choice.limit)
    run = write_run(workspace, choice, models, tasks, settings, examples)
    keep_choices(run, workspace)
    return run


def write_run(
    workspace: Workspace, choice: Choice, models: ModelSet, tasks: Mapping[str, TaskSpec], settings: Settings,
    examples: Iterable[Example], **more: Any,
) -> Run:  # fmt: skip
    """Make the folder of a run whose parts were checked, and write what is asked into it.

    Args:
        workspace: Where.
        choice: The run's name and limit.
        models: Its variants.
        tasks: Twins included.
        settings: Of the run.
        examples: Of all tasks.
        more: Other fields of `core.spec.RunSpec`.

    Raises:
        InputError: the folder exists or cannot be written; nothing is left behind then.
    """
    own = _own_metrics(workspace, tasks)
    folder = _new_folder(workspace, choice)
    spec = RunSpec(
        id=folder.name, created=datetime.now(UTC).isoformat(timespec="seconds"), models=models,
        datasets={task.dataset: workspace.spec.datasets[task.dataset] for task in tasks.values()}, tasks=dict(tasks),
        settings=settings, limit=choice.limit, family=task_family(tasks, own), own_metrics=own,
        composites=workspace.spec.composites, forgetting=workspace.spec.forgetting, **more,
    )  # fmt: skip
    try:
        run = create_run(folder, spec)
        run.write_examples(list(examples))
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)  # it was made by this call, a moment ago
        raise InputError(
            f"{folder}: the run's folder cannot be written ({error.strerror}). Free some space or make it writable."
        ) from None
    return run


def check_askable(workspace: Workspace) -> None:
    """Check that there is a model to ask.

    Raises:
        InputError: the workspace is a run whose predictions came from elsewhere.
    """
    if workspace.spec.models.imported:
        raise InputError(
            f"{workspace.path}: the predictions of this run came from elsewhere: there is no model to ask. Read other predictions with: "
            "lorascope score --predictions FILE"
        )


def _own_metrics(workspace: Workspace, tasks: Mapping[str, TaskSpec]) -> dict[str, str]:
    """Return the user's own metrics that tasks name, with the fingerprint of their files."""
    named = {name for task in tasks.values() for name in task.metrics if find_metric(name) is None}
    files = find_own_metrics(workspace.folder) if named else {}
    return {name: own.fingerprint for name, own in files.items() if name in named}


def _new_folder(workspace: Workspace, choice: Choice) -> Path:
    if choice.name is None:
        return workspace.new_run_folder(choice.prefix)
    if not re.fullmatch(NAME_PATTERN, choice.name):
        expected = "letters, digits and . _ + - (80 at most), beginning with a letter or digit"
        raise InputError(f"name: found {choice.name!r}; expected {expected}.")
    folder = workspace.runs_folder / choice.name
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise InputError(
            f"{folder}: there is a folder of this name already; choose another, or resume it: lorascope evaluate --resume {choice.name}"
        ) from None
    except OSError as error:
        raise InputError(f"{folder}: no folder can be made for the run ({error.strerror}).") from None
    return folder


def run_settings(workspace: Workspace, changes: Mapping[str, Any] | None) -> Settings:
    """Return the workspace's settings with some of them changed.

    Raises:
        InputError: a value is not possible.
    """
    try:
        return Settings.model_validate(workspace.spec.settings.model_dump() | dict(changes or {}))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"settings.{key}: found {first['input']!r}; {first['msg'].lower()}.") from None


def chosen_models(workspace: Workspace, names: Sequence[str] | None) -> ModelSet:
    """Return the workspace's model set with the chosen adapters and checkpoints alone."""
    models = workspace.spec.models
    if names is None:
        return models
    known = (*models.adapters, *models.checkpoints, *models.served)
    _all_known("adapter", [name for name in names if name != BASELINE], known, workspace.path)
    return ModelSet(
        base=models.base,
        adapters={name: ref for name, ref in models.adapters.items() if name in names},
        checkpoints={name: ref for name, ref in models.checkpoints.items() if name in names},
        template=models.template,
        servers=models.servers,
        served={name: ref for name, ref in models.served.items() if name in (BASELINE, *names)},
    )


def chosen_tasks(workspace: Workspace, names: Sequence[str] | None) -> dict[str, TaskSpec]:
    """Return the chosen tasks in the workspace's order."""
    tasks = workspace.spec.tasks
    if names is not None:
        _all_known("task", names, tasks, workspace.path)
    chosen = {name: task for name, task in tasks.items() if names is None or name in names}
    if not chosen:
        raise InputError(f"{workspace.path}: no task is chosen; there are: {', '.join(tasks) or 'none yet'}.")
    return chosen


def _all_known(what: str, names: Iterable[str], known: Iterable[str], path: Path) -> None:
    known = tuple(known)
    for name in names:
        if name not in known:
            raise InputError(
                f"{path}: there is no {what} {name!r}{nearest(name, known)}; there are: {', '.join(known) or 'none'}."
            )


def with_twins(tasks: Mapping[str, TaskSpec], seed: int, *, robustness: bool = True) -> dict[str, TaskSpec]:
    """Return tasks followed by their twins, one for each perturbation and copy; without ``robustness`` none has any.

    Raises:
        InputError: a perturbation is unknown or does not apply, or a twin's name is taken or too long.
    """
    if not robustness:
        return {name: task.model_copy(update={"robustness": ()}) for name, task in tasks.items()}
    expanded = dict(tasks)
    for name, task in tasks.items():
        twins = twin_tasks(name, task, seed)
        if taken := next((twin for twin in twins if twin in expanded), None):
            raise InputError(
                f"task {taken!r}: the name is needed for {name!r} under a perturbation. Give the task another name."
            )
        expanded |= twins
    return expanded


def _examples(workspace: Workspace, tasks: Mapping[str, TaskSpec], limit: int | None) -> list[Example]:
    """Return the examples of all tasks; those of a twin are its clean task's, perturbed."""
    clean = {name: load_examples(workspace, name, limit) for name, task in tasks.items() if task.perturbation is None}
    examples: list[Example] = []
    for name, task in tasks.items():
        ref = task.perturbation
        examples += clean[name] if ref is None else perturbed_examples(name, ref, tasks[ref.of], clean[ref.of])
    return examples


def estimate_seconds(workspace: Workspace, choice: Choice) -> float | None:
    """Return how long the choice will take, reckoned from the newest finished run that had all its tasks; else None.

    Reckoned by pieces of evidence a second, those from the cache left out; what the machine was doing beside it is
    unknown, so it is a guess and shown as one.

    Raises:
        InputError: an unknown task or adapter, or a dataset that cannot be read.
    """
    tasks = chosen_tasks(workspace, choice.tasks)
    variants = len(chosen_models(workspace, choice.adapters).variants)
    for run in workspace.runs():
        try:
            status = read_status(run)
        except InputError:  # a damaged run is no reason not to start another
            continue
        computed = status.done - status.reused
        known = set(tasks) <= set(run.spec.tasks)
        if status.state == "finished" and known and computed > 0 and status.updated > status.started > 0:
            asked = sum(
                _pieces(task, load_examples(workspace, name, choice.limit)) * _repeats(name, task, choice)
                for name, task in tasks.items()
            )
            return asked * variants * (status.updated - status.started) / computed
    return None


def _pieces(task: TaskSpec, examples: Sequence[Example]) -> int:
    """Return how many pieces of evidence a task asks for of each variant."""
    if task.kind == "multilabel":
        return sum(len(example.options) for example in examples)
    return len(examples) * (2 if task.kind == "generation" else 1)


def _repeats(name: str, task: TaskSpec, choice: Choice) -> int:
    """Return how often a task's examples are asked: once as they are, and once in each of its twins."""
    return 1 + (len(twin_tasks(name, task, 0)) if choice.robustness else 0)

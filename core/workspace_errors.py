"""Check workspace.yaml and say every mistake as a person would: file, line, key, what was found, what was expected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core.data.perturb import expected_names, find_perturbation, why_not
from core.errors import InputError, nearest
from core.metrics.registry import all_metrics, find_metric, metrics_for
from core.own.files import OwnFile, find_own_metrics, read_declaration
from core.spec import IMPORTED_KINDS, NAME_PATTERN, TaskSpec, WorkspaceSpec
from core.strict_yaml import YamlDocument, read_yaml
from core.workspace_declared import declared_mistakes

Key = tuple[str | int, ...]
_SHOWN = 6


def parse_workspace(path: Path) -> WorkspaceSpec:
    """Read and check a workspace file.

    Raises:
        InputError: with one line for each mistake (the first six).
    """
    document = read_yaml(path)
    if not isinstance(document.content, dict):
        raise InputError(f"{path}: found {_show(document.content)}, expected the keys models, datasets and tasks.")
    try:
        spec = WorkspaceSpec.model_validate(document.content)
    except ValidationError as error:
        _refuse(_sentences(document, error.errors()))
        raise AssertionError("a validation error has at least one message") from error
    if spec.models.imported:
        raise InputError(
            f"{document.place(('models', 'imported'))}: models.imported: a run writes this key itself; read predictions with: lorascope "
            "score --predictions FILE."
        )
    _refuse_ablated(document, spec)
    sentences = [sentence for name, task in spec.tasks.items() for sentence in _task_mistakes(document, name, task)]
    if not sentences:  # what is built on tasks can be judged only where these are sound
        sentences = [
            f"{document.place(key)}: {_dotted(key)}: {text}." for key, text in declared_mistakes(spec, path.parent)
        ]
    _refuse(sentences)
    return spec


def _refuse_ablated(document: YamlDocument, spec: WorkspaceSpec) -> None:
    """Refuse what only an ablation writes, into its run."""
    keys: list[Key] = [
        ("models", "adapters", name, "of") for name, ref in spec.models.adapters.items() if not ref.is_whole
    ]
    keys += [("models", "mixtures")] if spec.models.mixtures else []
    how = "a run writes this key itself; take adapters apart or mix them with: lorascope ablate --adapter NAME"
    _refuse([f"{document.place(key)}: {_dotted(key)}: {how}." for key in keys])


def _refuse(sentences: Sequence[str]) -> None:
    if not sentences:
        return
    rest = len(sentences) - _SHOWN
    more = [f"... and {rest} more."] if rest > 0 else []
    raise InputError("\n".join([*sentences[:_SHOWN], *more]))


def _sentences(document: YamlDocument, errors: Iterable[ErrorDetails]) -> list[str]:
    """Return one sentence for each key; the members of a union that all failed are joined with "or"."""
    by_key: dict[Key, list[tuple[str, str]]] = {}
    for error in errors:
        key = _key_in_file(document.content, error)
        by_key.setdefault(key, []).append(_found_and_expected(error, key))
    sentences = []
    for key, told in by_key.items():
        found = told[0][0]
        expected = " or ".join(dict.fromkeys(text for _, text in told if text))
        name = f": {_dotted(key)}" if key else ""
        sentences.append(f"{document.place(key)}{name}: {found}{', expected ' if expected else ''}{expected}.")
    return sentences


def _key_in_file(content: Any, error: ErrorDetails) -> Key:
    """Return the error's place without what pydantic adds to it (names of union members, ``[key]``)."""
    key: list[str | int] = []
    for part in error["loc"]:
        if (isinstance(content, dict) and part in content) or (
            isinstance(content, list | tuple) and isinstance(part, int) and part < len(content)
        ):
            content = content[part]  # type: ignore[index]
            key.append(part)
    if error["type"] == "missing":
        key.append(error["loc"][-1])
    return tuple(key)


def _found_and_expected(error: ErrorDetails, key: Key) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "missing":
        return "the key is missing", _meaning(key)
    if kind == "extra_forbidden":
        known = list(_model_at(key[:-1]).model_fields)
        return f"unknown key{nearest(str(key[-1]), known)}", f"one of {', '.join(known)}"
    if kind == "value_error":
        return str(context["error"]), ""
    found = f"found {_show(error['input'])}"
    if kind == "string_pattern_mismatch":
        return found, "a name of letters, digits and . _ + - that starts with a letter or digit, up to 80 long"
    if kind == "literal_error":
        options = [option.strip("'") for option in str(context["expected"]).replace(" or ", ", ").split(", ")]
        hint = nearest(str(error["input"]), options)
        return found + hint, f"one of {', '.join(options)}" if len(options) > 1 else options[0]
    words = error["msg"].removeprefix("Input should be ").removeprefix("a valid ").split(", ")[0]
    return found, {
        "dictionary": "keys with values",
        "tuple": "a list",
        "string": "a text",
        "integer": "a whole number",
    }.get(words, words)


def _model_at(key: Key) -> type[BaseModel]:
    """Return the pydantic model that describes the mapping at ``key``."""
    annotation: Any = WorkspaceSpec
    for part in key:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            annotation = annotation.model_fields[str(part)].annotation
        else:
            annotation = _value_type(annotation)
    return _first_model(annotation) or WorkspaceSpec


def _value_type(annotation: Any) -> Any:
    """Return the type of a container's values: the last argument of ``dict[K, V]``, the first of ``tuple[V, ...]``."""
    if get_origin(annotation) is dict:
        return get_args(annotation)[1]
    if get_origin(annotation) is tuple:
        return get_args(annotation)[0]
    return _first_model(annotation)


def _first_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _first_model(part))), None)


def _meaning(key: Key) -> str:
    return {
        "models": "the base model and its adapters",
        "datasets": "the data files by name",
        "tasks": "the tasks by name",
        "base": "the base model, such as {path: FOLDER}",
        "path": "a folder or file",
        "dataset": "the name of one of the datasets",
        "kind": "one of " + ", ".join(get_args(TaskSpec.model_fields["kind"].annotation)),
        "reference": "the field of the data that holds the right answer",
        "rule": "one of option, regex, json, contains",
    }.get(str(key[-1]), "a value")


def _dotted(key: Key) -> str:
    return ".".join(str(part) for part in key)


def _show(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a group of keys"
    if isinstance(value, list | tuple):
        return "a list"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _task_mistakes(document: YamlDocument, name: str, task: TaskSpec) -> list[str]:
    """Return what only a look at the metrics and the other keys of a task can tell."""
    sentences = []

    def say(key: Key, text: str) -> None:
        whole = ("tasks", name, *key)
        sentences.append(f"{document.place(whole)}: {_dotted(whole)}: {text}.")

    if task.kind in IMPORTED_KINDS:
        say(
            ("kind",),
            f"found {task.kind!r}, whose predictions come from elsewhere and are asked of no model; leave the task out and read "
            f"them with: lorascope score --task {task.kind} --predictions FILE",
        )
        return sentences
    if task.imported:
        say(("imported",), "a run writes this key itself; read predictions with: lorascope score --predictions FILE")
    raw = document.content["tasks"][name]
    for place, option in enumerate(raw.get("options") or ()):
        if isinstance(option, bool):
            say(
                ("options", place),
                f"found {str(option).lower()}, expected a text or a number; put it in quotes if it is a label",
            )
    for key, text in _metric_mistakes(document.path.parent, task):
        say(key, text)
    for key, listed in (("primary", task.primary or ()), ("bands", tuple(task.bands))):
        for metric in listed:
            if metric not in task.metrics:
                here = f"{nearest(metric, task.metrics)}, expected one of the task's metrics: {', '.join(task.metrics) or 'none'}"
                say((key,), f"found {metric!r}{here}")
    for key, text in _perturbation_mistakes(task):
        say(key, text)
    return sentences


def _metric_mistakes(folder: Path, task: TaskSpec) -> Iterable[tuple[Key, str]]:
    """Yield the key and the sentence of each metric that is unknown or does not apply; a file in metrics/ may be one too."""
    own = find_own_metrics(folder) if task.metrics else {}
    fitting = ", ".join(metric.name for metric in metrics_for(task.kind)) or "none"
    for place, name in enumerate(task.metrics):
        known, file = find_metric(name), own.get(name)
        if known is not None and file is not None:
            yield (
                ("metrics", place),
                f"found {name!r}, which is lorascope's own metric and {file.shown} too; rename the file",
            )
        elif known is not None and task.kind not in known.kinds:
            kinds = ", ".join(sorted(known.kinds))
            yield (
                ("metrics", place),
                f"found {name!r}, which is for {kinds} and not for {task.kind}; expected one of: {fitting}",
            )
        elif known is None and file is None:
            hint = nearest(name, (*all_metrics(), *own))
            here = f", or a file metrics/{name}.py" if re.fullmatch(NAME_PATTERN, name) else ""
            yield ("metrics", place), f"found {name!r}{hint}, expected one of: {fitting}{here}"
        elif file is not None and (mistake := _own_mistake(file, task)):
            yield ("metrics", place), mistake


def _own_mistake(file: OwnFile, task: TaskSpec) -> str | None:
    try:
        kinds = read_declaration(file).kinds
    except InputError:
        return None  # told in the metric's own row: a broken file must not keep the workspace from opening
    if task.kind in kinds:
        return None
    return f"found {file.name!r}, which {file.shown} says is for {', '.join(kinds)} and not for {task.kind}"


def _perturbation_mistakes(task: TaskSpec) -> Iterable[tuple[Key, str]]:
    """Yield the key and the sentence of each perturbation that is unknown, named twice, or does not apply."""
    if task.perturbation is not None:
        yield ("perturbation",), "a run writes this key itself; name perturbations under `robustness`, a list"
    if task.robustness and not task.metrics:
        yield ("robustness",), "the task has no metrics, and so nothing could drop; name at least one under `metrics`"
    for place, name in enumerate(task.robustness):
        perturbation = find_perturbation(name)
        if perturbation is None:
            yield ("robustness", place), f"found {name!r}{expected_names(name)}"
        elif name in task.robustness[:place]:
            yield ("robustness", place), f"found {name!r} twice; expected each perturbation once"
        elif reason := why_not(perturbation, task):
            yield ("robustness", place), f"found {name!r}, which does not apply here: {reason}"

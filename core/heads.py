"""Classification heads: which variants have one, which tasks it can answer, and what it is asked. No torch.

A head is an adapter with task_type SEQ_CLS, or a checkpoint whose architecture is ...ForSequenceClassification. It reads a text
and gives a number for each of its labels: no text, and no log-likelihoods.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from core.errors import InputError
from core.model_set import AdapterRef, HeadSpec, ModelSet
from core.spec import TaskSpec
from core.weights import read_headers, weight_files

Problem = Literal["single_label_classification", "multi_label_classification", "regression"]
"""As transformers' configs write it."""
NO_TEXT = "a classification head gives no text"
NO_LIKELIHOODS = "a classification head gives no log-likelihoods"
NO_RANKING = "a classification head gives no score for a document"
TASK_TYPE = "SEQ_CLS"
"""PEFT's name for adapters that classify."""
_ARCHITECTURE = "ForSequenceClassification"
_LAST_LAYERS = ("score", "classifier", "classifier.out_proj", "classification_head.out_proj")
"""What transformers calls the layer that gives the labels' numbers."""
_PREFIX = "base_model.model."
_ANSWERS: dict[Problem, str] = {
    "single_label_classification": "one label for each text",
    "multi_label_classification": "any number of labels for each text",
    "regression": "a number for each text",
}


@dataclass(frozen=True)
class Head:
    """A variant that answers by a classification head."""

    folder: Path
    is_adapter: bool
    """Of the model set's base; else a whole checkpoint."""
    n_outputs: int
    labels: tuple[str, ...]
    """The name of each output; empty where neither the files nor the workspace say."""
    problem: Problem | None
    """What it was trained for; None where its config does not say."""
    text: str | None
    """What it reads, with ``{field}`` places; None is the task's own prompt."""


def find_heads(
    models: ModelSet, adapter_folder: Callable[[str], Path], checkpoints: Mapping[str, Path]
) -> dict[str, Head]:
    """Return the variants of a model set that answer by a classification head.

    Args:
        models: Of the workspace or a run.
        adapter_folder: Where an adapter's files are.
        checkpoints: Folders of the checkpoints that are on this disk.

    Raises:
        InputError: a head's file holds no layer for the labels, or the workspace says of it what cannot be.
    """
    heads: dict[str, Head] = {}
    for name, ref in models.adapters.items():
        if ref.is_whole and (found := _adapter_head(name, adapter_folder(name), ref.head)):
            heads[name] = found
    for name, folder in checkpoints.items():
        if found := _checkpoint_head(name, folder, models.checkpoints[name].head):
            heads[name] = found
    return heads


def _adapter_head(name: str, folder: Path, told: HeadSpec | None) -> Head | None:
    where = f"adapter {name!r} ({folder})"
    kind = _read(folder / "adapter_config.json").get("task_type")
    if kind != TASK_TYPE:
        _refuse_told(where, told, f"its task_type is {kind}, and expected {TASK_TYPE}")
        return None
    tensors = read_headers(weight_files(folder, "adapter_model"))
    last = next((info for layer in _LAST_LAYERS if (info := tensors.get(f"{_PREFIX}{layer}.weight"))), None)
    if last is None:
        raise InputError(
            f"{where}: its task_type is {TASK_TYPE}, but its file has no layer that gives the labels ({', '.join(_LAST_LAYERS[:2])}): it "
            "would be random. Save the adapter with modules_to_save naming that layer."
        )
    return _head(where, folder, True, last.shape[0], {}, told)


def _checkpoint_head(name: str, folder: Path, told: HeadSpec | None) -> Head | None:
    where = f"checkpoint {name!r} ({folder})"
    config = _read(folder / "config.json")
    architectures = [str(one) for one in config.get("architectures") or ()]
    if not any(one.endswith(_ARCHITECTURE) for one in architectures):
        _refuse_told(
            where,
            told,
            f"its architecture is {', '.join(architectures) or 'not named'}, and expected ...{_ARCHITECTURE}",
        )
        return None
    n_outputs = len(config.get("id2label") or ()) or int(config.get("num_labels") or 2)
    return _head(where, folder, False, n_outputs, config, told)


def _refuse_told(where: str, told: HeadSpec | None, found: str) -> None:
    if told is not None:
        raise InputError(f"{where}: the workspace gives it the key 'head', but it has none: {found}. Remove the key.")


def _head(
    where: str, folder: Path, is_adapter: bool, n_outputs: int, config: Mapping[str, Any], told: HeadSpec | None
) -> Head:
    told = told or HeadSpec()
    if told.labels is not None and len(told.labels) != n_outputs:
        raise InputError(
            f"{where}: head.labels names {len(told.labels)} labels ({', '.join(told.labels)}), and the head has {n_outputs} outputs; "
            "expected a name for each, in the order of training."
        )
    problem = config.get("problem_type")
    if problem is None and n_outputs == 1:
        problem = "regression"
    if problem not in (None, *get_args(Problem)):
        raise InputError(
            f"{where}: config.json: problem_type: found {problem!r}; expected {', '.join(get_args(Problem))}."
        )
    return Head(folder, is_adapter, n_outputs, told.labels or _own_labels(config), problem, told.text)


def _own_labels(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the labels that a config names; LABEL_0 and so on are what transformers writes where nobody named them."""
    named = {int(number): str(label) for number, label in (config.get("id2label") or {}).items()}
    labels = tuple(named[number] for number in sorted(named))
    return () if all(label == f"LABEL_{place}" for place, label in enumerate(labels)) else labels


def why_no_answer(head: Head, task: TaskSpec, item: str = "") -> str | None:
    """Return why a head cannot answer a task of this kind, None if it can; ``item`` as in `core.records.Evidence`."""
    if task.kind == "likelihood" or (task.generates and item):
        return NO_LIKELIHOODS
    if task.generates:
        return NO_TEXT
    if task.kind == "ranking":
        return NO_RANKING
    fitting: dict[str, tuple[Problem | None, ...]] = {
        "classification": (None, "single_label_classification"),
        "multilabel": (None, "multi_label_classification"),
        "regression": (None, "regression", "single_label_classification"),
    }
    if head.problem is not None and head.problem not in fitting[task.kind]:
        return f"the head was trained to give {_ANSWERS[head.problem]}, and this is a {task.kind} task"
    return None


def outputs_of(head: Head, options: Sequence[str]) -> tuple[int, ...] | str:
    """Return which output of a head stands for each option, by name and without regard to case; else why that is not known."""
    listed = ", ".join(options)
    if not head.labels:
        return (
            f"the head's {head.n_outputs} outputs have no names, and the task's options are {listed}; name them in the order of "
            "training: head: {labels: [...]}"
        )
    folded = [label.strip().casefold() for label in head.labels]
    wanted = [option.strip().casefold() for option in options]
    if len(set(folded)) < len(folded) or len(set(wanted)) < len(wanted) or not set(wanted) <= set(folded):
        return (
            f"the head's labels are {', '.join(head.labels)}, and the task's options are {listed}; they have to be the same but for "
            "case: name the head's in the order of training, as the task spells them: head: {labels: [...]}"
        )
    return tuple(folded.index(option) for option in wanted)


def check_heads(heads: Mapping[str, Head], tasks: Mapping[str, TaskSpec], adapters: Mapping[str, AdapterRef]) -> None:
    """Check that each head answers at least one task, as far as tasks tell, and is applied whole.

    Args:
        heads: By variant.
        tasks: That are to be asked.
        adapters: Those of the heads that are adapters.

    Raises:
        InputError: with the first reason.
    """
    for name, ref in adapters.items():
        if ref.scale != 1 or ref.part is not None:
            key = "part" if ref.part is not None else "scale"
            raise InputError(
                f"adapter {name!r}: found the key '{key}' on a classification head, whose last layer has no parts and no scale. "
                "Leave the key out."
            )
    for name, head in heads.items():
        reasons = [(task, _first_reason(head, spec)) for task, spec in tasks.items()]
        if reasons and all(reason is not None for _, reason in reasons):
            # What is closest to an answer says most: a task of the right kind, whose labels differ.
            task, reason = next((one for one in reasons if why_no_answer(head, tasks[one[0]]) is None), reasons[0])
            raise InputError(f"{name!r} is a classification head and answers none of the tasks; {task}: {reason}.")


def _first_reason(head: Head, task: TaskSpec) -> str | None:
    reason = why_no_answer(head, task)
    if reason is None and isinstance(task.options, tuple) and head.problem != "regression":
        found = outputs_of(head, [str(option) for option in task.options])
        return found if isinstance(found, str) else None
    return reason


def refuse_heads(heads: Mapping[str, Head], variants: Sequence[str], what: str) -> None:
    """Refuse what can be done with language models alone.

    Args:
        heads: Of the model set.
        variants: That were chosen.
        what: The end of a sentence: ``it cannot be merged``.

    Raises:
        InputError: one of the variants is a head.
    """
    for name in variants:
        if name in heads:
            raise InputError(f"{name!r} is a classification head: {what}. Leave it out.")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}). Copy the model again.") from None
    return content if isinstance(content, dict) else {}

"""Reads lm-evaluation-harness's per-sample files (``samples_TASK_DATE.jsonl``, written with ``--log_samples``).

The form is that of lm_eval 0.4 (`evaluator.py` makes a sample, `loggers/evaluation_tracker.py` writes it): ``doc_id``, ``doc``,
``target`` (as text), ``arguments`` (``gen_args_0: {arg_0: context, arg_1: continuation or settings}``), ``resps`` and
``filtered_resps`` (every number as text), ``filter``, and the sample's metrics. What kind of request it was is told by its content.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from core.errors import InputError
from core.imports.cells import as_text, shown, to_number
from core.records import Kind

Place = tuple[str, dict[str, Any]]
"""Where a row stands, and its fields."""
Request = Literal["generate_until", "multiple_choice", "loglikelihood"]
_KINDS: dict[Request, tuple[Kind, ...]] = {
    "generate_until": ("generation", "classification", "regression"),
    "multiple_choice": ("classification", "medical"),
    "loglikelihood": ("likelihood",),
}


def is_lm_eval(rows: Sequence[Place]) -> bool:
    """Tell whether rows are lm_eval's samples."""
    return all({"doc_id", "target", "resps", "arguments"} <= fields.keys() for _, fields in rows)


def rows_of_samples(path: Path, rows: Sequence[Place], kind: Kind) -> tuple[list[Place], list[str]]:
    """Return samples as rows of predictions, and what a reader has to know about it.

    generate_until: the filtered answer and the target. multiple_choice: the likeliest choice, and the softmax of the choices'
    log-likelihoods as scores; labels are the choices where all examples have the same ones, else their numbers from 0.
    loglikelihood and loglikelihood_rolling: the negative log-likelihood and the bytes of the text; lm_eval writes no token
    counts.

    Raises:
        InputError: the requests are of another kind than the task, or a sample is not as lm_eval writes it.
    """
    rows, notes = _of_one_filter(path, rows)
    request = _request(path, rows[0])
    if kind not in _KINDS[request]:
        fitting = " or ".join(f"--task {one}" for one in _KINDS[request])
        raise InputError(
            f"{path}: these are lm_eval samples of {request} requests, not of a {kind} task; use {fitting}."
        )
    try:
        if request == "multiple_choice":
            return _choices(path, rows), notes
        read = _generation if request == "generate_until" else _likelihood
        return [(place, one) for place, fields in rows for one in read(fields)], notes
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}: a sample is not as lm_eval 0.4 writes it ({type(error).__name__}: {error}). Write the samples again with "
            "`lm_eval --log_samples`."
        ) from None


def _of_one_filter(path: Path, rows: Sequence[Place]) -> tuple[Sequence[Place], list[str]]:
    filters = list(dict.fromkeys(str(fields.get("filter", "")) for _, fields in rows))
    if len(filters) == 1:
        return rows, []
    kept = [row for row in rows if str(row[1].get("filter", "")) == filters[0]]
    note = f"{path}: the samples stand there under {len(filters)} filters ({', '.join(filters)}); those of {filters[0]!r} are read."
    return kept, [note]


def _arguments(fields: Mapping[str, Any]) -> list[list[Any]]:
    """Return the arguments of each request: lists, or in newer files maps of ``gen_args_0`` to ``arg_0``."""
    found = fields["arguments"]
    requests = list(found.values()) if isinstance(found, dict) else found
    return [list(one.values()) if isinstance(one, dict) else list(one) for one in requests]


def _request(path: Path, row: Place) -> Request:
    place, fields = row
    try:
        arguments = _arguments(fields)
        if len(arguments[0]) > 1 and isinstance(arguments[0][1], dict):
            return "generate_until"
        return "multiple_choice" if len(arguments) > 1 else "loglikelihood"
    except (IndexError, TypeError, AttributeError):
        raise InputError(
            f"{path}, {place}: 'arguments' is {shown(fields['arguments'])}, which is not as lm_eval 0.4 writes it. Write the samples "
            "again with `lm_eval --log_samples`."
        ) from None


def _shared(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what every row has: the id, the prompt, and the document's plain fields."""
    doc = fields.get("doc")
    plain = (
        {key: value for key, value in doc.items() if not isinstance(value, dict | list)}
        if isinstance(doc, dict)
        else {}
    )
    prompt = str(_arguments(fields)[0][0])
    return plain | {"id": as_text(fields["doc_id"]), "prompt": prompt, "variant": None, "sample": None, "group": None}


def _responses(fields: Mapping[str, Any]) -> list[Any]:
    return fields["filtered_resps"] if "filtered_resps" in fields else [answers[0] for answers in fields["resps"]]


def _generation(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    answer = _responses(fields)[0]
    answers = answer if isinstance(answer, list) else [answer]
    common = _shared(fields) | {"reference": _target_texts(fields["target"])}
    several = len(answers) > 1
    return [
        common | {"prediction": text, "sample": number if several else None}
        for number, text in enumerate(answers, start=1)
    ]


def _target_texts(target: Any) -> Any:
    """Return the target; a list of texts, which lm_eval writes as Python does, as a list."""
    if isinstance(target, str) and target.startswith("[") and target.endswith("]"):
        try:
            listed = ast.literal_eval(target)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return target
        if isinstance(listed, list) and listed and all(isinstance(text, str) for text in listed):
            return listed
    return target


def _likelihood(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    answer = _responses(fields)[0]
    text = str(_arguments(fields)[0][-1])
    logprob = to_number(answer[0] if isinstance(answer, list) else answer)
    if logprob is None:
        raise ValueError(f"the log-likelihood is {shown(answer)}")
    row = _shared(fields) | {"nll_sum": -logprob, "n_bytes": len(text.encode()), "n_tokens": None, "reference": text}
    return [row if len(_arguments(fields)[0]) > 1 else row | {"prompt": ""}]


def _choices(path: Path, rows: Sequence[Place]) -> list[Place]:
    texts = [_choice_texts(fields) for _, fields in rows]
    same = texts[0] is not None and len(set(texts[0])) == len(texts[0]) and all(listed == texts[0] for listed in texts)
    logprobs = [_logprobs(fields, listed) for (_, fields), listed in zip(rows, texts, strict=True)]
    best = [max(range(len(sums)), key=sums.__getitem__) for sums in logprobs]
    targets = _targets([fields for _, fields in rows], texts, best)
    made: list[Place] = []
    for (place, fields), listed, sums, likeliest, target in zip(rows, texts, logprobs, best, targets, strict=True):
        labels = list(listed) if same and listed else [str(number) for number in range(len(sums))]
        scores = dict(zip(labels, _softmax(sums), strict=True))
        reference = labels[target] if target is not None and 0 <= target < len(labels) else None
        made.append(
            (place, _shared(fields) | {"prediction": labels[likeliest], "reference": reference, "scores": scores})
        )
    return made


def _choice_texts(fields: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the choices; None where it is the contexts that differ and the continuation that is the same (Winogrande)."""
    continuations = [str(one[1]).strip() for one in _arguments(fields)]
    contexts = {str(one[0]) for one in _arguments(fields)}
    if len(contexts) > 1 and len(set(continuations)) * 2 == len(continuations):
        return tuple(
            continuations[: len(continuations) // 2]
        )  # acc_mutual_info asks for each choice without context too
    return tuple(continuations) if len(set(continuations)) > 1 else None


def _logprobs(fields: Mapping[str, Any], texts: tuple[str, ...] | None) -> list[float]:
    sums = [float(answer[0] if isinstance(answer, list) else answer) for answer in _responses(fields)]
    return sums[: len(texts)] if texts else sums


def _softmax(sums: Sequence[float]) -> list[float]:
    powers = [math.exp(one - max(sums)) for one in sums]
    return [power / math.fsum(powers) for power in powers]


def _targets(
    samples: Sequence[Mapping[str, Any]], texts: Sequence[tuple[str, ...] | None], best: Sequence[int]
) -> list[int | None]:
    """Return the number of each right choice; None where there are several.

    A target that is written as a digit may be the choice's number or the choice itself: what agrees with lm_eval's own
    ``acc`` is taken.
    """
    by_number = [_as_int(fields["target"]) for fields in samples]
    by_text = [
        listed.index(wanted) if listed and (wanted := str(fields["target"]).strip()) in listed else None
        for fields, listed in zip(samples, texts, strict=True)
    ]
    right = [to_number(fields.get("acc")) for fields in samples]

    def agreeing(targets: Sequence[int | None]) -> int:
        return sum(
            acc is not None and (target == one) == (acc == 1)
            for target, one, acc in zip(targets, best, right, strict=True)
        )

    if all(target is None for target in by_number) or agreeing(by_text) > agreeing(by_number):
        return by_text
    return [number if number is not None else text for number, text in zip(by_number, by_text, strict=True)]


def _as_int(target: Any) -> int | None:
    try:
        return int(str(target))
    except ValueError:
        return None

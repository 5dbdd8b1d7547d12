"""Reads predictions out of a run's evidence: what a variant answered, example by example, as the task's kind says.

Classification: the likeliest option; regression: the expected value of the options as numbers, or the number that a head
gave, which has no probabilities; multilabel: the tags whose "yes" has a probability of at least one half; ranking: the score
of each document; generation: the text. Where the task has an answer rule the label or number is read out of the generated
text. No model is needed, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.answers import read_answer, read_number
from core.errors import InputError, nearest
from core.imported_predictions import imported_observations
from core.metrics.metric import Observations, Parameters
from core.records import REFERENCE_ITEM, Example, Likelihood
from core.spec import TaskSpec
from core.store import Run
from core.stored_examples import Once, count_examples, lists_once, read_examples
from core.thinking import with_answers

NO_EVIDENCE = "the run has no evidence of this example"
MANY_EXAMPLES = 50_000
"""Examples of a run above which only those of one task are read, without their texts."""
_COLUMNS = ["example_id", "item", "kind", "reason"]
_LIKELIHOOD_COLUMNS = ["token_ids", "token_logprobs", "token_starts", "token_top", "n_bytes"]


class Reading(NamedTuple):
    """What was read of one example."""

    value: Any = None
    reason: str | None = None
    scores: tuple[float, ...] = ()
    unreadable: bool = False


def observations(
    run: Run, task: str, variant: str, examples: Callable[[str], tuple[Example, ...]] | None = None
) -> Observations:
    """Return all that metrics may look at, in the order of the run's examples of this task.

    Args:
        run: finished or not.
        task: of the run.
        variant: of the run.
        examples: gives `asked_examples` of a task, where somebody holds them.

    Raises:
        InputError: the run has no such task or variant, or the task's answer rule is broken.
    """
    if task not in run.spec.tasks:
        raise InputError(
            f"run {run.id}: no task {task!r}{nearest(task, run.spec.tasks)}; it has {', '.join(run.spec.tasks)}"
        )
    variants = run.spec.models.variants
    if variant not in variants:
        raise InputError(
            f"run {run.id}: no variant {variant!r}{nearest(variant, variants)}; it has {', '.join(variants)}"
        )
    spec = run.spec.tasks[task]
    asked = asked_examples(run, task) if examples is None else examples(task)
    if run.spec.models.imported:
        table = run.predictions(task=task, variant=variant)
        return imported_observations(table, spec, asked, _label_set(spec, asked), metric_parameters(spec))
    read_likelihood = spec.kind in ("generation", "likelihood")
    columns = [*_COLUMNS, "text", "options", "option_logprob_sums", *(_LIKELIHOOD_COLUMNS if read_likelihood else ())]
    table = run.evidence(columns=columns, task=task, variant=variant)
    if spec.generates:
        table = with_answers(run, task, table)
    readings = _read(table, spec, asked)
    likelihoods = _Likelihoods(table, asked, REFERENCE_ITEM if spec.generates else "") if read_likelihood else None
    if spec.kind == "likelihood" and likelihoods is not None:
        readings = [Reading(reason=reason or "a likelihood task has no predictions") for reason in likelihoods.reasons]
    return Observations(
        example_ids=[example.id for example in asked],
        predictions=[reading.value for reading in readings],
        references=[example.reference for example in asked],
        reasons=[reading.reason for reading in readings],
        likelihoods=() if likelihoods is None else likelihoods,
        scores=[reading.scores for reading in readings],
        labels=_label_set(spec, asked),
        languages=[example.language for example in asked],
        unreadable=[reading.unreadable for reading in readings] if spec.answer else (),
        likelihood_reasons=() if likelihoods is None else likelihoods.reasons,
        kind=spec.kind,
        options=[example.options for example in asked],
        tags=[example.tags for example in asked],
        parameters=metric_parameters(spec, (run.read_json("environment") or {}).get("tokenizer") or ""),
    )


def metric_parameters(spec: TaskSpec, tokenizer: str = "") -> Parameters:
    """Return what a task says to its metrics; ``tokenizer`` is the fingerprint that the run's environment states."""
    return Parameters(
        positive=None if spec.positive is None else str(spec.positive),
        threshold_split=spec.threshold_split,
        periods_per_year=spec.periods_per_year,
        tokenizer=tokenizer,
    )


def asked_examples(run: Run, task: str) -> tuple[Example, ...]:
    """Return what metrics look at of the run's examples of one task, in order: of many neither prompt nor fields are read."""
    path = run.folder / "examples.parquet"
    if count_examples(path) > MANY_EXAMPLES:
        return read_examples(path, task, texts=False)
    return task_examples(run, task)


def task_examples(run: Run, task: str) -> tuple[Example, ...]:
    """Return the run's examples of one task, in order."""
    return tuple(example for example in run.examples if example.task == task)


def option_probabilities(logprob_sums: np.ndarray) -> np.ndarray:
    """Return the softmax of summed log-likelihoods over the last axis.

    Args:
        logprob_sums: nats, (..., options); -inf where a row has fewer options.

    Returns:
        Probabilities, same shape; NaN in a row that holds NaN or no finite number.
    """
    sums = np.asarray(logprob_sums, dtype=np.float64)
    with np.errstate(all="ignore"):
        powers = np.exp(sums - sums.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)


def length_normalised(logprob_sums: Sequence[float] | np.ndarray, n_bytes: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return log-likelihood a byte (nats, same shape): the score that does not favour short options."""
    lengths = np.asarray(n_bytes, dtype=np.float64)
    return np.asarray(logprob_sums, dtype=np.float64) / np.where(lengths > 0, lengths, np.nan)


def _label_set(spec: TaskSpec, examples: Sequence[Example]) -> tuple[str, ...]:
    if isinstance(spec.options, tuple):
        return tuple(str(option) for option in spec.options)
    if spec.kind in ("classification", "multilabel"):
        return tuple(dict.fromkeys(option for example in examples for option in example.options))
    return ()


def _read(table: pa.Table, spec: TaskSpec, examples: Sequence[Example]) -> list[Reading]:
    if spec.kind == "likelihood":
        return [Reading()] * len(examples)
    if spec.generates:
        return _read_texts(table, spec, examples)
    if spec.kind == "regression" and "number" in table["kind"].unique().to_pylist():
        return _read_texts(table, spec, examples, "number")
    scored = _Options(table)
    if spec.kind == "multilabel":
        return [_read_tags(scored, example) for example in examples]
    return [_read_options(scored, spec, example) for example in examples]


def _read_texts(
    table: pa.Table, spec: TaskSpec, examples: Sequence[Example], kind: str = "generation"
) -> list[Reading]:
    row_of = _rows(table, kind, "")
    texts, reasons = table["text"].to_pylist(), table["reason"].to_pylist()
    readings = []
    for example in examples:
        row = row_of.get((example.id, ""))
        text = None if row is None else texts[row]
        if text is None:
            readings.append(Reading(reason=NO_EVIDENCE if row is None else reasons[row] or NO_EVIDENCE))
        elif spec.answer is None:
            readings.append(Reading(float(text) if kind == "number" else text))
        else:
            answer = read_answer(spec.answer, text, example.options)
            value, reason = read_number(answer) if spec.kind == "regression" else (answer.value, answer.reason)
            readings.append(Reading(value, reason, unreadable=value is None))
    return readings


def _rows(table: pa.Table, kind: str, item: str | None) -> dict[tuple[str, str], int]:
    """Return the row of each (example, item); evidence that failed has no kind. ``item`` None takes every item."""
    found: dict[tuple[str, str], int] = {}
    entries = zip(*(table[name].to_pylist() for name in ("example_id", "item", "kind")), strict=True)
    for row, (example_id, row_item, row_kind) in enumerate(entries):
        if row_kind in (kind, None) and item in (None, row_item or ""):
            found.setdefault((example_id, row_item or ""), row)
    return found


class _Options:
    """The option scores of a task and variant, every softmax taken at once."""

    def __init__(self, table: pa.Table) -> None:
        once = Once()
        self.row_of = _rows(table, "options", None)
        self.reasons: list[str | None] = table["reason"].to_pylist()
        self.options = [options for chunk in table["options"].chunks for options in lists_once(chunk, once)]
        self.has_options: np.ndarray = pc.is_valid(table["options"]).to_numpy()  # type: ignore[attr-defined]
        sums = _ListColumn(table["option_logprob_sums"])
        lengths = np.diff(sums.offsets)
        padded = np.full((len(lengths), max(1, lengths.max(initial=0))), -np.inf)
        padded[np.arange(padded.shape[1]) < lengths[:, None]] = sums.values[sums.offsets[0] : sums.offsets[-1]]
        self.probabilities = option_probabilities(padded)
        self.sums = padded

    def of(self, example_id: str, item: str, expected: tuple[str, ...]) -> tuple[int, str | None]:
        """Return the row of one scored item, or -1 with the reason."""
        row = self.row_of.get((example_id, item), -1)
        if row < 0 or not self.has_options[row]:
            return -1, NO_EVIDENCE if row < 0 else self.reasons[row] or NO_EVIDENCE
        if self.options[row] != expected:
            return -1, "the evidence scores other options than the example has"
        return (
            (row, None)
            if np.isfinite(self.probabilities[row, 0])
            else (-1, "an option's log-likelihood is not a number")
        )


def _read_options(scored: _Options, spec: TaskSpec, example: Example) -> Reading:
    row, reason = scored.of(example.id, "", example.options)
    if row < 0 or not example.options:
        return Reading(reason=reason or "the example has no options")
    width = len(example.options)
    probabilities = scored.probabilities[row, :width]
    scores = tuple(probabilities.tolist())
    if spec.kind == "ranking":
        return Reading(tuple(scored.sums[row, :width].tolist()), scores=scores)
    if spec.kind == "classification":
        return Reading(example.options[int(probabilities.argmax())], scores=scores)
    try:
        numbers = [float(option) for option in example.options]
    except ValueError:
        return Reading(reason="an option is not a number", scores=scores)
    return Reading(float(probabilities @ np.array(numbers)), scores=scores)


def _read_tags(scored: _Options, example: Example) -> Reading:
    chances: list[float] = []
    for tag in example.options:
        row, reason = scored.of(example.id, tag, ("yes", "no"))
        if row < 0:
            return Reading(reason=f"tag {tag!r}: {reason}")
        chances.append(float(scored.probabilities[row, 0]))
    tags = tuple(tag for tag, chance in zip(example.options, chances, strict=True) if chance >= 0.5)
    return Reading(tags, scores=tuple(chances))


class _ListColumn:
    """A column of lists as flat values and offsets; row i is ``values[offsets[i]:offsets[i + 1]]``."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        array = column.combine_chunks()
        self.offsets: np.ndarray = array.offsets.to_numpy() if len(array) else np.zeros(1, dtype=np.int32)
        self.values: np.ndarray = array.values.to_numpy(zero_copy_only=False)

    def row(self, index: int) -> tuple[Any, ...]:
        """Return one row's list."""
        return tuple(self.values[self.offsets[index] : self.offsets[index + 1]].tolist())


class _Likelihoods(Sequence[Likelihood | None]):
    """The reference's likelihood of each example, built when asked for: tokens of large runs fill gigabytes as objects."""

    def __init__(self, table: pa.Table, examples: Sequence[Example], item: str) -> None:
        row_of = _rows(table, "likelihood", item)
        kinds, reasons = table["kind"].to_pylist(), table["reason"].to_pylist()
        rows = [row_of.get((example.id, item), -1) for example in examples]
        self.rows = [row if row >= 0 and kinds[row] is not None else -1 for row in rows]
        self.reasons: list[str | None] = [
            None if there >= 0 else (reasons[row] if row >= 0 else None) or NO_EVIDENCE
            for there, row in zip(self.rows, rows, strict=True)
        ]
        self._ids, self._logprobs, self._starts, self._top = (
            _ListColumn(table[name]) for name in _LIKELIHOOD_COLUMNS[:4]
        )
        self._n_bytes: list[int] = table["n_bytes"].to_pylist()

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Likelihood | None: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Likelihood | None]: ...
    def __getitem__(self, index: int | slice) -> Likelihood | None | Sequence[Likelihood | None]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        row = self.rows[index]
        if row < 0:
            return None
        ids, logprobs, starts, top = self._ids, self._logprobs, self._starts, self._top
        return Likelihood(ids.row(row), logprobs.row(row), starts.row(row), top.row(row), self._n_bytes[row])

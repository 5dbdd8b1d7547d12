"""Turn planned batches into evidence: shared tokens where the model allows it, fewer rows at a time where memory gives out."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import torch

from core.data.prompt import PromptRenderer
from core.engine import heads, seq2seq
from core.engine.device import give_back_memory
from core.engine.evidence import generated_evidence, scored_evidence
from core.engine.generate import generate_rows
from core.engine.models import Models
from core.engine.preflight import sharing_agrees
from core.engine.score import ContinuationScore, score_rows
from core.engine.states import HeaderStates, encode_header
from core.engine.stream import Answers, BatchedAnswers, Stream
from core.engine.virtual import PrefixedModel
from core.plan import CPU_BATCH_TOKENS, ROWS_GENERATING, TOKENS_HELD, Batch, Part
from core.records import Evidence
from core.requests import GenerateRequest, HeadRequest, ScoreRequest
from core.spec import Settings
from core.tree import Header

_NO_ROOM = "not enough memory for this example alone"
_T = TypeVar("_T")


class Observer:
    """Asks models what parts of a plan want to know; remembers what memory allows."""

    def __init__(
        self, models: Models, settings: Settings, renderer: PromptRenderer, warn: Callable[[str], None]
    ) -> None:
        """Take the models, how they answer, and who is told when memory gives out."""
        self.models, self.settings, self.renderer, self.warn = models, settings, renderer, warn
        self._shared: bool | None = None
        self._room: int | None = None
        """The most tokens that are scored at a time since memory gave out; None is what the plan says."""
        self._height: int | None = None
        """The most rows that are answered side by side since memory gave out."""
        self._states_of: tuple[str, Header, HeaderStates] | None = None

    def observe(self, model: Any, variant: str, part: Part) -> Iterator[Evidence]:
        """Yield the evidence of one part, in the order of its requests."""
        for batch in part.batches:
            generating = [request for request in batch.requests if isinstance(request, GenerateRequest)]
            if generating:
                yield from self._generate(model, variant, generating, batch, part.header)
                continue
            for rows in self._affordable(batch):
                if batch.kind == "head":
                    yield from self._classify(model, variant, rows)
                    continue
                scored = [[request for request in row if isinstance(request, ScoreRequest)] for row in rows]
                yield from self._score(model, variant, scored, part.header)

    def decide(self, question: ScoreRequest | GenerateRequest) -> bool:
        """Tell whether rows share tokens: by architecture, and by asking the baseline both ways, once."""
        if self._shared is None:
            self._shared = self.models.trees and sharing_agrees(self.models, question.prompt, self.renderer)
            if self.models.trees and not self._shared:
                self.warn(
                    "This model's scores in shared rows differ from scores in rows of their own; each goes alone, more slowly."
                )
        return self._shared

    def _shares(self, model: Any, question: ScoreRequest | GenerateRequest) -> bool:
        # Virtual tokens stand before every row of its own.
        return self.decide(question) and not isinstance(model, PrefixedModel)

    def _states(self, model: Any, variant: str, header: Header | None) -> HeaderStates | None:
        """Return the keys and values of a header, computed once for the variant that is on."""
        if header is None:
            return None
        if self._states_of is None or self._states_of[:2] != (variant, header):
            self._states_of = (variant, header, encode_header(model, header, self.models.device))
        # Undefined numbers go through any mask: below such a header no row would be without them.
        return self._states_of[2] if self._states_of[2].finite else None

    def forget(self) -> None:
        """Let go of what was computed for the variant that is on: another one comes."""
        self._states_of = None

    def _within_memory(self, work: Callable[[], _T]) -> _T | None:
        """Return what some work gives; None if memory does not suffice for it."""
        try:
            return work()
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
        self.forget()  # outside the except block, whose traceback would keep the tensors alive
        gc.collect()
        if self.models.device.type == "cuda":
            torch.cuda.empty_cache()
        return None

    def _no_room(self, variant: str, request: ScoreRequest | GenerateRequest | HeadRequest) -> Evidence:
        self.warn(f"{variant}: {request.task}/{request.example_id}: {_NO_ROOM}; it has no value.")
        return Evidence(request.task, variant, request.example_id, request.item, reason=_NO_ROOM)

    def _affordable(self, batch: Batch) -> Iterator[Sequence[tuple[Any, ...]]]:
        """Yield the rows of a batch together, or fewer at a time where memory has given out before."""
        height = len(batch.rows) if self._room is None else len(batch.rows) * self._room // max(batch.tokens, 1)
        height = min(max(1, height), len(batch.rows))
        for first in range(0, len(batch.rows), height):
            yield batch.rows[first : first + height]

    def _score(
        self, model: Any, variant: str, rows: Sequence[Sequence[ScoreRequest]], header: Header | None
    ) -> Iterator[Evidence]:
        """Score rows together, or in halves when memory does not suffice."""
        found = self._within_memory(lambda: self._scores(model, variant, rows, header))
        if found is not None:
            for row, scores in zip(rows, found, strict=True):
                start = 0
                for request in row:
                    stop = start + len(request.continuations)
                    yield scored_evidence(request, variant, scores[start:stop])
                    start = stop
            return
        if len(rows) == 1:
            yield from (self._no_room(variant, request) for request in rows[0])
            return
        half = len(rows) // 2
        self._room = max(1, half * max(sum(len(request.prompt) for request in row) for row in rows))
        self.warn(f"{variant}: out of memory with {len(rows)} rows; going on with {half} at a time.")
        yield from self._score(model, variant, rows[:half], header)
        yield from self._score(model, variant, rows[half:], header)

    def _scores(
        self, model: Any, variant: str, rows: Sequence[Sequence[ScoreRequest]], header: Header | None
    ) -> list[list[ContinuationScore]]:
        if self.models.seq2seq:
            return seq2seq.score_rows(model, rows, self.models.device)
        if not self._shares(model, rows[0][0]):
            return score_rows(model, rows, self.models.device, trees=False)
        states = self._states(model, variant, header)
        return score_rows(model, rows, self.models.device, trees=True, states=states)

    def _classify(self, model: Any, variant: str, rows: Sequence[tuple[HeadRequest, ...]]) -> Iterator[Evidence]:
        """Ask a head about texts together, or about half of them at a time when memory does not suffice."""
        found = self._within_memory(lambda: list(heads.observe_rows(model, variant, rows, self.models.device)))
        if found is not None:
            yield from found
            return
        if len(rows) == 1:
            yield from (self._no_room(variant, request) for request in rows[0])
            return
        half = len(rows) // 2
        self._room = max(1, half * max(len(row[0].prompt) for row in rows))
        self.warn(f"{variant}: out of memory with {len(rows)} rows; going on with {half} at a time.")
        yield from self._classify(model, variant, rows[:half])
        yield from self._classify(model, variant, rows[half:])

    def _generate(
        self, model: Any, variant: str, requests: Sequence[GenerateRequest], batch: Batch, header: Header | None
    ) -> Iterator[Evidence]:
        """Answer prompts, half as many at a time when memory does not suffice; what is answered by then is kept."""
        answers = self._answers(model, requests)
        header = header if isinstance(answers, Stream) else None
        height = min(batch.side_by_side or len(requests), self._height or len(requests))
        without: dict[int, Evidence] = {}
        while answers.waiting:
            if self._within_memory(lambda: self._answer(answers, model, variant, height, header)) is not None:  # noqa: B023
                break
            if height == 1:
                place = answers.waiting[0]
                without[place] = self._no_room(variant, requests[place])
                answers.leave_out(place)
                continue
            self._height = height = height // 2
            self.warn(f"{variant}: out of memory with {height * 2} rows; going on with {height} at a time.")
        for place, request in enumerate(requests):
            yield without.get(place) or generated_evidence(request, variant, answers.found[place])

    def _answers(self, model: Any, requests: Sequence[GenerateRequest]) -> Answers:
        own = requests[0].temperature  # a batch has one temperature
        settings = self.settings if own is None else self.settings.model_copy(update={"temperature": own})
        given = {"stop_ids": self.renderer.stop_ids, "decode": self.renderer.decode}
        if self.models.seq2seq:
            return BatchedAnswers(requests, settings, answer=seq2seq.generate_rows, **given)
        if self._shares(model, requests[0]):
            return Stream(requests, settings, **given)
        return BatchedAnswers(requests, settings, answer=generate_rows, **given)

    def _answer(self, answers: Answers, model: Any, variant: str, height: int, header: Header | None) -> bool:
        states = self._states(model, variant, header)
        tokens = max(1, CPU_BATCH_TOKENS * height // ROWS_GENERATING)
        room = TOKENS_HELD * height // ROWS_GENERATING
        answers.go(model, self.models.device, side_by_side=height, tokens=tokens, room=room, states=states)
        give_back_memory()
        return True


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(
        words in str(error) for words in ("can't allocate memory", "out of memory", "ALLOC_FAILED")
    )

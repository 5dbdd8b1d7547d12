"""The job that has each variant's answers read by another variant: the log-likelihood of every token that was generated.

The prompt is the one that was asked, and the answer's own tokens are its continuation. Every example is put through the model in
rows of its own, so that it gets the same numbers to the last bit whether it is read alone or with all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from tokenizers.decoders import DecodeStream

from core.cross.kept import CrossRequest, known_cells, read_cross_request, save_readings
from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.evidence_cache import EvidenceCache, evidence_folder
from core.jobs.progress import Progress
from core.jobs.run_models import RunModels
from core.plan import CPU_BATCH_TOKENS, Batch, Part, tree_size
from core.records import Evidence, Example, Generation
from core.requests import Continuation, ScoreRequest
from core.store import Run, evidence_from_row, evidence_table

if TYPE_CHECKING:
    from core.engine.session import Session

_NO_ANSWER = "there is no answer to read"


def cross_likelihood(folder: Path) -> None:
    """Read what the request in ``folder`` names, and keep the readings beside it.

    Raises:
        InputError: the run has nothing of the kind, or its models are gone or have changed.
        OSError: the folder cannot be written; what was read is kept in the cache.
    """
    request = read_cross_request(folder)
    progress = Progress(folder, total=0)
    try:
        _Reading(folder, request, progress).go()
    except BaseException:
        progress.stop()
        raise
    progress.finish(state="finished", message="Read.")


@dataclass(frozen=True)
class _Answers:
    """What was generated: by example, then by writer."""

    examples: tuple[Example, ...]
    found: Mapping[tuple[str, str], Evidence]


class _Reading:
    """One request being worked on."""

    def __init__(self, folder: Path, request: CrossRequest, progress: Progress) -> None:
        self.folder, self.request, self.progress = folder, request, progress
        self.run = Run(request.run)
        self.readers = (request.reference, *request.variants)
        self.answers = _answers(self.run, request, self.readers)
        self.models = RunModels(self.run, self.readers)
        self.budget = self.models.environment.get("batch_tokens") or CPU_BATCH_TOKENS
        self.session: Session | None = None

    def go(self) -> None:
        """Read, reader by reader; what was read before is found and not read again."""
        todo = {reader: list(self._missing(reader)) for reader in self.readers}
        self.progress.set(total=sum(part.asked for parts in todo.values() for part in parts), state="running")
        renderer = self.models.renderer
        cache = EvidenceCache(
            evidence_folder(self.models.workspace.folder), self.run.spec.settings, renderer.fingerprint, renderer.stop_ids,
            base_name=self.run.spec.models.base.path, warn=self.progress.warn,
        )  # fmt: skip
        for reader, parts in todo.items():
            gone = self._without_answer(reader)
            if parts or gone:
                tables = [*self._read(reader, parts, cache), evidence_table(gone)]
                save_readings(self.folder, reader, pa.concat_tables(tables))

    def _cells(self, reader: str) -> Iterator[tuple[Example, list[str]]]:
        """Yield each example with the writers whose answers this reader has not read."""
        known = known_cells(self.folder, reader)
        for example in self.answers.examples:
            writers = [name for name in self.request.writers(reader) if (example.id, name) not in known]
            if writers:
                yield example, writers

    def _without_answer(self, reader: str) -> list[Evidence]:
        found = self.answers.found
        return [
            Evidence(self.request.task, reader, example.id, writer, reason=_why_not(found.get((example.id, writer))))
            for example, writers in self._cells(reader)
            for writer in writers
            if _generation(found.get((example.id, writer))) is None
        ]

    def _missing(self, reader: str) -> Iterator[Part]:
        """Yield one part for each example that has anything left to read."""
        spec, renderer = self.run.spec.tasks[self.request.task], self.models.renderer
        for example, writers in self._cells(reader):
            ids = renderer.encode(example.prompt, special=spec.is_plain).ids
            prompt = (ids or renderer.start_ids) if spec.is_plain else ids
            requests = []
            for writer in writers:
                answer = _generation(self.answers.found.get((example.id, writer)))
                if answer is not None:
                    told = written(answer, renderer)
                    requests.append(ScoreRequest(self.request.task, example.id, writer, "likelihood", prompt, (told,)))
            if requests:
                yield Part(0, tuple(_batches(requests, self.budget)))

    def _read(self, reader: str, parts: Sequence[Part], cache: EvidenceCache) -> list[pa.Table]:
        identity = self.models.identity(reader)
        tables, missing = [], []
        for part in parts:
            table = cache.get(identity, part, reader)
            if table is None:
                missing.append(part)
                continue
            tables.append(table)
            self.progress.advance(part.asked, reused=part.asked)
        if not missing:
            return tables
        session = self._loaded()
        with session.models.variant(reader) as model:
            for part in missing:
                self.progress.set(variant=reader, message=f"{reader} reads")
                notes = len(self.progress.status.warnings)
                table = evidence_table(session.observe(model, reader, part))
                if len(self.progress.status.warnings) == notes and table["reason"].null_count == table.num_rows:
                    cache.put(identity, part, table)
                tables.append(table)
                self.progress.advance(part.asked, tokens=part.tokens)
        return tables

    def _loaded(self) -> Session:
        if self.session is None:
            self.progress.set(message="Loading the base model and its adapters")
            self.session = self.models.session(self.progress.warn)
        return self.session


def written(answer: Generation, renderer: PromptRenderer) -> Continuation:
    """Return a generated answer as a continuation: its own tokens, each with the character of its text at which it starts.

    Tokens that show no text (the end of the turn, and what a stop sequence cut off) start at the text's length. The bytes of one
    character that is cut into several tokens start where it does.
    """
    stream, text, starts = DecodeStream(skip_special_tokens=False), "", []
    for token in answer.token_ids:
        starts.append(min(len(text), len(answer.text)))
        text += "" if token in renderer.left_out else stream.step(renderer.tokenizer, token) or ""
    return Continuation(answer.text, answer.token_ids, tuple(starts), len(answer.text.encode()))


def _answers(run: Run, request: CrossRequest, writers: Sequence[str]) -> _Answers:
    of_task = [example for example in run.examples if example.task == request.task]
    if request.examples is not None:
        by_id = {example.id: example for example in of_task}
        if unknown := [name for name in request.examples if name not in by_id]:
            raise InputError(f"run {run.id}: the task {request.task!r} has no example {unknown[0]!r}.")
        of_task = [by_id[name] for name in dict.fromkeys(request.examples)]
    wanted = {example.id for example in of_task}
    found = {}
    for writer in writers:
        for row in run.evidence(task=request.task, variant=writer).to_pylist():
            if row["example_id"] in wanted and row["kind"] in ("generation", None) and not row["item"]:
                found[row["example_id"], writer] = evidence_from_row(row)
    return _Answers(tuple({example.id: example for example in of_task}.values()), found)


def _generation(piece: Evidence | None) -> Generation | None:
    return piece.generation if piece is not None and piece.generation and piece.generation.token_ids else None


def _why_not(piece: Evidence | None) -> str:
    return _NO_ANSWER if piece is None else piece.reason or _NO_ANSWER


def _batches(requests: Sequence[ScoreRequest], budget: int) -> Iterator[Batch]:
    """Yield rows of one example: answers share a row, and with it their prompt, as long as it stays within the budget."""
    row: list[ScoreRequest] = []
    for request in requests:
        if row and tree_size([*row, request]) > budget:
            yield Batch("score", (tuple(row),), tree_size(row))
            row = []
        row.append(request)
    yield Batch("score", (tuple(row),), tree_size(row))

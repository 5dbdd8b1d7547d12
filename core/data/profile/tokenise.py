"""Measure every row in tokens: in batches on all cores, with progress, kept on disk for the same file and tokenizer."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from core.data.profile.lengths import LINES_KEPT, Lengths, RoleTokens, Unrendered
from core.data.profile.progress import Progress, report
from core.data.profile.rendered import Rendered, render_row
from core.data.profile.view import RowView
from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.paths import cache_folder
from core.store import write_atomically

ROWS_A_BATCH = 256
CHARACTERS_A_BATCH = 2_000_000
VERSION = 1
"""Of what is kept on disk; raise it when a row would be rendered in another way."""


def token_lengths(
    rows: Iterable[RowView], renderer: PromptRenderer, *, file_hash: str | None = None, progress: Progress | None = None
) -> Lengths:
    """Return the length of every row in tokens, as training sees it.

    Args:
        rows: the rows of a file; they are not read where the answer is kept on disk.
        renderer: the model's tokenizer and chat template.
        file_hash: SHA-256 of the file: with it the answer is kept in the cache folder, and found there the next time.
        progress: told the rows done after each batch.

    Raises:
        Cancelled: ``progress`` asked to stop; nothing is kept.
    """
    path = _kept(file_hash, renderer) if file_hash else None
    if path is not None and (found := _load(path)) is not None:
        return found
    tally = _Tally()
    for batch in _batches(iter(rows)):
        tally.add(batch, renderer)
        report(progress, "token lengths", len(tally.totals))
    lengths = tally.result(renderer.fingerprint)
    if path is not None:
        write_atomically(path, _bytes(lengths))
    return lengths


def _batches(rows: Iterator[RowView]) -> Iterator[list[RowView]]:
    """Yield rows in batches; a batch ends early where its texts are long, so that its memory is bounded."""
    while first := list(islice(rows, 1)):
        batch, characters = first, len(first[0].text)
        while len(batch) < ROWS_A_BATCH and characters < CHARACTERS_A_BATCH:
            row = next(rows, None)
            if row is None:
                break
            batch.append(row)
            characters += len(row.text)
        yield batch


@dataclass
class _Tally:
    lines: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    prompts: list[int] = field(default_factory=list)
    role_tokens: Counter[str] = field(default_factory=Counter)
    role_turns: Counter[str] = field(default_factory=Counter)
    notes: dict[str, None] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)
    n_refused: int = 0
    reason: str = ""

    def add(self, batch: list[RowView], renderer: PromptRenderer) -> None:
        rendered: list[tuple[int, Rendered]] = []
        for row in batch:
            try:
                rendered.append((row.line, render_row(row, renderer)))
            except InputError as error:
                self.n_refused += 1
                self.refused += [row.line] if len(self.refused) < LINES_KEPT else []
                self.reason = self.reason or str(error)
        for plain in (False, True):
            group = [(line, one) for line, one in rendered if one.plain == plain]
            texts = [one.text for _, one in group]
            encodings = renderer.tokenizer.encode_batch(texts, add_special_tokens=plain) if texts else []
            for (line, one), encoding in zip(group, encodings, strict=True):
                self._count(line, one, encoding)

    def _count(self, line: int, one: Rendered, encoding: Any) -> None:
        starts = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)[:, 0]
        own = np.array(encoding.special_tokens_mask, dtype=bool) if one.plain else np.zeros(len(starts), dtype=bool)
        self.lines.append(line)
        self.totals.append(len(starts))
        if one.completion_start is None:
            self.prompts.append(-1)
        else:
            self.prompts.append(
                int(np.count_nonzero((starts < one.completion_start) & ~own) + np.count_nonzero(own[:1]))
            )
        words = 0
        for span in one.spans:
            inside = int(np.count_nonzero((starts >= span.start) & (starts < span.end) & ~own))
            self.role_tokens[span.role] += inside
            self.role_turns[span.role] += 1
            words += inside
        self.role_tokens["template"] += len(starts) - words
        self.notes.update(dict.fromkeys(one.notes))

    def result(self, fingerprint: str) -> Lengths:
        tokens = sum(self.totals)
        roles = tuple(
            RoleTokens(role, count, count / tokens if tokens else 0.0, self.role_turns[role],
                       count / self.role_turns[role] if self.role_turns[role] else None)
            for role, count in self.role_tokens.most_common(20)
        )  # fmt: skip
        return Lengths(
            np.array(self.lines, dtype=np.int32), np.array(self.totals, dtype=np.int32), np.array(self.prompts, dtype=np.int32),
            roles, Unrendered(self.n_refused, self.reason, tuple(self.refused)), tuple(self.notes), fingerprint,
        )  # fmt: skip


def _kept(file_hash: str, renderer: PromptRenderer) -> Path:
    ends = json.dumps(
        [VERSION, file_hash, renderer.fingerprint, renderer.special("bos_token"), renderer.special("eos_token")]
    )
    return cache_folder() / "lengths" / f"{hashlib.sha256(ends.encode()).hexdigest()}.npz"


def _bytes(lengths: Lengths) -> bytes:
    rest = {
        "roles": [asdict(role) for role in lengths.roles], "unrendered": asdict(lengths.unrendered),
        "notes": lengths.notes, "tokenizer": lengths.tokenizer,
    }  # fmt: skip
    sink = io.BytesIO()
    np.savez_compressed(
        sink, lines=lengths.lines, totals=lengths.totals, prompts=lengths.prompts,
        rest=np.frombuffer(json.dumps(rest).encode(), dtype=np.uint8),
    )  # fmt: skip
    return sink.getvalue()


def _load(path: Path) -> Lengths | None:
    """Return what is kept; None where nothing is, or what is there cannot be read (it is made again then)."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            rest = json.loads(kept["rest"].tobytes())
            refused = rest["unrendered"] | {"lines": tuple(rest["unrendered"]["lines"])}
            return Lengths(
                kept["lines"], kept["totals"], kept["prompts"], tuple(RoleTokens(**role) for role in rest["roles"]),
                Unrendered(**refused), tuple(rest["notes"]), rest["tokenizer"],
            )  # fmt: skip
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None

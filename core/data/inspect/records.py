"""What an inspection of a dataset says: faults with their lines, the format and the stage it suits, counts and lengths.

Everything here is frozen and can be written as JSON (``dataclasses.asdict``). Faults are of format alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """One breach of the format at one place."""

    line: int
    """1-based line of the file (JSONL, CSV), else the 1-based item (a JSON list) or row (Parquet, Arrow)."""
    column: int | None
    """1-based character of the line where JSON is broken, else None."""
    code: str
    """Stable and kebab-case, such as ``unknown-role``."""
    message: str
    found: str
    expected: str
    repair: str | None
    """What a safe repair would do, in words; None where there is none."""


@dataclass(frozen=True)
class FaultGroup:
    """All faults of one code."""

    code: str
    count: int
    first: tuple[Fault, ...]


@dataclass(frozen=True)
class FormatGuess:
    """The form of the rows, by content."""

    name: str
    """One of `FORMATS`."""
    confidence: float
    """0 to 1: the share of the sampled rows that have this form, less where a second form would read them too."""
    why: str
    stage: str
    """``pre-training``, ``supervised fine-tuning``, ``preference``, two of them joined by `` or ``, or ``unknown``."""
    stage_reason: str
    conversational: bool = False
    """Whether the turns are messages with roles, rather than plain texts."""


FORMATS: Mapping[str, str] = {
    "messages": "conversational SFT (`messages`)",
    "text": "text that is already rendered (`text`)",
    "plain-text": "plain text (`text`)",
    "prompt-only": "prompts alone (`prompt`)",
    "prompt-completion": "prompt and completion",
    "preference": "preference pairs (`prompt`, `chosen`, `rejected`)",
    "preference-implicit": "preference pairs with the prompt inside (`chosen`, `rejected`)",
    "unpaired-preference": "unpaired preference (`prompt`, `completion`, `label`)",
    "stepwise": "stepwise supervision (`prompt`, `completions`, `labels`)",
    "tool-calls": "conversational SFT with tool calls (`messages`)",
    "alpaca": "Alpaca (`instruction`, `input`, `output`)",
    "sharegpt": "ShareGPT (`conversations`)",
    "instruction-output": "instruction and output pairs",
    "unknown": "a form that no trainer reads",
}
"""The names of the formats, as TRL names them where it does, and what a person reads."""


@dataclass(frozen=True)
class LengthSummary:
    """Lengths in characters of the texts of a row; percentiles above 4,096 are exact to 1.6 %."""

    n: int
    total: int
    smallest: int
    largest: int
    mean: float
    percentiles: Mapping[str, int]
    """``p1``, ``p5``, ``p25``, ``p50``, ``p75``, ``p95``, ``p99``."""


@dataclass(frozen=True)
class Scan:
    """One inspected file."""

    path: Path
    sha256: str
    """Of the file's bytes; of a datasets folder, of the names and bytes of its data files."""
    n_bytes: int
    kind: str
    """How the bytes are laid out: ``jsonl``, ``json``, ``csv``, ``parquet`` or ``arrow``."""
    compression: str | None
    """``gzip`` or ``zstd``."""
    encoding: str
    """``utf-8``, ``utf-8 with BOM``, or ``not utf-8`` where some line is not; ``binary`` for Parquet and Arrow."""
    strict: bool
    rows: int
    """Rows that could be read, with or without faults."""
    lines: int
    """Lines of a text file; equal to ``rows`` for the other kinds."""
    blank_lines: int
    format: FormatGuess
    fault_counts: Mapping[str, int]
    faulty_lines: int
    faults: tuple[Fault, ...]
    """In the order of lines, the first `FAULTS_KEPT` of the file; all of them where there are no more."""
    fault_groups: tuple[FaultGroup, ...]
    """Every code with its count and its first examples, most frequent first."""
    faults_file: Path | None
    """JSON Lines with all faults, where there are more than ``faults`` holds."""
    fields: Mapping[str, Mapping[str, int]]
    """Field name -> JSON type -> number of rows."""
    characters: LengthSummary | None
    """Per row, over the texts of its form; None where no row has one."""
    role_counts: Mapping[str, int]
    role_characters: Mapping[str, int]
    turns: Mapping[int, int]
    """Number of messages in a conversation -> number of conversations."""
    system_prompts: tuple[tuple[str, int], ...]
    """The most frequent system prompts (cut to 500 characters) with the number of conversations."""

    @property
    def fault_total(self) -> int:
        """The number of faults in the file."""
        return sum(self.fault_counts.values())


FAULTS_KEPT = 10_000
"""So many faults are held in memory; all of them stand in ``Scan.faults_file`` where there are more."""
FIRST_OF_GROUP = 5
"""So many examples are kept of each code."""


@dataclass(frozen=True)
class Repair:
    """One change that a repaired copy has."""

    line: int
    code: str
    before: str
    after: str


@dataclass(frozen=True)
class RepairReport:
    """What a repaired copy changed, and what it left."""

    source: Path
    out: Path
    rows: int
    counts: Mapping[str, int]
    """Repairs by code: all of them."""
    repairs: tuple[Repair, ...]
    """The first 10,000 of them."""
    left: Mapping[str, int]
    """Faults by code that have no safe repair and stand in the copy as they were."""


@dataclass(frozen=True)
class ConvertReport:
    """What a conversion wrote."""

    source: Path
    out: Path
    from_format: str
    to_format: str
    rows: int


@dataclass(frozen=True)
class Turn:
    """One message of a conversation, or one part of a pair of texts; other keys of the message are left out."""

    role: str
    text: str

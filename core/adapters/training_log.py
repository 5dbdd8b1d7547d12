"""What a trainer noted while it trained: losses by step, evaluations, and its summary at the end.

transformers' Trainer writes three kinds of rows into ``trainer_state.json`` (``log_history``): a training step with ``loss``, an
evaluation with ``eval_...``, and one summary with ``train_loss``. (``train_runtime`` tells nothing: where tokens are counted every
row has it.) LLaMA-Factory writes ``trainer_log.jsonl``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATE = "trainer_state.json"
LINES = "trainer_log.jsonl"
_LIMIT_BYTES = 200_000_000
_FOREIGN = {"current_steps": "step", "lr": "learning_rate"}
"""LLaMA-Factory's names."""


@dataclass(frozen=True)
class LogRow:
    """One row of a log."""

    step: int
    values: Mapping[str, float | None]
    """By the trainer's own names, ``epoch`` included; None is what was not a finite number."""


@dataclass(frozen=True)
class TrainingLog:
    """A training's log; empty where there is none."""

    source: str = ""
    """The file it was read from, relative to the adapter's folder."""
    train: tuple[LogRow, ...] = ()
    """Of training steps, steps rising."""
    evaluations: tuple[LogRow, ...] = ()
    """Steps rising; several evaluation sets of one step share a row."""
    summary: Mapping[str, float | None] | None = None
    state: Mapping[str, Any] | None = None
    """What trainer_state.json says beside its log: ``global_step``, ``best_metric`` and so on."""
    seconds: float | None = None
    """The longest ``train_runtime`` of any row: some versions note it with every step, as it grows."""

    @property
    def best_evaluation(self) -> LogRow | None:
        """The evaluation with the lowest ``eval_loss``, the first of several; None without one."""
        losses = [row for row in self.evaluations if row.values.get("eval_loss") is not None]
        return min(losses, key=lambda row: row.values["eval_loss"] or 0.0, default=None)

    @property
    def last_evaluation(self) -> LogRow | None:
        """The last evaluation that has an ``eval_loss``; None without one."""
        return next((row for row in reversed(self.evaluations) if row.values.get("eval_loss") is not None), None)

    def __bool__(self) -> bool:
        """Whether there is any row."""
        return bool(self.train or self.evaluations or self.summary)


def read_training_log(folder: Path) -> tuple[TrainingLog, tuple[str, ...]]:
    """Return the log of the training that left an adapter in ``folder``, and what is odd about it, each a sentence.

    The adapter's own trainer_state.json counts first, then that of its last checkpoint (TRL's save_model writes none of its
    own), then trainer_log.jsonl. What cannot be read is said, and the next one is tried.
    """
    notes: list[str] = []
    for path in _state_files(folder):
        state = _read_state(path, str(path.relative_to(folder)), notes)
        if state is not None:
            listed = state.get("log_history")
            rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
            beside = {key: value for key, value in state.items() if key != "log_history"}
            return _sorted_rows(rows, str(path.relative_to(folder)), beside, notes), tuple(notes)
    path = folder / LINES
    if path.is_file():
        return _sorted_rows(_read_lines(path, notes), LINES, None, notes), tuple(notes)
    return TrainingLog(), tuple(notes)


def _state_files(folder: Path) -> list[Path]:
    checkpoints = [path for path in folder.glob(f"checkpoint-*/{STATE}") if path.parent.name[11:].isdecimal()]
    checkpoints.sort(key=lambda path: int(path.parent.name[11:]), reverse=True)
    own = folder / STATE
    return [own, *checkpoints] if own.is_file() else checkpoints


def _read_state(path: Path, name: str, notes: list[str]) -> dict[str, Any] | None:
    try:
        if path.stat().st_size > _LIMIT_BYTES:
            raise ValueError(f"{path.stat().st_size:,} bytes")
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
    except json.JSONDecodeError as error:
        told = "is not valid JSON" if error.doc.rstrip().endswith("}") else "is cut off in the middle"
        notes.append(
            f"{name} cannot be read: it {told} (line {error.lineno}, {error.msg[:1].lower()}{error.msg[1:]}), so its training curves are "
            "missing. Copy the file again."
        )
        return None
    except (OSError, ValueError, RecursionError) as error:
        notes.append(f"{name} cannot be read ({error}); its training curves are missing. Copy the file again.")
        return None
    if not isinstance(content, dict):
        notes.append(f"{name}: found {type(content).__name__}, expected an object with log_history; it is left out.")
        return None
    return content


def _read_lines(path: Path, notes: list[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        notes.append(f"{path.name} cannot be read ({error}); its training curves are missing. Copy the file again.")
        return []
    broken = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError):
            broken.append(number)
            continue
        if isinstance(row, dict):
            rows.append({_FOREIGN.get(str(key), str(key)): value for key, value in row.items()})
    if broken:
        notes.append(
            f"{path.name}: {_listed('line', broken)} cannot be read as JSON and {'is' if len(broken) == 1 else 'are'} left out."
        )
    return rows


def _sorted_rows(
    rows: Iterable[dict[str, Any]], source: str, state: dict[str, Any] | None, notes: list[str]
) -> TrainingLog:
    train: list[LogRow] = []
    evaluations: list[LogRow] = []
    summary: Mapping[str, float | None] | None = None
    odd: dict[str, list[int]] = {}
    seconds: list[float] = []
    replaced = step = 0
    for row in rows:
        noted = row.get("step", step)  # a row that names no step belongs to the last one
        step = noted if isinstance(noted, int) and not isinstance(noted, bool) else step
        values = _values(row, step, odd)
        seconds += [value for name, value in values.items() if name == "train_runtime" and value is not None]
        if "train_loss" in values:
            summary = values
        elif any(name.startswith("eval_") for name in values):
            replaced += _put(evaluations, LogRow(step, values), may_repeat=True)
        elif "loss" in values:
            replaced += _put(train, LogRow(step, values))
    for name, steps in odd.items():
        notes.append(
            f"{source}: {name} is not a number at {_listed('step', steps)}: the training diverged or overflowed there."
        )
    if replaced:
        are = "1 row is" if replaced == 1 else f"{replaced:,} rows are"
        notes.append(f"{source}: {are} of steps that were trained again, as after a resume; the later ones are shown.")
    return TrainingLog(source, tuple(train), tuple(evaluations), summary, state, max(seconds, default=None))


def _values(row: Mapping[str, Any], step: int, odd: dict[str, list[int]]) -> dict[str, float | None]:
    values: dict[str, float | None] = {}
    for name, value in row.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or name == "step":
            continue
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        values[name] = number if math.isfinite(number) else None
        if values[name] is None:
            odd.setdefault(name, []).append(step)
    return values


def _put(rows: list[LogRow], row: LogRow, may_repeat: bool = False) -> int:
    """Append a row; rows of this step and later ones were trained again and give way. Returns how many did.

    With ``may_repeat`` a second row of one step counts for nothing: trainers evaluate once more at the end.
    """
    if rows and rows[-1].step == row.step and not (set(rows[-1].values) & set(row.values) - _SHARED):
        rows[-1] = LogRow(row.step, {**rows[-1].values, **row.values})
        return 0
    gone = 0
    while rows and rows[-1].step >= row.step:
        gone += rows.pop().step > row.step or not may_repeat
    rows.append(row)
    return gone


_SHARED = frozenset({"epoch", "train_runtime", "num_input_tokens_seen", "num_tokens", "train_tokens_per_second"})
"""What two evaluation sets of one step both note."""


def _listed(noun: str, numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"{noun} {numbers[0]}"
    more = f" and {len(numbers) - 3:,} more" if len(numbers) > 3 else ""
    return f"{noun}s {', '.join(map(str, numbers[:3]))}{more}"

"""Guess the tasks of a data file from the form of its rows: conversations, prompt and answer, plain text, labels.

A guess is a start for a person to edit, and says what it left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.data.rows import Row, field_names
from core.errors import InputError
from core.spec import TaskSpec

PAIRS = (
    ("prompt", "completion"), ("prompt", "response"), ("instruction", "output"), ("instruction", "response"),
    ("question", "answer"), ("input", "output"),
)  # fmt: skip
"""Fields that hold a request and its answer, as the usual trainers name them."""
LABEL_FIELDS = ("label", "category", "class", "intent", "sentiment")
LANGUAGE_FIELDS = ("language", "lang")
REPLY_METRICS = ("bleu", "chrf", "rouge_l", "exact_match", "perplexity", "bits_per_byte")
_ROLES = {"human": "user", "gpt": "assistant", "bing": "assistant", "chatgpt": "assistant"}
_LABELS = range(2, 21)
_LABEL_LENGTH = 40
_ANY = "data"


@dataclass(frozen=True)
class GuessedData:
    """What the rows seem to be for."""

    tasks: dict[str, TaskSpec]
    """Their ``dataset`` is a placeholder for the caller to fill in."""
    flat_rows: list[dict[str, Any]] | None
    """Rows with the fields that the tasks name; None where the file has them itself."""
    language: str | None
    tags: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the flat rows."""
        return tuple(dict.fromkeys(name for row in self.flat_rows or () for name in row))


@dataclass
class _Turns:
    """Conversations cut into request and answer."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    systems: set[str] = field(default_factory=set)
    without_answer: list[str] = field(default_factory=list)
    with_history: int = 0


def guess_tasks(path: Path, rows: Sequence[Row]) -> GuessedData:
    """Return the tasks that fit the rows; ``path`` is for messages alone.

    Raises:
        InputError: the rows have none of the known forms; their fields are listed.
    """
    names = field_names(rows)
    everywhere = {name for name in names if all(row.fields.get(name) is not None for row in rows)}
    language = next((name for name in LANGUAGE_FIELDS if name in everywhere), None)
    label = next((name for name in LABEL_FIELDS if name in everywhere and _closed_set(rows, name)), None)
    tags = tuple(name for name in (label,) if name)
    for conversation in ("messages", "conversations"):
        if conversation in everywhere:
            return _from_conversations(path, rows, conversation, language, label)
    for ask, answer in PAIRS:
        if {ask, answer} <= everywhere:
            return _from_pairs(path, rows, ask, answer, language, label)
    if "text" in everywhere:
        tasks = {"text": _likelihood_task("text")}
        if label:
            tasks |= {label: _label_task(rows, label, "text")}
        return GuessedData(tasks, None, language, tags)
    raise InputError(
        f"{path}: the rows have the fields {', '.join(map(repr, names))}, and none of the forms that can be guessed: messages, "
        f"{', '.join(' and '.join(pair) for pair in PAIRS)}, text. Rename the fields, or write workspace.yaml by hand."
    )


def _from_conversations(
    path: Path, rows: Sequence[Row], name: str, language: str | None, label: str | None
) -> GuessedData:
    """The last user's turn asks, the last assistant's answers; a system message that all rows share goes into the task."""
    kept = [key for key in ("id", language, label) if key]
    turns = _Turns()
    for row in rows:
        _cut(turns, row, _messages(path, row, row.fields[name]), kept)
    if not turns.rows:
        raise InputError(f"{path}: no conversation ends with an answer of the assistant; expected one in {name!r}.")
    if turns.with_history and not turns.without_answer and not label and _as_templates_take(rows, name):
        return _whole_conversations(name, language)
    notes = []
    if turns.without_answer:
        notes.append(
            f"{len(turns.without_answer)} rows have no answer after the last question and were left out ({turns.without_answer[0]} first)."
        )
    if turns.with_history:
        notes.append(f"{turns.with_history} conversations have earlier turns, which the prompt leaves out.")
    system = next(iter(turns.systems)) if len(turns.systems) == 1 else None
    prompt = "{prompt}"
    if len(turns.systems) > 1:
        prompt = "{system}\n\n{prompt}"
        notes.append(
            f"The rows have {len(turns.systems)} different system messages: they were put in front of the prompt."
        )
    return _reply_data(turns.rows, prompt, system, language, label, notes)


def _as_templates_take(rows: Sequence[Row], name: str) -> bool:
    """Tell whether a chat template can be given every row's conversation as it stands."""
    messages = [message for row in rows for message in row.fields[name]]
    return all(isinstance(message.get("content"), str) and isinstance(message.get("role"), str) for message in messages)


def _whole_conversations(name: str, language: str | None) -> GuessedData:
    """Return a task that asks with conversations of several turns, earlier ones included."""
    task = TaskSpec(dataset=_ANY, kind="generation", messages=name, reference=name, metrics=REPLY_METRICS)
    return GuessedData({"reply": task}, None, language, ())


def _cut(turns: _Turns, row: Row, messages: list[tuple[str, str]], kept: Iterable[str]) -> None:
    roles = [role for role, _ in messages]
    if "user" not in roles or roles[-1] != "assistant":
        turns.without_answer.append(row.place)
        return
    asked = len(roles) - 1 - roles[::-1].index("user")
    system = next((text for role, text in messages if role == "system"), "")
    turns.systems.add(system)
    turns.with_history += any(role in ("user", "assistant") for role in roles[:asked])
    carried = {key: row.fields[key] for key in kept if key in row.fields}
    turns.rows.append(carried | {"system": system, "prompt": messages[asked][1], "reference": messages[-1][1]})


def _messages(path: Path, row: Row, value: Any) -> list[tuple[str, str]]:
    """Return (role, text) of each turn; ShareGPT's ``from`` and ``value`` are read too, and the parts of a text joined."""
    if not isinstance(value, list) or not value:
        raise InputError(
            f"{path}, {row.place}: the conversation is {type(value).__name__}, expected a list of messages."
        )
    found = []
    for message in value:
        role = message.get("role", message.get("from")) if isinstance(message, dict) else None
        text = message.get("content", message.get("value")) if isinstance(message, dict) else None
        if isinstance(text, list):
            text = "".join(
                part.get("text", "") for part in text if isinstance(part, dict) and part.get("type") == "text"
            )
        if not isinstance(role, str) or not isinstance(text, str):
            raise InputError(
                f"{path}, {row.place}: found the message {str(message)[:60]}, expected one with 'role' and 'content'."
            )
        found.append((_ROLES.get(role, role), text))
    return found


def _from_pairs(
    path: Path, rows: Sequence[Row], ask: str, answer: str, language: str | None, label: str | None
) -> GuessedData:
    if isinstance(
        rows[0].fields[ask], list
    ):  # TRL's conversational prompt and completion: two halves of one conversation
        halves = [Row(row.place, row.fields | {"messages": _joined(row, ask, answer)}) for row in rows]
        return _from_conversations(path, halves, "messages", language, label)
    extra = "input" if ask == "instruction" and any(row.fields.get("input") for row in rows) else None
    if extra is None:
        tasks = {"reply": _reply_task(f"{{{ask}}}", None, answer)}
        if label:
            tasks |= {label: _label_task(rows, label, ask)}
        return GuessedData(tasks, None, language, tuple(filter(None, [label])))
    kept = [key for key in ("id", language, label) if key]
    flat = [
        {key: row.fields[key] for key in kept if key in row.fields}
        | {
            "prompt": "\n\n".join(filter(None, [str(row.fields[ask]), str(row.fields.get(extra) or "")])),
            "reference": row.fields[answer],
        }
        for row in rows
    ]
    return _reply_data(flat, "{prompt}", None, language, label, [f"{ask!r} and {extra!r} were joined into the prompt."])


def _joined(row: Row, ask: str, answer: str) -> list[Any]:
    given = row.fields[answer]
    return [*row.fields[ask], *(given if isinstance(given, list) else [{"role": "assistant", "content": given}])]


def _reply_data(
    flat: list[dict[str, Any]],
    prompt: str,
    system: str | None,
    language: str | None,
    label: str | None,
    notes: list[str],
) -> GuessedData:
    tasks = {"reply": _reply_task(prompt, system or None, "reference")}
    if label:
        tasks |= {label: _label_task([Row("", row) for row in flat], label, "prompt")}
    return GuessedData(tasks, flat, language, tuple(filter(None, [label])), tuple(notes))


def _reply_task(prompt: str, system: str | None, reference: str) -> TaskSpec:
    return TaskSpec(
        dataset=_ANY, kind="generation", system=system, prompt=prompt, reference=reference, metrics=REPLY_METRICS
    )


def _likelihood_task(name: str) -> TaskSpec:
    return TaskSpec(
        dataset=_ANY, kind="likelihood", template="none", reference=name, metrics=("perplexity", "bits_per_byte")
    )


def _label_task(rows: Sequence[Row], name: str, text: str) -> TaskSpec:
    labels = tuple(sorted({str(row.fields[name]) for row in rows}))
    prompt = f"{{{text}}}\n\nName the {name}: {', '.join(labels[:-1])} or {labels[-1]}."
    return TaskSpec(
        dataset=_ANY,
        kind="classification",
        prompt=prompt,
        options=labels,
        reference=name,
        metrics=("accuracy", "f1_macro"),
    )


def _closed_set(rows: Sequence[Row], name: str) -> bool:
    """Tell whether a field holds 2 to 20 short texts, each of them used more than once on average."""
    values = [row.fields[name] for row in rows]
    if not all(isinstance(value, str) and 0 < len(value) <= _LABEL_LENGTH for value in values):
        return False
    return len(set(values)) in _LABELS and len(values) >= 2 * len(set(values))

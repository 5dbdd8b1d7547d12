"""What TRL 1.16's SFTTrainer will make of a file, said before somebody trains for a night.

Read from its source (``trl/trainer/sft_trainer.py``, ``sft_config.py``); trl itself is not imported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from core.data.profile.lengths import Lengths
from core.data.profile.mask import prompt_tokens
from core.data.profile.rendered import render_row
from core.data.profile.trainer_options import Advice, Level, length_advice, loss_advice
from core.data.profile.trl_facts import (
    DEFAULT_MAX_LENGTH,
    MARKERS,
    READS,
    TRL,
    WRONG_TRAINER,
)
from core.data.profile.view import RowView
from core.data.prompt import PromptRenderer
from core.errors import InputError

_ROWS_TRIED = 200
_LINES_KEPT = 100


@dataclass
class TrainerScan:
    """Collects what the advice needs, row by row."""

    forms: Counter[str] = field(default_factory=Counter)
    first: RowView | None = None
    tried: list[RowView] = field(default_factory=list)
    other_lines: list[int] = field(default_factory=list)
    marked: dict[str, list[int]] = field(default_factory=dict)
    """Marks of chat templates in plain texts, and the lines."""
    inside: dict[str, list[int]] = field(default_factory=dict)
    """The same in the words of messages."""

    def add(self, row: RowView) -> None:
        """Read one row."""
        self.first = self.first or row
        self.forms[row.form] += 1
        if len(self.tried) < _ROWS_TRIED:
            self.tried.append(row)
        if row.form != self.first.form and len(self.other_lines) < _LINES_KEPT:
            self.other_lines.append(row.line)
        marked = self.marked if row.messages is None else self.inside
        for marker in _markers(row):
            lines = marked.setdefault(marker, [])
            if len(lines) < _LINES_KEPT:
                lines.append(row.line)

    def result(
        self,
        renderer: PromptRenderer | None = None,
        lengths: Lengths | None = None,
        max_length: int = DEFAULT_MAX_LENGTH,
    ) -> tuple[Advice, ...]:
        """Return what the trainer will do; what needs a tokenizer is left out without one."""
        if self.first is None:
            return ()
        found = [*self._form(self.first), *loss_advice(self.first, renderer)]
        if renderer is not None:
            found += [*self._tokens(self.first, renderer), *self._prefix(renderer)]
        if lengths is not None:
            found += length_advice(self.first, lengths, max_length)
        order: dict[Level, int] = {"stops": 0, "warning": 1, "note": 2}
        return tuple(sorted(found, key=lambda advice: order[advice.level]))

    def _form(self, first: RowView) -> Iterator[Advice]:
        if first.form in WRONG_TRAINER:
            yield Advice(
                "form-refused", "stops", f"{TRL}'s SFTTrainer does not read this form. {WRONG_TRAINER[first.form]}"
            )
        if first.form == "unpaired-preference":
            yield Advice(
                "label-ignored", "warning",
                "SFTTrainer trains on unwanted completions too (`label` false): it does not read `label`. KTOTrainer does.",
            )  # fmt: skip
        if len(self.forms) > 1:
            kinds = ", ".join(f"{count:,} {name}" for name, count in self.forms.most_common())
            yield Advice(
                "mixed-forms", "warning",
                f"The file mixes forms ({kinds}). {TRL} decides by the first row ({first.form}) what all rows are.",
                tuple(self.other_lines),
            )  # fmt: skip
        names = {str(message.get("role")) for row in self.tried for message in row.messages or ()}
        if first.form == "sharegpt" and (foreign := sorted(names - {"system", "user", "assistant", "tool"})):
            yield Advice(
                "roles-kept", "warning",
                f"{TRL} renames `from` and `value` but keeps the names of the roles ({', '.join(foreign)}): most chat templates "
                "do not know them. Convert the file to `messages` first.",
            )  # fmt: skip

    def _tokens(self, first: RowView, renderer: PromptRenderer) -> Iterator[Advice]:
        if first.messages is not None:
            if not renderer.template:
                yield Advice(
                    "no-chat-template", "stops",
                    "The tokenizer has no chat template: conversations cannot be rendered. Give one with `chat_template_path`.",
                )  # fmt: skip
            own = [marker for marker in self.inside if renderer.tokenizer.token_to_id(marker) is not None]
            if own:
                yield Advice(
                    "control-tokens-in-messages", "warning",
                    f"Messages hold {', '.join(own)}, which this tokenizer reads as its own control tokens: a turn seems to end, or "
                    "another to begin, in the middle of the words.", _lines(self.inside, own),
                )  # fmt: skip
            return
        eos, bos = renderer.special("eos_token"), renderer.special("bos_token")
        if eos and first.form in READS:
            yield Advice(
                "eos-added", "note", f"{TRL} puts the end-of-sequence token {eos!r} after each text without it."
            )
        plain = renderer.tokenizer.encode("x", add_special_tokens=True)
        begins = plain.tokens[0] if plain.special_tokens_mask[0] else None
        twice = [row.line for row in self.tried if bos and row.turns and row.turns[0].text.startswith(bos)]
        if begins == bos and twice:
            yield Advice(
                "double-bos", "warning",
                f"Texts begin with {bos!r}, and the tokenizer puts another before them: the model sees it twice.",
                tuple(twice[:_LINES_KEPT]),
            )  # fmt: skip
        foreign = [marker for marker in self.marked if renderer.tokenizer.token_to_id(marker) is None]
        if foreign:
            yield Advice(
                "markers-not-tokens", "warning",
                f"Texts hold {', '.join(foreign)}, which this tokenizer cuts into ordinary pieces: they were rendered for "
                "another model.", _lines(self.marked, foreign),
            )  # fmt: skip

    def _prefix(self, renderer: PromptRenderer) -> Iterator[Advice]:
        rows = [row for row in self.tried if row.form == "prompt-completion"]
        lines = [row.line for row in rows if _overhangs(row, renderer)]
        if lines:
            yield Advice(
                "prompt-not-a-prefix", "warning",
                f"In {len(lines)} of the first {len(rows)} rows the prompt's last token changes when the completion follows: the "
                "model is trained on another prompt than it meets later. End prompts on a token's border (a line end, say).",
                tuple(lines[:_LINES_KEPT]),
            )  # fmt: skip


def advise(
    rows: Iterable[RowView], *, renderer: PromptRenderer | None = None, lengths: Lengths | None = None,
    max_length: int = DEFAULT_MAX_LENGTH,
) -> tuple[Advice, ...]:  # fmt: skip
    """Return what TRL 1.16's SFTTrainer will make of a file, gravest first.

    Args:
        rows: the file's rows.
        renderer: the model's tokenizer and chat template; without them fewer things are known.
        lengths: the rows' lengths by `token_lengths`.
        max_length: the trainer's option; 1,024 is its default.
    """
    scan = TrainerScan()
    for row in rows:
        scan.add(row)
    return scan.result(renderer, lengths, max_length)


def _markers(row: RowView) -> Iterator[str]:
    texts = [turn.text for turn in row.turns if "<" in turn.text or "[" in turn.text]
    return (marker for marker in MARKERS if any(marker in text for text in texts))


def _lines(marked: Mapping[str, list[int]], markers: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({line for marker in markers for line in marked[marker]})[:_LINES_KEPT])


def _overhangs(row: RowView, renderer: PromptRenderer) -> bool:
    """Whether the prompt's tokens are not the first of those of prompt and completion together."""
    try:
        rendered = render_row(row, renderer)
        ids = renderer.tokenizer.encode(rendered.text, add_special_tokens=rendered.plain).ids
        length, common = prompt_tokens(row, rendered, renderer, ids)
    except InputError:
        return False  # such rows are counted as refused
    return common < length

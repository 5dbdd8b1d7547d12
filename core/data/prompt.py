"""Render prompts and cut them into tokens as transformers would, without importing it (it pulls in torch)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from core.data.chat_template import TEMPLATE_DATE as TEMPLATE_DATE
from core.data.chat_template import ChatTemplate, TemplateRefusal, read_template
from core.data.placeholders import fill as fill
from core.errors import InputError

_PROBE = "lorascope-answer-goes-here"
_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
_NONCHARACTERS = tuple(map(chr, range(0xFDD0, 0xFDF0)))
"""Code points that Unicode keeps for a program's own use: they mark places in a rendered text."""


_NUMBERS: dict[int, int] = {}
"""One object for each number of a token: a plan holds millions of tokens, and an object of its own for each is four times as large."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Tokens of a text with the character at which each starts."""

    ids: tuple[int, ...]
    starts: tuple[int, ...]


class PromptRenderer:
    """The tokenizer and chat template of one model folder."""

    kept: tuple[str, ...] = ()
    """Special tokens that `decode` leaves in a text, see `keeping`."""

    def __init__(self, folder: Path, template: str | None = None) -> None:
        """Read tokenizer.json, tokenizer_config.json and the chat template of ``folder``.

        Args:
            folder: of the model.
            template: the source of another chat template, in place of the folder's own.

        Raises:
            InputError: there is no tokenizer.json, or it cannot be read.
        """
        self.folder, self.given = folder, template
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise InputError(
                f"{folder}: found no tokenizer.json, which lorascope needs to cut text into tokens. "
                "Save the tokenizer once with transformers: AutoTokenizer.from_pretrained(...).save_pretrained(folder)."
            )
        try:
            self.tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the Rust library raises plain Exception
            raise InputError(f"{path}: the tokenizer cannot be read ({error}).") from None
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.config: dict[str, Any] = self._read_json("tokenizer_config.json")
        self.model_config: dict[str, Any] = self._read_json("config.json")
        self.generation_config: dict[str, Any] = self._read_json("generation_config.json")

    def _read_json(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        if not path.is_file():
            return {}
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{path}: not valid JSON ({error}).") from None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is compiled, which cannot be sent: a process that gets the rest compiles its own."""
        return {name: value for name, value in vars(self).items() if name != "_compiled"}

    @cached_property
    def template(self) -> str | None:
        """The chat template's source; None for a model without one."""
        return read_template(self.folder, self.config) if self.given is None else self.given

    @cached_property
    def context_length(self) -> int | None:
        """How many tokens the model can hold, prompt and answer together; None if its config does not say."""
        return self.model_config.get("max_position_embeddings")

    @property
    def is_seq2seq(self) -> bool:
        """Whether the model has an encoder, which reads the prompt, and a decoder, which answers."""
        return bool(self.model_config.get("is_encoder_decoder"))

    def special(self, name: str) -> str | None:
        """Return the text of a special token: ``bos_token``, ``eos_token``."""
        found = self.config.get(name)
        return found.get("content") if isinstance(found, dict) else found

    @property
    def marks_generation(self) -> bool:
        """Whether the chat template says which words are the assistant's, with the ``{% generation %}`` tag."""
        return _GENERATION.search(self.template or "") is not None

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        add_generation_prompt: bool = True,
        tools: Any = None,
        marks: tuple[str, str] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> str:
        """Return the text that the chat template makes of a conversation.

        Args:
            messages: the conversation.
            add_generation_prompt: whether the text ends where the assistant's answer begins.
            tools: the tools on offer, as the template takes them.
            marks: two characters to be put around what stands in the template's ``{% generation %}`` tags.
            variables: others that the template looks up (``enable_thinking``).

        Raises:
            InputError: the model has no chat template.
            TemplateRefusal: the template refuses the conversation.
        """
        content = {
            "messages": [dict(message) for message in messages], "add_generation_prompt": add_generation_prompt,
            "bos_token": self.special("bos_token") or "", "eos_token": self.special("eos_token") or "", "tools": tools,
            "_generation_marks": marks,
        }  # fmt: skip
        return self._compiled.render({**(variables or {}), **content})

    @property
    def variables(self) -> frozenset[str]:
        """The names that the chat template looks up.

        Raises:
            InputError: the model has no chat template.
        """
        return self._compiled.variables

    def generated_spans(self, messages: Sequence[Mapping[str, Any]], tools: Any = None) -> tuple[tuple[int, int], ...]:
        """Return where the assistant's words stand in a rendered conversation: start and end of each, in characters.

        None are found where `marks_generation` is false. As `render` otherwise.
        """
        marks = free_marks((messages, tools))
        return take_marks(self.render(messages, add_generation_prompt=False, tools=tools, marks=marks), marks)[1]

    @cached_property
    def _compiled(self) -> ChatTemplate:
        if not self.template:
            raise InputError(
                f"{self.folder}: the tokenizer has no chat template. Use `template: none` in the task to give prompts as they are, or "
                "name a chat template for all variants: `template:` under models, an adapter's name or a file."
            )
        return ChatTemplate(self.template, self.folder)

    def encode(self, text: str, *, special: bool = False) -> Encoded:
        """Return the tokens of a text; ``special`` adds what the tokenizer puts around plain text (such as BOS)."""
        encoding = self.tokenizer.encode(text, add_special_tokens=special)
        one = _NUMBERS.setdefault
        return Encoded(
            tuple([one(number, number) for number in encoding.ids]), tuple(start for start, _ in encoding.offsets)
        )

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens, special tokens left out but for those that are `kept`."""
        if not self.kept:
            return self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return self.tokenizer.decode([one for one in ids if one not in self.left_out], skip_special_tokens=False)

    def keeping(self, marks: Iterable[str]) -> PromptRenderer:
        """Return the same tokenizer and template, but for `decode`: marks that are special tokens stay in a text.

        Of ordinary tokens nothing has to be kept: without a special token among the marks nothing changes.
        """
        kept = tuple(mark for mark in marks if mark in self._special_texts)
        if kept == self.kept:
            return self
        changed = copy(self)
        for made in ("fingerprint", "left_out"):
            vars(changed).pop(made, None)
        changed.kept = kept
        return changed

    @cached_property
    def left_out(self) -> frozenset[int]:
        """The numbers of the special tokens that `decode` leaves out."""
        added = self.tokenizer.get_added_tokens_decoder()
        return frozenset(number for number, one in added.items() if one.special and one.content not in self.kept)

    @property
    def vocabulary_size(self) -> int | None:
        """How many tokens the model's embeddings hold, which may be more or fewer than the tokenizer has; None if unknown."""
        text_config = self.model_config.get("text_config")
        nested = text_config.get("vocab_size") if isinstance(text_config, dict) else None
        found = self.model_config.get("vocab_size", nested)
        return found if isinstance(found, int) else None

    @cached_property
    def start_ids(self) -> tuple[int, ...]:
        """The token before plain text (BOS, else EOS): without it the first token would have no likelihood."""
        for name in ("bos_token", "eos_token"):
            text = self.special(name)
            number = self.tokenizer.token_to_id(text) if text else None
            if number is not None:
                return (number,)
        return ()

    @cached_property
    def end_of_turn_ids(self) -> tuple[int, ...]:
        """The token that ends an assistant's turn in the chat template: part of every answer's likelihood."""
        if self.template:
            turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": _PROBE}]
            try:
                rendered = self.render(turns, add_generation_prompt=False)
            except TemplateRefusal:  # it wants other turns than these, a system message say
                rendered = ""
            tail = self.encode(rendered.rpartition(_PROBE)[2])
            if tail.ids and self.tokenizer.id_to_token(tail.ids[0]) in self._special_texts:
                return (tail.ids[0],)
        eos = self.special("eos_token")
        number = self.tokenizer.token_to_id(eos) if eos else None
        return () if number is None else (number,)

    @cached_property
    def _special_texts(self) -> frozenset[str]:
        return frozenset(token.content for token in self.tokenizer.get_added_tokens_decoder().values() if token.special)

    @cached_property
    def stop_ids(self) -> frozenset[int]:
        """Tokens at which generation ends."""
        found = self.generation_config.get("eos_token_id", self.model_config.get("eos_token_id"))
        listed = found if isinstance(found, list) else [found] if found is not None else []
        return frozenset(listed) | frozenset(self.end_of_turn_ids)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the tokenizer, the chat template and what is `kept`: they decide what prompts and answers become."""
        digest = hashlib.sha256((self.folder / "tokenizer.json").read_bytes())
        digest.update((self.template or "").encode())
        digest.update("".join(f"\0{mark}" for mark in self.kept).encode())
        return digest.hexdigest()


def free_marks(content: Any) -> tuple[str, str]:
    """Return two characters that stand nowhere in ``content``: they can mark places in a text that is made of it.

    Raises:
        InputError: it holds all of the 32 code points that Unicode keeps for such use.
    """
    used = json.dumps(content, ensure_ascii=False, default=str)
    free = [mark for mark in _NONCHARACTERS if mark not in used]
    if len(free) < 2:
        raise InputError(
            "The row holds the noncharacters U+FDD0 to U+FDEF, which no text should: its parts cannot be marked."
        )
    return free[0], free[1]


def take_marks(text: str, marks: tuple[str, str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return a text without its marks, and where it was marked: start and end of each place, in characters."""
    spans: list[tuple[int, int]] = []
    pieces: list[str] = []
    place = start = 0
    for piece in re.split(f"([{marks[0]}{marks[1]}])", text):
        if piece == marks[0]:
            start = place
        elif piece == marks[1]:
            spans.append((start, place))
        else:
            pieces.append(piece)
            place += len(piece)
    return "".join(pieces), tuple(spans)

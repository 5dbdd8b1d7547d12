"""Render prompts and cut them into tokens as transformers would, without importing it (it pulls in torch).

The chat template runs in jinja2's immutable sandbox: a template is a file of somebody else's.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from jinja2.ext import Extension
from jinja2.nodes import CallBlock, ContextReference, Node
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from core.data.placeholders import FIELD
from core.errors import InputError

TEMPLATE_DATE = date(2024, 7, 26)
"""What chat templates that ask for today's date are told; the date that Llama 3.1's own template falls back to."""
_PROBE = "lorascope-answer-goes-here"
_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
_NONCHARACTERS = tuple(map(chr, range(0xFDD0, 0xFDF0)))
"""Code points that Unicode keeps for a program's own use: they mark places in a rendered text."""
_REFUSALS = (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What a template raises on a conversation that it was not written for."""


class _GenerationTag(Extension):
    """``{% generation %}``: marks the assistant's words in a template.

    Its body is rendered as it is, between the two characters of the template's variable ``_generation_marks`` if there is one.
    """

    tags = {"generation"}  # noqa: RUF012 - jinja2's own interface

    def parse(self, parser: Parser) -> Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        call = self.call_method("_render", [ContextReference()])
        return CallBlock(call, [], [], body).set_lineno(line)

    def _render(self, context: Context, caller: Any) -> str:
        opening, closing = context.get("_generation_marks") or ("", "")
        return f"{opening}{caller()}{closing}"


@dataclass(frozen=True)
class Encoded:
    """Tokens of a text with the character at which each starts."""

    ids: tuple[int, ...]
    starts: tuple[int, ...]


class PromptRenderer:
    """The tokenizer and chat template of one model folder."""

    def __init__(self, folder: Path) -> None:
        """Read tokenizer.json, tokenizer_config.json and the chat template of ``folder``.

        Raises:
            InputError: there is no tokenizer.json, or it cannot be read.
        """
        self.folder = folder
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

    @cached_property
    def template(self) -> str | None:
        """The chat template's source; None for a model without one."""
        file = self.folder / "chat_template.jinja"
        if file.is_file():
            return file.read_text(encoding="utf-8")
        found = self.config.get("chat_template")
        if isinstance(found, list):  # several named templates
            named = {entry["name"]: entry["template"] for entry in found}
            return named.get("default")
        return found

    @cached_property
    def context_length(self) -> int | None:
        """How many tokens the model can hold, prompt and answer together; None if its config does not say."""
        return self.model_config.get("max_position_embeddings")

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
    ) -> str:
        """Return the text that the chat template makes of a conversation.

        Args:
            messages: the conversation.
            add_generation_prompt: whether the text ends where the assistant's answer begins.
            tools: the tools on offer, as the template takes them.
            marks: two characters to be put around what stands in the template's ``{% generation %}`` tags.

        Raises:
            InputError: the model has no chat template, or the template refuses the conversation.
        """
        try:
            return self._compiled.render(
                messages=[dict(message) for message in messages], add_generation_prompt=add_generation_prompt,
                bos_token=self.special("bos_token") or "", eos_token=self.special("eos_token") or "", tools=tools,
                _generation_marks=marks,
            )  # fmt: skip
        except InputError:
            raise
        except _REFUSALS as error:
            raise InputError(f"{self.folder}: the chat template refused this conversation: {error}") from None

    def generated_spans(self, messages: Sequence[Mapping[str, Any]], tools: Any = None) -> tuple[tuple[int, int], ...]:
        """Return where the assistant's words stand in a rendered conversation: start and end of each, in characters.

        None are found where `marks_generation` is false. As `render` otherwise.
        """
        marks = free_marks((messages, tools))
        return take_marks(self.render(messages, add_generation_prompt=False, tools=tools, marks=marks), marks)[1]

    @cached_property
    def _compiled(self) -> Any:
        if not self.template:
            raise InputError(
                f"{self.folder}: the tokenizer has no chat template. Use `template: none` in the task to give prompts as they are."
            )
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationTag, "jinja2.ext.loopcontrols"]
        )
        environment.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
        environment.globals["raise_exception"] = _raise_exception
        # A prompt that holds today's date would differ from one run to the next: every run has the same day.
        environment.globals["strftime_now"] = TEMPLATE_DATE.strftime
        try:
            return environment.from_string(self.template)
        except TemplateError as error:
            raise InputError(f"{self.folder}: the chat template does not compile: {error}") from None

    def encode(self, text: str, *, special: bool = False) -> Encoded:
        """Return the tokens of a text; ``special`` adds what the tokenizer puts around plain text (such as BOS)."""
        encoding = self.tokenizer.encode(text, add_special_tokens=special)
        return Encoded(tuple(encoding.ids), tuple(start for start, _ in encoding.offsets))

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens, special tokens left out."""
        return self.tokenizer.decode(list(ids), skip_special_tokens=True)

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
            rendered = self.render(
                [{"role": "user", "content": "x"}, {"role": "assistant", "content": _PROBE}],
                add_generation_prompt=False,
            )
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
        """SHA-256 of the tokenizer and the chat template: together they decide what a prompt becomes."""
        digest = hashlib.sha256((self.folder / "tokenizer.json").read_bytes())
        digest.update((self.template or "").encode())
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


def _raise_exception(message: str) -> None:
    raise TemplateError(message)


def fill(template: str, fields: Mapping[str, Any], where: str) -> str:
    """Put a row's fields into ``{field}`` places of a prompt; other braces stay as they are.

    Raises:
        InputError: the row lacks a field that the prompt names; ``where`` says which task and example.
    """

    def put(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in fields:
            raise InputError(
                f"{where}: the prompt names the field {name!r}; the row has {', '.join(map(repr, fields))}."
            )
        value = fields[name]
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    return FIELD.sub(put, template)

"""Run a chat template as transformers would, in jinja2's immutable sandbox: a template is a file of somebody else's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, meta
from jinja2.ext import Extension
from jinja2.nodes import CallBlock, ContextReference, Node
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.errors import InputError

TEMPLATE_DATE = date(2024, 7, 26)
"""What chat templates that ask for today's date are told; the date that Llama 3.1's own template falls back to."""
JINJA_FILE = "chat_template.jinja"
_REFUSALS = (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What a template raises on a conversation that it was not written for."""


class TemplateRefusal(InputError):
    """The template does not take this conversation; it may well take another one."""


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


class ChatTemplate:
    """A template, compiled."""

    def __init__(self, source: str, place: Path) -> None:
        """Compile ``source``; ``place`` is for messages.

        Raises:
            InputError: it is no template.
        """
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationTag, "jinja2.ext.loopcontrols"]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _raise_exception
        # A prompt that holds today's date would differ from one run to the next: every run has the same day.
        environment.globals["strftime_now"] = TEMPLATE_DATE.strftime
        self._source, self._place = source, place
        try:
            self._compiled = environment.from_string(source)
            self.variables = frozenset(meta.find_undeclared_variables(environment.parse(source)))
            """What it looks up by name and does not set itself."""
        except (TemplateError, RecursionError) as error:
            raise InputError(f"{place}: the chat template does not compile: {error}") from None

    def __reduce__(self) -> tuple[type[ChatTemplate], tuple[str, Path]]:
        """Say how another process makes it again: what is compiled cannot be sent."""
        return ChatTemplate, (self._source, self._place)

    def render(self, content: Mapping[str, Any]) -> str:
        """Return the text that the template makes of its variables.

        Raises:
            TemplateRefusal: in the template's own words.
        """
        try:
            return self._compiled.render(**content)
        except _REFUSALS as error:
            raise TemplateRefusal(f"{self._place}: the chat template refused this conversation: {error}") from None


def tokenizer_config(folder: Path) -> dict[str, Any]:
    """Return the content of a folder's tokenizer_config.json; empty where there is none, or where it is no mapping.

    Raises:
        InputError: it cannot be read, or is not JSON.
    """
    path = folder / "tokenizer_config.json"
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None
    except ValueError as error:
        raise InputError(f"{path}: not valid JSON ({error}).") from None
    return found if isinstance(found, dict) else {}


def read_template(folder: Path, config: Mapping[str, Any]) -> str | None:
    """Return the source of a folder's chat template; None where there is none.

    Args:
        folder: with chat_template.jinja, if it has one.
        config: the content of its tokenizer_config.json, where older files keep it.

    Raises:
        InputError: chat_template.jinja is not UTF-8.
    """
    file = folder / JINJA_FILE
    if file.is_file():
        try:
            return file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{file}: not UTF-8 at byte {error.start}; save the file as UTF-8.") from None
    found = config.get("chat_template")
    if isinstance(found, list):  # several named templates
        found = {entry["name"]: entry["template"] for entry in found}.get("default")
    return found if isinstance(found, str) else None


def _to_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _raise_exception(message: str) -> None:
    raise TemplateError(message)

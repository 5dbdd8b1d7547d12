"""The chat template that an adapter's folder ships beside the base's: do both make the same text of a conversation?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import commonprefix
from pathlib import Path
from typing import Any, Literal

from core.data.chat_template import ChatTemplate, TemplateRefusal, read_template, tokenizer_config

TURNS = (
    {"role": "system", "content": "You are helpful."},
    {"role": "user", "content": "Good morning."},
    {"role": "assistant", "content": "Good morning to you."},
    {"role": "user", "content": "What is two and two?"},
)
"""The conversation that both templates are shown with; where one takes no system message, without it."""
_SHOWN = 40


@dataclass(frozen=True)
class TemplateDifference:
    """One conversation as two chat templates put it. A text is the template's own words where it refuses."""

    base: str | None
    """None for a base without a chat template."""
    adapter: str

    @property
    def same_text(self) -> bool:
        """Whether both give the same text, however differently they are written."""
        return self.base == self.adapter

    @property
    def finding(self) -> tuple[Literal["warning", "ok"], str]:
        """Level and sentence of what a check says of it."""
        asked = "Every variant is asked with the base's, unless `template` under models names another"
        if self.base is None:
            return "warning", f"It ships a chat template, and the base has none. {asked}: this adapter's name, say."
        if self.same_text:
            return "ok", "Its chat template is written otherwise than the base's, and gives the same text."
        ours, theirs = _first_difference(self.base, self.adapter)
        return (
            "warning",
            f"Its chat template differs from the base's: {theirs!r} where the base's has {ours!r}. {asked}.",
        )


def template_difference(adapter: Path, base: Path) -> TemplateDifference | None:
    """Return how the chat template of an adapter's folder differs from the base's; None where it ships none, or the very same.

    Raises:
        InputError: a tokenizer_config.json or template cannot be read, or is no template.
    """
    theirs, ours = tokenizer_config(adapter), tokenizer_config(base)
    source, own = read_template(adapter, theirs), read_template(base, ours)
    if source is None or source == own:
        return None
    if own is None:
        return TemplateDifference(None, _example(source, theirs, adapter))
    return TemplateDifference(_example(own, ours, base), _example(source, {**ours, **theirs}, adapter))


def _example(source: str, config: Mapping[str, Any], place: Path) -> str:
    template, said = ChatTemplate(source, place), ""
    special = {name: _special(config, name) for name in ("bos_token", "eos_token")}
    for turns in (TURNS, TURNS[1:]):
        try:
            return template.render({"messages": list(turns), "add_generation_prompt": True, "tools": None, **special})
        except TemplateRefusal as error:
            said = str(error).removeprefix(f"{place}: ")
    return said


def _special(config: Mapping[str, Any], name: str) -> str:
    found = config.get(name)
    return (found.get("content") if isinstance(found, dict) else found) or ""


def _first_difference(base: str, adapter: str) -> tuple[str, str]:
    start = len(commonprefix([base, adapter]))
    return _short(base[start:]), _short(adapter[start:])


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"

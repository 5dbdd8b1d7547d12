"""What stands for the tokenizer of a base that a server holds: texts stay texts, and there are no tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from core.conversation import message_text
from core.data.prompt import Encoded, PromptRenderer


class NoTokenizer(PromptRenderer):
    """Renders a conversation as people read it: the server that is asked puts a template of its own around it."""

    def __init__(self, folder: Path) -> None:
        """Take the place where the base would be; nothing is read from there."""
        self.folder = folder
        self.config, self.model_config, self.generation_config = {}, {}, {}
        self._given = None

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        add_generation_prompt: bool = True,
        tools: Any = None,
        marks: tuple[str, str] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> str:
        """Return each turn as ``role: text``; tools and variables are the server's affair."""
        return "\n\n".join(f"{message['role']}: {message_text(message)}" for message in messages)

    def encode(self, text: str, *, special: bool = False) -> Encoded:
        """Return no tokens."""
        return Encoded((), ())

    def keeping(self, marks: Iterable[str]) -> PromptRenderer:
        """Return the same: there is nothing to decode."""
        return self

    @property
    def variables(self) -> frozenset[str]:
        """None that are known."""
        return frozenset()

    @cached_property
    def stop_ids(self) -> frozenset[int]:
        """None: the server knows where its answers end."""
        return frozenset()

    @cached_property
    def fingerprint(self) -> str:
        """Empty: there is neither tokenizer nor template."""
        return ""

"""Everything that a process needs to know to load a run's models: small, and sent to whoever loads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.data.prompt import PromptRenderer
from core.heads import Head
from core.model_set import AdapterPart, Mixture, Quantisation
from core.spec import Settings

if TYPE_CHECKING:
    from core.engine.session import Session
    from core.engine.vllm_session import VllmSession


@dataclass(frozen=True)
class Loading:
    """Where the models lie and how they are used."""

    base: Path
    adapters: Mapping[str, tuple[Path, float]]
    """Of each its folder and the factor on its scale."""
    checkpoints: Mapping[str, Path]
    device: str
    dtype: str
    settings: Settings
    parts: Mapping[str, AdapterPart] = field(default_factory=dict)
    mixtures: Mapping[str, Mixture] = field(default_factory=dict)
    heads: Mapping[str, Head] = field(default_factory=dict)
    """Of the adapters and checkpoints those that answer by a classification head."""
    quantised: Mapping[str, Quantisation] = field(default_factory=dict)
    """Of the base, as the baseline, and of checkpoints: in how few bits their weights are held."""
    threads: int | None = None
    """Of the processor, for one model: their number moves the last bits. None leaves it to torch; a GPU does not ask."""

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder that is read, each once."""
        return tuple(
            dict.fromkeys([self.base, *(folder for folder, _ in self.adapters.values()), *self.checkpoints.values()])
        )

    def session(self, renderer: PromptRenderer, warn: Callable[[str], None]) -> Session:
        """Load the models.

        Raises:
            InputError: one cannot be loaded, or the device is not here.
        """
        from core.engine.device import use_threads
        from core.engine.session import Session

        if self.threads is not None:
            use_threads(self.threads)
        return Session(
            self.base, self.adapters, self.checkpoints, self.device, self.dtype, self.settings, renderer, warn=warn,
            parts=self.parts, mixtures=self.mixtures, heads=self.heads, quantised=self.quantised,
        )  # fmt: skip

    def vllm_session(self, renderer: PromptRenderer) -> VllmSession:
        """Load the models into vLLM; `core.vllm_checks` has refused what it does not do.

        Raises:
            InputError: vLLM is not here, or cannot load one.
        """
        from core.engine.vllm_session import VllmSession

        return VllmSession(self.base, self.adapters, self.checkpoints, self.device, self.dtype, self.settings, renderer)


def threads_here() -> int:
    """Return how many threads of the processor torch uses in this process for one operation."""
    from core.engine.device import threads_in_use

    return threads_in_use()

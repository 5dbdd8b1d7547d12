"""What an ablation by experiment asks: which variants of one adapter, and what each of them leaves out or changes."""

from __future__ import annotations

from typing import Literal, get_args

from core.model_set import Finite, MixingMethod, Name, Strict

AblationPart = Literal["modules", "depth", "strength", "rank", "mixing", "prompt"]
ABLATION_PARTS: tuple[AblationPart, ...] = get_args(AblationPart)
Change = Literal["scaled", "left_out", "alone", "first", "last", "truncated", "mixed", "prompt"]


class Trial(Strict):
    """One point of an ablation: a variant of the run (or a changed prompt) and what it stands for.

    Several trials may share a variant: the baseline is strength 0, the whole adapter strength 1 and its full rank.
    """

    part: AblationPart
    change: Change
    variant: str
    """Of the run; for ``prompt`` the adapter itself, see ``prompt``."""
    label: str
    """As a page writes it: ``without MLP``, ``q_proj alone``, ``first 10 layers``, ``rank 2``."""
    dose: Finite | None = None
    """Where it stands on a dose curve: the scale, the number of layers kept, the rank kept, the first adapter's weight in a
    mixture, the number of few-shot examples, the temperature; None where there is no curve."""
    modules: tuple[str, ...] = ()
    """Of ``modules``: the last parts of module paths that were left out, or are alone."""
    layers: tuple[int, int] | None = None
    """Of ``depth``: first and last number of the layers that were left out, or are kept."""
    method: MixingMethod | None = None
    weights: dict[Name, Finite] = {}
    """Of ``mixing``: how much of each adapter."""
    prompt: str | None = None
    """Of ``prompt``: the name of the change; the task ``TASK+NAME`` is the task with it."""


class AblationSpec(Strict):
    """The ablation that a run is: one adapter (or several, mixed) taken apart."""

    adapter: Name
    partners: tuple[Name, ...] = ()
    """The adapters that it is mixed with; each is a variant too."""
    parts: tuple[AblationPart, ...]
    """As asked for."""
    trials: tuple[Trial, ...]
    off: dict[AblationPart, str] = {}
    """Parts that were asked for and make no sense here, each with the reason as a sentence."""
    minutes: Finite | None = None
    """No variant is begun that would end later than this after the (re)start; None is no limit."""

    @property
    def whole(self) -> tuple[str, ...]:
        """The adapters that are variants as they are."""
        return (self.adapter, *self.partners)

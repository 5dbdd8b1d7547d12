"""What one report is made from: a run, its comparison, and what its author asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from core.metrics.efficiency import Efficiency, summarise_probe
from core.ratings.analysis.results import HumanPreference
from core.report.document import Wishes
from core.results import Comparison
from core.store import Run
from core.wording.verdicts import Card, cards_of, in_order


@dataclass(frozen=True)
class Scene:
    """Handed to each section."""

    run: Run
    comparison: Comparison
    """Of all examples, with the rows of what users said."""
    wishes: Wishes
    workspace: Path | None
    """The folder that the run's data files lie beside; None for a run that was copied alone."""
    people: Sequence[HumanPreference] = ()
    """What people said of the run's variants, in every study of it."""

    @cached_property
    def costs(self) -> dict[str, Efficiency]:
        """What each variant costs by the run's probe; empty without one."""
        comparison = self.comparison
        probe = self.run.read_json("probe")
        return summarise_probe(probe, comparison.reference, level=comparison.level, seed=comparison.seed)

    @cached_property
    def preflight(self) -> dict[str, dict[str, Any]]:
        """What the pre-flight found of each adapter."""
        return dict((self.run.read_json("preflight") or {}).get("variants") or {})

    @cached_property
    def environment(self) -> dict[str, Any]:
        """What the run was made with."""
        return self.run.read_json("environment") or {}

    @cached_property
    def cards(self) -> list[Card]:
        """What is said of each variant but the reference, best first."""
        return in_order(cards_of(self.comparison, self.costs, self.preflight))

    @property
    def others(self) -> list[str]:
        """The variants beside the reference, in workspace order."""
        return [name for name in self.comparison.variants if name != self.comparison.reference]

    @property
    def variant(self) -> str | None:
        """Whose examples and pictures are shown; None where there is only the reference."""
        return self.wishes.variant or (self.cards[0].variant if self.cards else None)

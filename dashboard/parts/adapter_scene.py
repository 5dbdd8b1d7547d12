"""What one drawing of the Adapters page is about, handed to each of its sections; and the names of its choices in the URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.adapters import AdapterFacts
from core.charts.theme import variant_colours
from core.errors import InputError
from core.records import BASELINE
from core.workspace import Workspace
from dashboard import adapter_cache, state
from dashboard.parts.url_choices import UrlChoices

ADAPTER, BESIDE, SECTION, MODULE, SHOWN, CURVE, AXIS = (
    "adapter",
    "beside",
    "section",
    "module",
    "shown",
    "curve",
    "axis",
)
QUANTISED, ANSWERED = "quantised", "answered"
CHOICES = (ADAPTER, BESIDE, SECTION, MODULE, SHOWN, CURVE, AXIS, QUANTISED, ANSWERED)


@dataclass(frozen=True)
class Subject:
    """One adapter that is looked at."""

    name: str
    facts: AdapterFacts


@dataclass(frozen=True)
class AdapterScene:
    """One drawing of the page."""

    chosen: state.Selection
    choices: UrlChoices
    names: tuple[str, ...]
    """Every adapter of the workspace, in its order."""
    subject: Subject
    beside: Subject | None
    """The other adapter, where two are looked at."""

    @property
    def workspace(self) -> Workspace:
        """The workspace."""
        return self.chosen.workspace

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The one adapter, or both."""
        return (self.subject,) if self.beside is None else (self.subject, self.beside)

    @property
    def stem(self) -> str:
        """What files that are exported begin with."""
        return "-".join(one.name for one in self.subjects)

    @property
    def colours(self) -> dict[str, str]:
        """Each adapter's colour, the same as on every other page."""
        return variant_colours((BASELINE, *self.names), state.mode())


def adapter_names(chosen: state.Selection) -> tuple[str, ...]:
    """Return the workspace's adapters, and those of the run that is looked at which the workspace names no more."""
    listed = list(chosen.workspace.spec.models.adapters)
    extra = [] if chosen.run is None else [name for name in chosen.run.spec.models.adapters if name not in listed]
    return (*listed, *extra)


def subject_or_reason(workspace: Workspace, name: str) -> Subject | str:
    """Return an adapter, or why its files cannot be read, as a sentence."""
    try:
        return Subject(name, adapter_cache.facts(workspace.adapter_folder(name)))
    except (InputError, OSError) as error:
        return str(error)


def one_of(names: Sequence[str], asked: str | None, default: str) -> str:
    """Return what was asked for if it is one of the names, else the default."""
    return asked if asked is not None and asked in names else default

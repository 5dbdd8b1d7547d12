"""Which variants an ablation of an adapter has: what each leaves out or changes, from coarse to fine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import regex

from core.ablation_spec import ABLATION_PARTS, AblationPart, Trial
from core.adapters import AdapterFacts
from core.adapters.parts import kept, module_groups, why_not, windows
from core.errors import InputError
from core.experiment.mixing import mixing_trials
from core.model_set import NAME_PATTERN, AdapterPart, AdapterRef, MixingMethod, Mixture
from core.records import BASELINE

WINDOWS = 6
"""Into so many windows of neighbours the layers are cut."""
_STRENGTHS = ((0.0, 0.5, 1.0), (1.5, 2.0), (0.25, 0.75))
_ORDER: tuple[AblationPart, ...] = ("strength", "modules", "rank", "depth", "mixing")
"""Within one level of detail the parts are measured in this order."""


@dataclass(frozen=True)
class Subject:
    """An adapter of the workspace that is taken apart or mixed."""

    name: str
    ref: AdapterRef
    facts: AdapterFacts


@dataclass(frozen=True)
class Planned:
    """The variants of an ablation and what they stand for, in the order in which they are measured."""

    adapters: dict[str, AdapterRef]
    mixtures: dict[str, Mixture]
    trials: tuple[Trial, ...]
    off: dict[AblationPart, str]


@dataclass(frozen=True)
class Candidate:
    """One point before it is known which variant it is."""

    level: int
    """0 is coarse and measured first."""
    suffix: str
    """Of the variant's name, if it becomes one of its own."""
    trial: Trial
    scale: float = 1.0
    part: AdapterPart | None = None
    mixture: Mixture | None = None


def plan_trials(
    subject: Subject, parts: Sequence[AblationPart], partners: Sequence[Subject] = (), methods: Sequence[MixingMethod] = ("cat",),
    seed: int = 0,
) -> Planned:  # fmt: skip
    """Return the variants and trials of an ablation; parts that make no sense for the adapter are off, with the reason.

    Points that come to the same (``q_proj`` alone of an adapter of ``q_proj`` and ``v_proj``) share a variant, and what
    leaves everything or nothing on is the adapter or the baseline itself. Prompts are not planned here: they are tasks.

    Args:
        subject: The adapter.
        parts: What to try.
        partners: Adapters that it is mixed with.
        methods: Of mixing.
        seed: From which some methods of mixing draw.

    Raises:
        InputError: a variant's name would be too long, or is an adapter's already.
    """
    off = {part: reason for part in parts if (reason := _why_off(subject, part, partners)) is not None}
    wanted: list[AblationPart] = [part for part in _ORDER if part in parts and part not in off]
    candidates = [one for part in wanted for one in _candidates(part, subject, partners, methods, seed)]
    ordered = sorted(candidates, key=lambda one: one.level)  # stable: the order of parts stays within a level
    return _named(subject, partners, ordered, {part: off[part] for part in ABLATION_PARTS if part in off})


def _why_off(subject: Subject, part: AblationPart, partners: Sequence[Subject]) -> str | None:
    """Return why a part is off, as a sentence."""
    if part == "prompt":
        return None
    if (reason := why_not(subject.facts, part)) is not None:
        return f"{subject.name!r}: {reason}."
    if part == "mixing":
        if not partners:
            return "No other adapter was named to mix it with."
        return next(
            (f"{p.name!r}: {reason}." for p in partners if (reason := why_not(p.facts, "mixing")) is not None), None
        )
    return None


def _candidates(
    part: AblationPart, subject: Subject, partners: Sequence[Subject], methods: Sequence[MixingMethod], seed: int
) -> Iterator[Candidate]:
    if part == "strength":
        for level, doses in enumerate(_STRENGTHS):
            for dose in doses:
                yield Candidate(
                    level, f".x{dose:g}", _trial(part, "scaled", f"strength {dose:g}", dose=dose), scale=dose
                )
    elif part == "modules":
        yield from _modules(subject.facts)
    elif part == "depth":
        yield from _depth(subject.facts)
    elif part == "rank":
        yield from _ranks(subject.facts)
    else:
        for level, suffix, trial, mixture in mixing_trials(
            subject.name, [partner.name for partner in partners], methods, seed
        ):
            yield Candidate(level, suffix, trial, mixture=mixture)


def _trial(part: AblationPart, change: Any, label: str, **more: Any) -> Trial:
    return Trial(part=part, change=change, variant="", label=label, **more)


def _modules(facts: AdapterFacts) -> Iterator[Candidate]:
    names = facts.module_names
    sets = [(0, group, members) for group, members in module_groups(facts).items() if set(members) != set(names)]
    sets += [(1, name, (name,)) for name in names]
    for level, label, members in sets:
        rest = tuple(name for name in names if name not in members)
        trial = _trial("modules", "left_out", f"without {label}", modules=members)
        yield Candidate(level, f".no-{label.lower()}", trial, part=AdapterPart(modules=rest))
    for level, label, members in sets:
        trial = _trial("modules", "alone", f"{label} alone", modules=members)
        yield Candidate(2 * level, f".only-{label.lower()}", trial, part=AdapterPart(modules=members))


def _depth(facts: AdapterFacts) -> Iterator[Candidate]:
    layers = facts.layers
    cut = windows(layers, WINDOWS)
    for window in cut:
        rest = tuple(layer for layer in layers if layer not in window)
        span = (window[0], window[-1])
        trial = _trial("depth", "left_out", f"without {_span(span)}", layers=span)
        yield Candidate(1, f".no-layers-{span[0]}-{span[1]}", trial, part=AdapterPart(layers=rest))
    for number in range(len(cut) + 1):
        head = tuple(layer for window in cut[:number] for layer in window)
        tail = tuple(layer for window in cut[number:] for layer in window)
        level = 0 if 2 * number == len(cut) or not head or not tail else 2
        for change, ends in (("first", head), ("last", tail)):
            count = len(ends)
            label = "no layer" if not count else "all layers" if count == len(layers) else f"{change} {_layers(count)}"
            trial = _trial("depth", change, label, dose=count, layers=(ends[0], ends[-1]) if ends else None)
            yield Candidate(level, f".{change}-{count}", trial, part=AdapterPart(layers=ends))


def _layers(count: int) -> str:
    return f"{count} layer{'' if count == 1 else 's'}"


def _span(span: tuple[int, int]) -> str:
    return f"layer {span[0]}" if span[0] == span[1] else f"layers {span[0]}\u2013{span[1]}"


def _ranks(facts: AdapterFacts) -> Iterator[Candidate]:
    full = facts.ranks[-1]
    smaller = sorted({1 << power for power in range(full.bit_length()) if 1 << power < full}, reverse=True)
    for place, rank in enumerate([full, *smaller]):
        level = 0 if place <= 1 else 1 if rank == 1 else 2
        yield Candidate(
            level, f".rank-{rank}", _trial("rank", "truncated", f"rank {rank}", dose=rank), part=AdapterPart(rank=rank)
        )


def _named(
    subject: Subject, partners: Sequence[Subject], candidates: Sequence[Candidate], off: Mapping[AblationPart, str]
) -> Planned:
    """Give each point its variant: one that is there already where it comes to the same."""
    adapters = {one.name: one.ref.model_copy(update={"of": None}) for one in (subject, *partners)}
    mixtures: dict[str, Mixture] = {}
    known: dict[tuple[str, float], str] = {}
    trials = []
    for one in candidates:
        if one.mixture is not None:
            variant = _free(f"{subject.name}{one.suffix}", {**adapters, **mixtures})
            mixtures[variant] = one.mixture
        elif one.trial.part == "mixing":
            variant = next(iter(one.trial.weights))
        else:
            variant = _variant(subject, one, known, adapters)
        trials.append(one.trial.model_copy(update={"variant": variant}))
    return Planned(adapters, mixtures, tuple(trials), dict(off))


def _variant(
    subject: Subject, one: Candidate, known: dict[tuple[str, float], str], adapters: dict[str, AdapterRef]
) -> str:
    scale = one.scale * subject.ref.scale
    left = kept(subject.facts, scale, one.part)
    if left.amount == "nothing":
        return BASELINE
    if left.amount == "everything" and one.scale == 1:
        return subject.name
    key = (left.fingerprint, scale)
    if key not in known:
        known[key] = _free(f"{subject.name}{one.suffix}", adapters)
        adapters[known[key]] = AdapterRef(path=subject.ref.path, scale=scale, part=one.part, of=subject.name)
    return known[key]


def _free(name: str, taken: Mapping[str, Any]) -> str:
    if not regex.fullmatch(NAME_PATTERN, name):
        raise InputError(
            f"the variant {name!r} would have a name of {len(name)} letters; expected letters, digits and . _ + -, 80 at most. "
            "Give the adapter a shorter name in the workspace."
        )
    if name in taken:
        raise InputError(
            f"the name {name!r} is needed for a variant of the ablation. Give the adapter of this name another."
        )
    return name

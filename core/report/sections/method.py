"""How the numbers were made, in plain words."""

from __future__ import annotations

from core.joined.results import joined_facts
from core.joined.words import headline, sentences
from core.metrics.catalogue import Entry, entries
from core.notation import percent
from core.report.document import Section
from core.report.scene import Scene
from core.run_notes import read_notes


def method(scene: Scene) -> Section:
    """Return the section."""
    return Section(
        "method", (_asked(scene), *_noted(scene), *_joined(scene), _compared(scene), _told(scene)), _definitions(scene)
    )


def _asked(scene: Scene) -> str:
    spec, reference = scene.run.spec, scene.comparison.reference
    if spec.models.imported:
        return (
            f"The answers of {len(scene.comparison.variants)} systems came from elsewhere and were scored on the same examples. The "
            f"reference is {reference}."
        )
    settings = spec.settings
    decoding = (
        "greedy decoding"
        if settings.temperature == 0
        else f"temperature {settings.temperature:g}, top-p {settings.top_p:g}"
    )
    return (
        f"The base model and {len(scene.comparison.variants) - 1} variants answered the same examples, with the same prompts, "
        f"chat template, tokens and seed ({decoding}, {settings.max_new_tokens} new tokens at the most, seed {settings.seed}). The "
        f"baseline is the base model with every adapter off. The reference is {reference}."
    )


def _noted(scene: Scene) -> tuple[str, ...]:
    """Return what became of prompts that were too long or refused, and of answers that never came."""
    notes = read_notes(scene.run)
    return (" ".join(notes),) if notes else ()


def _joined(scene: Scene) -> tuple[str, ...]:
    facts = joined_facts(scene.run)
    return () if facts is None else (" ".join([headline(facts), *sentences(facts)]),)


def _compared(scene: Scene) -> str:
    found = scene.comparison
    return (
        f"A difference is variant minus reference over the examples that both have, paired by example, with its {percent(found.level)} "
        f"interval: Wilson's for a single rate and Tango's for a difference of rates, else a bootstrap of {found.resamples:,} resamples "
        "or, in runs of thousands of examples, the infinitesimal jackknife. p-values are McNemar's mid-p for rates and exchange tests "
        "(sign-flip or swap of the two variants' statistics) for all else; each table's data name the method of each number."
    )


def _told(scene: Scene) -> str:
    found = scene.comparison
    return (
        f"p-values of the primary metrics, declared before the run, are adjusted by Holm over all {found.family_size} of them; those of "
        "other metrics by Benjamini and Hochberg, a family of their own. Better and worse need an adjusted p below "
        f"{1 - found.level:.2g}; the same needs an equivalence band declared beforehand that holds the interval; everything else cannot be "
        "told at this n, which is not the same as no difference. Shows from: the smallest true difference that so many examples would show "
        "four times out of five."
    )


def _definitions(scene: Scene) -> tuple[str, ...]:
    """Return what each metric of the comparison is, and what has to be known of its interval."""
    used = dict.fromkeys(row.metric for row in scene.comparison.rows)
    known = {entry.name: entry for entry in entries()}
    return tuple(_definition(known[name]) for name in used if name in known)


def _definition(entry: Entry) -> str:
    caution = f" {entry.caution}" if entry.caution else ""
    return f"{entry.label}: {entry.definition}. Interval: {entry.uncertainty}.{caution}".replace("`", "")

"""What the adapters' page shows, as tables for files: settings with their sources, changes, overlaps, logs, merge checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd

from core.adapters import AdapterFacts, TrainingLog
from core.adapters.anatomy import Anatomy
from core.adapters.merge import MergeCheck
from core.adapters.over_fit import OverFit
from core.adapters.overlap import Overlap
from core.adapters.settings import same_value, value_text
from core.adapters.sources import RESULTS
from core.adapters.training_log import STATE
from core.notation import number_text


def settings_table(facts: Mapping[str, AdapterFacts]) -> pd.DataFrame:
    """Return a row for each setting and source that any of the adapters has, those of most weight first."""
    rows = [
        {"adapter": name, "setting": one.name, "value": value_text(value), "source": source, "counts": value is one.value and not place}
        for name, found in facts.items() for one in found.settings
        for place, (source, value) in enumerate([(one.source, one.value), *((other.source, other.value) for other in one.others)])
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["adapter", "setting", "value", "source", "counts"])


def setting_rows(facts: AdapterFacts) -> list[tuple[str, str, str, str]]:
    """Return name, value, source and what says otherwise for each setting; contradicted ones first, results last."""
    listed = sorted(facts.settings, key=lambda one: (not one.contradictions, _is_result(one.source), one.name))
    return [
        (one.name, value_text(one.value), one.source,
         "; ".join(f"{other.source}: {value_text(other.value)}" for other in one.contradictions))
        for one in listed
    ]  # fmt: skip


def setting_pairs(first: AdapterFacts, second: AdapterFacts) -> list[tuple[str, str, str, bool]]:
    """Return name, both values and whether they differ for each setting of two adapters; differing ones first."""
    ours, theirs = ({one.name: one.value for one in facts.settings} for facts in (first, second))
    rows = []
    results = {one.name for facts in (first, second) for one in facts.settings if _is_result(one.source)}
    for name in sorted({*ours, *theirs}, key=lambda name: (name in results, name)):
        one, other = ours.get(name), theirs.get(name)
        differs = one is None or other is None or not same_value(name, one, other)
        rows.append((name, *("" if value is None else value_text(value) for value in (one, other)), differs))
    return sorted(rows, key=lambda row: not row[3])


def _is_result(source: str) -> bool:
    return source in RESULTS or source.endswith(STATE)


def anatomy_table(anatomies: Mapping[str, Anatomy]) -> pd.DataFrame:
    """Return a row for each changed weight of each adapter."""
    rows = [
        {"adapter": name, "module": one.module, "layer": one.layer, "part": one.part, "rank": one.rank, "scale": one.scale,
         "change_norm": one.change_norm, "base_norm": one.base_norm, "share": one.share, "effective_rank": one.effective_rank,
         "singular_values": " ".join(f"{value:.6g}" for value in one.singular_values)}
        for name, anatomy in anatomies.items() for one in anatomy.modules
    ]  # fmt: skip
    return pd.DataFrame(rows)


def overlap_table(overlap: Overlap) -> pd.DataFrame:
    """Return a row for each weight that both adapters change."""
    return pd.DataFrame([asdict(one) for one in overlap.modules])


def log_table(logs: Mapping[str, TrainingLog]) -> pd.DataFrame:
    """Return a row for each row of the trainers' logs."""
    rows = [
        {"adapter": name, "kind": kind, "step": row.step, **row.values}
        for name, log in logs.items() for kind, several in (("training", log.train), ("evaluation", log.evaluations))
        for row in several
    ]  # fmt: skip
    return pd.DataFrame(rows)


def merge_table(found: MergeCheck) -> pd.DataFrame:
    """Return a row for each pair of models that were held against each other."""
    return pd.DataFrame([asdict(row) for row in found.rows])


def over_fit_table(found: Mapping[str, OverFit | None]) -> pd.DataFrame:
    """Return a row for each adapter with a held-out loss."""
    return pd.DataFrame([
        {"adapter": name, **asdict(one), "rise": one.rise, "gap": one.gap} for name, one in found.items() if one is not None
    ])  # fmt: skip


def over_fit_rows(found: Mapping[str, OverFit | None]) -> list[tuple[str, ...]]:
    """Return adapter, best held-out loss, its step, the last one, its rise since and the gap to training as texts.

    Args:
        found: by adapter; those without a held-out loss have no row.
    """
    return [
        (name, f"{one.best_loss:.3f}", f"{one.best_step:,}", f"{one.last_loss:.3f}", number_text(one.rise, 3, signed=True),
         "–" if one.gap is None else number_text(one.gap, 3, signed=True))
        for name, one in found.items() if one is not None
    ]  # fmt: skip

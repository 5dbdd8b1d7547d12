"""An analysis of variance as texts for a table."""

from __future__ import annotations

from core.ablation.records import Anova
from core.notation import p_text


def anova_rows(anova: Anova) -> list[tuple[str, str, str, str, str, str]]:
    """Return factor, degrees of freedom, share of the variance, F, p and variance inflation of each row."""
    return [
        (row.label, str(row.degrees), f"{100 * row.share:.3g} %", f"{row.f:.3g}", p_text(row.p),
         "–" if row.vif is None else f"{row.vif:.2g}")
        for row in anova.rows
    ]  # fmt: skip

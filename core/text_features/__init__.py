"""What answers look like, asked without code: words, patterns, length, lists, headings, refusals, language.

Each feature is counted for every variant, with its paired difference to a reference, and parts the examples for a list.
"""

from core.text_features.cells import CELLS, Cell, cell_counts, in_cell
from core.text_features.feature import KINDS, RULES, FeatureKind, TextFeature, feature_from
from core.text_features.hits import answer_languages, feature_hits, language_hits, median_length
from core.text_features.rates import as_comparison, feature_row

__all__ = [
    "CELLS",
    "KINDS",
    "RULES",
    "Cell",
    "FeatureKind",
    "TextFeature",
    "answer_languages",
    "as_comparison",
    "cell_counts",
    "feature_from",
    "feature_hits",
    "feature_row",
    "in_cell",
    "language_hits",
    "median_length",
]

"""What answers look like, asked without code: words, patterns, length, lists, headings, refusals, language.

Each feature is counted for every variant, with its paired difference to a reference, and parts the examples for a list.
"""

from core.text_features.cells import CELLS, Cell, cell_counts, in_cell
from core.text_features.feature import KINDS, RULES, FeatureKind, TextFeature, feature_from
from core.text_features.hits import feature_hits, median_length
from core.text_features.kept import AnswerLanguages, answer_languages
from core.text_features.rates import as_comparison, feature_rows
from core.text_features.rows import AnswerRows, answer_rows

__all__ = [
    "CELLS",
    "KINDS",
    "RULES",
    "AnswerLanguages",
    "AnswerRows",
    "Cell",
    "FeatureKind",
    "TextFeature",
    "answer_languages",
    "answer_rows",
    "as_comparison",
    "cell_counts",
    "feature_from",
    "feature_hits",
    "feature_rows",
    "in_cell",
    "median_length",
]

"""Slices: parts of the examples (a label, a language, a quarter by length) and where the variants differ most."""

from core.slices.answered import answer_slice, is_answer_slice, read_answer_slice
from core.slices.find import find_slices, matcher
from core.slices.results import RULE, Slice, SliceKind, SliceRow, SliceTable
from core.slices.table import slice_table

__all__ = [
    "RULE", "Slice", "SliceKind", "SliceRow", "SliceTable", "answer_slice", "find_slices", "is_answer_slice", "matcher",
    "read_answer_slice", "slice_table",
]  # fmt: skip

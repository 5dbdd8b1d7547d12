"""Slices: parts of the examples (a label, a language, a quarter by length) and where the variants differ most."""

from core.slices.find import find_slices, matcher
from core.slices.results import RULE, Slice, SliceKind, SliceRow, SliceTable
from core.slices.table import slice_table

__all__ = ["RULE", "Slice", "SliceKind", "SliceRow", "SliceTable", "find_slices", "matcher", "slice_table"]

"""Ratings to files and from files: our own table as JSONL, CSV and Parquet, and the formats of TRL, LLM Comparator and Argilla."""

from core.ratings.exchange.export import FORMATS, ExportReport, export_study
from core.ratings.exchange.incoming import import_study

__all__ = ["FORMATS", "ExportReport", "export_study", "import_study"]

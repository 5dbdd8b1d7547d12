"""Predictions from elsewhere: read from JSONL, CSV, Parquet or lm-evaluation-harness samples, and kept as an ordinary run."""

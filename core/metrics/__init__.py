"""Metrics: one file a family; `core.metrics.metric` says what a metric is, `core.metrics.registry` finds them."""

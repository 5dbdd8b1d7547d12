"""Composites: a user's weighted score over any metrics, declared in workspace.yaml, with its interval like any metric."""

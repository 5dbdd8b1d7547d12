"""What an adapter says of itself, and whether it fits a base, read from files alone: no torch, no PEFT."""

from core.adapters.facts import AdapterFacts, read_adapter, training_seconds
from core.adapters.fit import Finding, check_against_base

__all__ = ["AdapterFacts", "Finding", "check_against_base", "read_adapter", "training_seconds"]

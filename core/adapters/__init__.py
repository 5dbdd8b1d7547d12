"""What an adapter says of itself, whether it fits a base, and what it changed: read from files alone, no torch, no PEFT."""

from core.adapters.facts import AdapterFacts, split_module
from core.adapters.fit import Finding, check_against_base
from core.adapters.read import read_adapter, training_seconds
from core.adapters.settings import Setting, Stated
from core.adapters.training_log import LogRow, TrainingLog

__all__ = [
    "AdapterFacts",
    "Finding",
    "LogRow",
    "Setting",
    "Stated",
    "TrainingLog",
    "check_against_base",
    "read_adapter",
    "split_module",
    "training_seconds",
]

"""Adapters that fill a part of the context themselves: the virtual tokens of prompt tuning and its kind. No model is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.adapters.facts import CONFIG
from core.adapters.kinds import PREFIX_KINDS
from core.model_set import ModelSet


def find_virtual_tokens(models: ModelSet, adapter_folder: Callable[[str], Path]) -> dict[str, int]:
    """Return how many virtual tokens stand before every prompt of a variant; variants without any are left out.

    Args:
        models: Of the run.
        adapter_folder: Where an adapter's files are.
    """
    found: dict[str, int] = {}
    for name, ref in models.adapters.items():
        config = _config(adapter_folder(ref.of or name))
        count = config.get("num_virtual_tokens")
        is_on = ref.scale != 0 and str(config.get("peft_type", "")).upper() in PREFIX_KINDS
        if is_on and isinstance(count, int) and count > 0:
            found[name] = count
    return found


def _config(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # whoever reads the adapter's facts says what is wrong with them
        return {}
    return found if isinstance(found, dict) else {}

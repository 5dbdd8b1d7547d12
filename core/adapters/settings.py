"""How an adapter was made, value by value: each with the file that says so, and with the files that say otherwise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.adapters.names import canonical, short_name

OVERRIDE = "your override"
OBSERVED = frozenset({"epoch", "step", "global_step", "eval_loss", "train_runtime", "train_loss", "total_flos"})
"""What a training came to; two of its files may note it at different moments."""


@dataclass(frozen=True)
class Stated:
    """What one source says of a setting."""

    source: str
    value: Any


@dataclass(frozen=True)
class Setting:
    """One setting: what counts, who says it, and who says otherwise."""

    name: str
    """As PEFT, transformers or TRL call it today."""
    value: Any
    source: str
    others: tuple[Stated, ...] = ()
    """What sources of less weight say, agreeing or not."""

    @property
    def contradictions(self) -> tuple[Stated, ...]:
        """Those of the others that say something else."""
        if self.source == OVERRIDE or self.name in OBSERVED:
            return ()
        return tuple(other for other in self.others if not same_value(self.name, self.value, other.value))


def merge_settings(sources: Mapping[str, Mapping[str, Any]]) -> tuple[Setting, ...]:
    """Merge what sources say into settings, sorted by name.

    Args:
        sources: name of each, the most trusted first, and its values by its own names; None is no value. Names that were
            renamed over the years become one setting.
    """
    stated: dict[str, list[Stated]] = {}
    for source, values in sources.items():
        for name, value in values.items():
            if value is None or value == {} or value == []:
                continue
            known = stated.setdefault(canonical(name), [])
            if not any(one.source == source for one in known):
                known.append(Stated(source, _plain(canonical(name), value)))
    return tuple(
        Setting(name, several[0].value, several[0].source, tuple(several[1:]))
        for name, several in sorted(stated.items())
    )


def state_settings(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of trainer_state.json is a setting or a fact of the whole training."""
    found = {
        name: state[name]
        for name in (
            "global_step",
            "epoch",
            "total_flos",
            "num_input_tokens_seen",
            "best_metric",
            "best_model_checkpoint",
        )
        if isinstance(state.get(name), str | int | float)
    }
    batch = state.get("train_batch_size")
    return found | ({"per_device_train_batch_size": batch} if isinstance(batch, int) else {})


def same_value(name: str, one: Any, other: Any) -> bool:
    """Tell whether two sources mean the same: numbers to rounding, lists in any order, models by the last part of their name."""
    if name == "base_model_name_or_path":
        return short_name(str(one)) == short_name(str(other))
    if name == "target_modules" and {str(one), str(other)} & {"all", "all-linear"}:
        return True  # the trainer writes down which modules that came to
    if isinstance(one, bool) or isinstance(other, bool):
        return bool(one) == bool(other) if isinstance(one, bool | int) and isinstance(other, bool | int) else False
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-6)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return set(one) == set(other)
    return str(one).casefold() == str(other).casefold()


def value_text(value: Any) -> str:
    """Return a value as people write it: ``q_proj, v_proj``, ``0.0002``, ``true``."""
    if isinstance(value, tuple | list):
        return ", ".join(map(value_text, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def contradiction_text(setting: Setting) -> str:
    """Return a sentence that says who says what, and which counts."""
    others = "; ".join(f"{other.source} says {value_text(other.value)}" for other in setting.contradictions)
    return f"{setting.name}: {setting.source} says {value_text(setting.value)}, which counts; {others}."


def _plain(name: str, value: Any) -> Any:
    if name in ("target_modules", "modules_to_save", "exclude_modules"):
        # PEFT keeps a set; LLaMA-Factory writes "q_proj,v_proj"; a regular expression or "all-linear" stays as it is
        if isinstance(value, str) and "," in value and not set(value) & set("()[]|*^$\\"):
            value = value.split(",")
        if isinstance(value, list | tuple | set):
            return tuple(sorted(str(one).strip() for one in value))
    return tuple(value) if isinstance(value, list) else value

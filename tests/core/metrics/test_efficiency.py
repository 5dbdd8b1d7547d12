from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.errors import InputError
from core.metrics.efficiency import summarise_probe


def entry(
    variant: str, repeat: int, seconds: float, tokens: int = 20, prompt: int = 0, peak: int = 100
) -> dict[str, Any]:
    return {
        "variant": variant, "repeat": repeat, "prompt": prompt, "n_prompt_tokens": 5, "n_new_tokens": tokens,
        "seconds_to_first_token": seconds / 4, "seconds": seconds, "peak_bytes": peak,
    }  # fmt: skip


def probe(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"settings": {}, "repeats": list(entries)}


def test_figures_by_hand() -> None:
    base = [entry("baseline", repeat, seconds) for repeat, seconds in enumerate((1.0, 2.0, 4.0, 2.0, 2.0))]
    slow = [entry("lora", repeat, 2 * seconds, peak=130) for repeat, seconds in enumerate((1.0, 2.0, 4.0, 2.0, 2.0))]
    found = summarise_probe(probe(*base, *slow), "baseline")
    assert list(found) == ["baseline", "lora"]
    first, second = found["baseline"], found["lora"]
    assert first.tokens_per_second.value == pytest.approx(10)
    assert first.latency_p50.value == pytest.approx(2)
    assert first.latency_p95.value == pytest.approx(np.quantile([1, 2, 4, 2, 2], 0.95))
    assert first.seconds_to_first_token.value == pytest.approx(0.5)
    assert (first.peak_bytes, first.extra_peak_bytes, first.time_per_token_ratio) == (100, None, None)
    assert second.time_per_token_ratio is not None
    assert second.time_per_token_ratio.value == pytest.approx(2)
    assert (second.time_per_token_ratio.low, second.time_per_token_ratio.high) == (pytest.approx(2), pytest.approx(2))
    assert (second.extra_peak_bytes, second.repeats, second.answers) == (30, 5, 5)


def test_speed_of_a_repeat_is_all_its_tokens_over_all_its_seconds() -> None:
    some = [entry("baseline", 0, 1.0, tokens=10, prompt=0), entry("baseline", 0, 3.0, tokens=70, prompt=1)]
    found = summarise_probe(probe(*some), "baseline")["baseline"]
    assert found.tokens_per_second.value == pytest.approx(20)
    assert found.answers == 2


def test_the_interval_needs_five_repeats_and_holds_the_value() -> None:
    rng = np.random.default_rng(1)
    four = [entry("baseline", repeat, float(rng.uniform(1, 2))) for repeat in range(4)]
    assert summarise_probe(probe(*four), "baseline")["baseline"].tokens_per_second.low is None
    six = [*four, *(entry("baseline", repeat, float(rng.uniform(1, 2))) for repeat in (4, 5))]
    speed = summarise_probe(probe(*six), "baseline")["baseline"].tokens_per_second
    assert speed.low is not None
    assert speed.high is not None
    assert speed.low < speed.value < speed.high


def test_the_ratio_is_that_of_the_two_speeds_and_goes_through_a_third_variant() -> None:
    # One slow repeat of each, at different times: the median of each ratio would be 1.5 for lora and 1 for wide.
    seconds = {
        "baseline": (2.0, 2.0, 2.0, 4.0, 4.0),
        "lora": (2.0, 3.0, 3.0, 6.0, 2.0),
        "wide": (4.0, 2.0, 2.0, 4.0, 5.0),
    }
    some = probe(*(entry(name, repeat, one) for name, times in seconds.items() for repeat, one in enumerate(times)))
    found = summarise_probe(some, "baseline")
    lora, wide = (found[name].time_per_token_ratio for name in ("lora", "wide"))
    assert lora is not None and wide is not None
    assert (lora.value, wide.value) == (pytest.approx(3 / 2), pytest.approx(4 / 2))
    speeds = {name: one.tokens_per_second.value for name, one in found.items()}
    assert lora.value == pytest.approx(speeds["baseline"] / speeds["lora"])
    other = summarise_probe(some, "wide")["lora"].time_per_token_ratio
    assert other is not None and other.value * wide.value == pytest.approx(lora.value)


def test_a_reference_that_was_not_probed_gives_no_ratio() -> None:
    found = summarise_probe(probe(entry("lora", 0, 1.0)), "baseline")["lora"]
    assert (found.time_per_token_ratio, found.extra_peak_bytes) == (None, None)


def test_no_probe_gives_nothing_and_a_broken_one_a_sentence() -> None:
    assert summarise_probe(None, "baseline") == {}
    assert summarise_probe({"repeats": []}, "baseline") == {}
    broken = entry("baseline", 0, 1.0)
    del broken["seconds"]
    with pytest.raises(InputError, match="seconds"):
        summarise_probe(probe(broken), "baseline")

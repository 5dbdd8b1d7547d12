"""How numbers are written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.metrics.metric import Unit
from core.notation import decimals, difference_texts, duration_text, number_text, p_text, size_text, value_texts
from core.results import Difference, Value


def value(number: float | None, low: float | None = None, high: float | None = None) -> Value:
    return Value(number, low, high, 10, 0, None, "s", "m")


def difference(number: float | None, low: float | None = None, high: float | None = None) -> Difference:
    return Difference(number, low, high, None, None, 10, "unclear", None, "m")


@pytest.mark.parametrize(
    ("numbers", "unit", "texts"),
    [
        ((0.7531, 0.6209, 0.8531), "share", ("75.3", "[62.1, 85.3]")),
        ((1.0, 0.94, 1.0), "share", ("100.0", "[94.0, 100.0]")),
        ((23.456, 20.0, 27.0), "points", ("23.5", "[20.0, 27.0]")),
        ((5.4321, 5.0, 6.0), "perplexity", ("5.43", "[5.00, 6.00]")),
        ((1234.5, 1200.0, 1300.0), "number", ("1,234", "[1,200, 1,300]")),
        ((0.0, None, None), "share", ("0.0", "")),
        ((None, None, None), "share", ("–", "")),
    ],
)
def test_values(numbers: tuple[float | None, ...], unit: Unit, texts: tuple[str, str]) -> None:
    assert value_texts(value(*numbers), unit) == texts


@pytest.mark.parametrize(
    ("numbers", "unit", "texts"),
    [
        ((0.25, 0.121, 0.373), "share", ("+25.0", "[+12.1, +37.3]")),
        ((-0.004, -0.031, 0.016), "share", ("−0.4", "[−3.1, +1.6]")),
        ((-0.0001, -0.02, 0.02), "share", ("0.0", "[−2.0, +2.0]")),
        ((-0.3, -0.9, 0.4), "perplexity", ("−0.300", "[−0.900, +0.400]")),
    ],
)
def test_differences(numbers: tuple[float, float, float], unit: Unit, texts: tuple[str, str]) -> None:
    assert difference_texts(difference(*numbers), unit) == texts


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (None, ""), (0.0, "p < 0.001"), (0.0012, "p = 0.0012"), (0.012, "p = 0.012"), (0.049, "p = 0.049"),
        (0.0497, "p = 0.0497"), (0.63, "p = 0.63"), (0.999, "p = 1"), (1.0, "p = 1"),
    ],
)  # fmt: skip
def test_p_values(p: float | None, text: str) -> None:
    assert p_text(p) == text


def test_sizes_and_durations() -> None:
    assert [size_text(n) for n in (12, 35_000, 921_600, 4_880_000, 98_000_000, 2.5e9)] == [
        "12 bytes", "35 kB", "0.92 MB", "4.88 MB", "98 MB", "2.50 GB",
    ]  # fmt: skip
    assert [duration_text(s) for s in (0.42, 12.34, 245, 7800)] == ["420 ms", "12.3 s", "4 min 5 s", "2 h 10 min"]


@given(st.floats(-1e6, 1e6), st.sampled_from(["share", "points", "nats", "perplexity", "number"]))
def test_a_written_number_reads_back_to_three_significant_digits(number: float, unit: Unit) -> None:
    places = decimals([number], unit)
    text = number_text(number, places, signed=True)
    assert re.fullmatch(r"[+−]?[\d,]+(\.\d+)?", text)
    back = float(text.replace(",", "").replace("−", "-"))
    assert abs(back - number) <= 0.5 * 10**-places + 1e-9
    assert abs(back - number) <= max(0.005 * abs(number), 1e-6) or unit in ("share", "points")

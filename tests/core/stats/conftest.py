import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

# A busy machine must not fail a test.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

GOLDEN = Path(__file__).parents[2] / "golden" / "statistics.json"


@pytest.fixture(scope="session")
def golden() -> dict[str, Any]:
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def mean():
    """The value of statistics (x, 1)."""
    return lambda sums: sums[..., 0] / sums[..., 1]


@pytest.fixture(scope="session")
def f1():
    """The value of statistics (tp, fp, fn): neither linear nor defined everywhere."""
    return lambda sums: 2 * sums[..., 0] / (2 * sums[..., 0] + sums[..., 1] + sums[..., 2])


@pytest.fixture(scope="session")
def with_ones():
    """Statistics (x, 1) of numbers x."""
    return lambda numbers: np.column_stack([numbers, np.ones(len(numbers))])

"""Models that the engine's tests share: made once, since loading costs more than asking."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.data.prompt import PromptRenderer
from core.engine.models import AdapterSource, Models
from tests.tiny import make_adapter, make_base


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny base and two adapters of it."""
    folder = tmp_path_factory.mktemp("tiny")
    make_base(folder / "base")
    make_adapter(folder / "base", folder / "one", seed=1)
    make_adapter(folder / "base", folder / "two", seed=2, rank=2)
    return folder


@pytest.fixture(scope="session")
def renderer(tiny: Path) -> PromptRenderer:
    """Its tokenizer and template."""
    return PromptRenderer(tiny / "base")


@pytest.fixture(scope="session")
def models(tiny: Path) -> Models:
    """The base with both adapters, in float32 on the CPU."""
    adapters = {name: AdapterSource(tiny / name, 1.0) for name in ("one", "two")}
    return Models(tiny / "base", adapters, {}, torch.device("cpu"), torch.float32)

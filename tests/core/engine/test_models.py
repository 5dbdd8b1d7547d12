"""Loading: precision where it belongs."""

from __future__ import annotations

from pathlib import Path

import torch

from core.engine.models import AdapterSource, Models


def test_in_bfloat16_the_rotary_frequencies_stay_in_float32(tiny: Path) -> None:
    models = Models(tiny / "base", {"one": AdapterSource(tiny / "one", 1.0)}, {}, torch.device("cpu"), torch.bfloat16)
    with models.variant("one") as model:
        assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
        frequencies = {buffer.dtype for name, buffer in model.named_buffers() if "inv_freq" in name}
    assert frequencies == {torch.float32}

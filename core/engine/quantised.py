"""Hold a base in 4 or 8 bits by bitsandbytes: the settings that its users take, and what is asked of it here."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from transformers import BitsAndBytesConfig

from core.errors import InputError
from core.model_set import Quantisation


def quantisation_config(kind: Quantisation, compute: torch.dtype) -> BitsAndBytesConfig:
    """Return transformers' settings for a kind.

    ``nf4``: 4-bit NormalFloat (Dettmers et al. 2023, QLoRA, arXiv:2305.14314), computed with in ``compute``; ``int8``: LLM.int8()
    (Dettmers et al. 2022, arXiv:2208.07339).

    Raises:
        InputError: bitsandbytes is not installed.
    """
    if find_spec("bitsandbytes") is None:
        raise InputError(
            f"a base in {kind} needs the package bitsandbytes, which is not installed: pip install 'lorascope[quantised]'."
        )
    if kind == "nf4":
        return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=compute)
    return BitsAndBytesConfig(load_in_8bit=True)


def is_quantised(model: Any) -> bool:
    """Tell whether a model's weights are held in fewer bits, whose place and type can no longer be changed."""
    return bool(getattr(model, "is_quantized", False))

"""Hold a model with its adapter merged against the same model with the adapter beside it: logits and greedy continuations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

from core.adapters.merge import MergeRow
from core.engine.models import AdapterSource, Models
from core.errors import InputError

POSITIONS = 32
"""The last positions of each prompt whose logits are compared."""
_NAME = "looked-at"
Precision = Literal["float32", "bfloat16"]
_DTYPES: dict[Precision, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}
PRECISIONS = tuple(_DTYPES)


@dataclass(frozen=True)
class Observed:
    """What one model answers to all prompts."""

    logits: tuple[torch.Tensor, ...]
    """A prompt's last positions x vocabulary, float32, on the CPU."""
    continuations: tuple[tuple[int, ...], ...]


def observe_unmerged_and_merged(
    base: Path, adapter: AdapterSource, device: torch.device, precision: Precision,
    prompts: Sequence[Sequence[int]], new_tokens: int, stop_ids: frozenset[int],
) -> tuple[Observed, Observed]:  # fmt: skip
    """Return what the base with its adapter answers, and what it answers when the adapter is merged into it.

    The merged model is made of weights that are loaded for this alone and thrown away.

    Raises:
        InputError: a model cannot be loaded, or gives numbers that are not finite.
    """
    models = Models(base, {_NAME: adapter}, {}, device, _DTYPES[precision])
    with models.variant(_NAME) as model:
        unmerged = observe(model, device, prompts, new_tokens, stop_ids)
        merged = observe(model.merge_and_unload().eval(), device, prompts, new_tokens, stop_ids)
    return unmerged, merged


def observe_on_quantised(
    base: Path, adapter: Path, device: torch.device, prompts: Sequence[Sequence[int]], new_tokens: int, stop_ids: frozenset[int]
) -> Observed:  # fmt: skip
    """Return what the adapter answers on a base in 4 bits (nf4, computing in bfloat16); needs bitsandbytes.

    Raises:
        InputError: it cannot be loaded so.
    """
    from peft import PeftModel

    settings = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            base, quantization_config=settings, device_map={"": device}, use_safetensors=True, trust_remote_code=False,
            local_files_only=True,
        )  # fmt: skip
        model = PeftModel.from_pretrained(loaded, str(adapter), is_trainable=False).eval()
    except (RuntimeError, ValueError, OSError, ImportError, AttributeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{base}: bitsandbytes cannot hold this base in 4 bits here: {reason}") from None
    return observe(model, device, prompts, new_tokens, stop_ids)


@torch.inference_mode()
def observe(
    model: Any, device: torch.device, prompts: Sequence[Sequence[int]], new_tokens: int, stop_ids: frozenset[int]
) -> Observed:
    """Return a model's logits at the last positions of each prompt and its greedy continuations, one prompt at a time."""
    logits: list[torch.Tensor] = []
    continuations: list[tuple[int, ...]] = []
    for prompt in prompts:
        tokens = torch.tensor([list(prompt)], device=device)
        output = model(input_ids=tokens, use_cache=True, logits_to_keep=min(POSITIONS, len(prompt)))
        found = output.logits[0].float().cpu()
        if not torch.isfinite(found).all():
            raise InputError(
                "The model gives infinite or undefined numbers; its weights are broken, or too large for this precision."
            )
        logits.append(found)
        answer = [int(output.logits[0, -1].argmax())]
        while len(answer) < new_tokens and answer[-1] not in stop_ids:
            step = torch.tensor([answer[-1:]], device=device)
            output = model(input_ids=step, past_key_values=output.past_key_values, use_cache=True)
            answer.append(int(output.logits[0, -1].argmax()))
        continuations.append(tuple(answer))
    return Observed(tuple(logits), tuple(continuations))


def held_against(name: str, found: Observed, other_name: str, other: Observed) -> MergeRow:
    """Return how far one model's answers are from another's."""
    largest, total, count, tops, positions = 0.0, 0.0, 0, 0, 0
    for ours, theirs in zip(found.logits, other.logits, strict=True):
        change = (ours - theirs).abs()
        largest, total, count = (
            max(largest, float(change.max())),
            total + float(change.double().sum()),
            count + change.numel(),
        )
        tops += int((ours.argmax(-1) != theirs.argmax(-1)).sum())
        positions += ours.shape[0]
    pairs = list(zip(found.continuations, other.continuations, strict=True))
    lengths = [max(len(ours), len(theirs)) for ours, theirs in pairs]
    same = [sum(one == two for one, two in zip(ours, theirs, strict=False)) for ours, theirs in pairs]
    return MergeRow(
        name, other_name, largest_logit_change=largest, mean_logit_change=total / count, other_top=tops, positions=positions,
        other_tokens=sum(lengths) - sum(same), tokens=sum(lengths), other_continuations=sum(ours != theirs for ours, theirs in pairs),
        prompts=len(pairs),
    )  # fmt: skip

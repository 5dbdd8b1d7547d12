"""Hold a model with its adapter merged against the same model with the adapter beside it: logits and greedy continuations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from peft.tuners.lora import LoraLayer
from transformers import AutoModelForCausalLM

from core.adapters.merge import MergeRow
from core.engine.models import Models
from core.engine.packed import unpack
from core.engine.quantised import quantisation_config
from core.errors import InputError

POSITIONS = 32
"""The last positions of each prompt whose logits are compared."""
Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")


@dataclass(frozen=True)
class Observed:
    """What one model answers to all prompts."""

    logits: tuple[torch.Tensor, ...]
    """A prompt's last positions x vocabulary, float32, on the CPU."""
    continuations: tuple[tuple[int, ...], ...]


def unmerged_and_merged(models: Models, name: str) -> Iterator[tuple[str, Any]]:
    """Yield ``("unmerged", model)`` with an adapter beside the base, then ``("merged", model)`` with it merged into it.

    Merging changes the weights that ``models`` holds: they are of no other use afterwards.
    """
    whole = models.attached(name)
    unpack(whole)  # both in the same arithmetic
    with models.variant(name) as model:
        yield "unmerged", model
        if models.adapters[name].scale == 0:  # such a variant is the base, which merging does not look at
            for module in whole.modules():
                if isinstance(module, LoraLayer):
                    module.scaling.update(dict.fromkeys(module.scaling, 0.0))
        yield "merged", whole.merge_and_unload().eval()


def load_on_quantised(base: Path, adapter: Path, device: torch.device) -> Any:
    """Return a base in 4 bits (nf4, computing in bfloat16) with an adapter beside it; needs bitsandbytes.

    Raises:
        InputError: it cannot be loaded so.
    """
    from peft import PeftModel

    settings = quantisation_config("nf4", torch.bfloat16)
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            base, quantization_config=settings, device_map={"": device}, use_safetensors=True, trust_remote_code=False,
            local_files_only=True,
        )  # fmt: skip
        return PeftModel.from_pretrained(loaded, str(adapter), is_trainable=False).eval()
    except (RuntimeError, ValueError, OSError, ImportError, AttributeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{base}: bitsandbytes cannot hold this base in 4 bits here: {reason}") from None


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

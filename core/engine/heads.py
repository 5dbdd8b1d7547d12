"""Classification heads: a model of its own in memory while its turn lasts, asked a batch of texts at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForSequenceClassification

from core.errors import InputError
from core.heads import Head
from core.records import Evidence, OptionScores
from core.requests import HeadRequest
from core.weights import read_headers, weight_files

_PREFIX = "base_model.model."
_REFUSED = (RuntimeError, ValueError, KeyError, OSError, TypeError, AttributeError, SafetensorError)
_SHOWN = 3


def load_head(base: Path, head: Head, device: torch.device, dtype: torch.dtype) -> Any:
    """Load a head's model: the checkpoint, or the base's body with the adapter and the layer that the adapter ships.

    Raises:
        InputError: it cannot be loaded, or weights of it are in no file and would be random.
    """
    source = base if head.is_adapter else head.folder
    more: dict[str, Any] = {"num_labels": head.n_outputs} if head.is_adapter else {}
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    try:
        config = AutoConfig.from_pretrained(source, **more, **options)
        with torch.random.fork_rng(devices=[]):  # layers that no file fills are drawn, and thrown away or refused
            model, told = AutoModelForSequenceClassification.from_pretrained(
                source, config=config, dtype=dtype, use_safetensors=True, output_loading_info=True, **options
            )
            _refuse_random(head, told["missing_keys"])
            if head.is_adapter:
                model = PeftModel.from_pretrained(
                    model, str(head.folder), is_trainable=False, autocast_adapter_dtype=False
                )
    except _REFUSED as error:
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{head.folder}: transformers cannot load a classifier from here: {reason}") from None
    for parameter in model.parameters():  # of buffers rotary frequencies stay in float32
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(dtype)
    return model.to(device).requires_grad_(False).eval()


def _refuse_random(head: Head, missing: Sequence[str]) -> None:
    shipped = set()
    if head.is_adapter:
        stored = read_headers(weight_files(head.folder, "adapter_model"))
        shipped = {name.removeprefix(_PREFIX) for name in stored if ".lora_" not in name}
    if random := sorted(set(missing) - shipped):
        listed = ", ".join(random[:_SHOWN]) + (f" and {len(random) - _SHOWN} more" if len(random) > _SHOWN else "")
        raise InputError(
            f"{head.folder}: found no weights for {listed}, which would be random. Save the model again with them"
            + (" (an adapter with modules_to_save that names those layers)." if head.is_adapter else ".")
        )


@torch.inference_mode()
def observe_rows(
    model: Any, variant: str, rows: Sequence[Sequence[HeadRequest]], device: torch.device
) -> Iterator[Evidence]:
    """Yield the evidence of each row's requests, which share a text, in their order.

    Padded on the right, as transformers finds the last token: from the right the first that is not the padding token. A config
    without one is given a token that stands in none of the texts.
    """
    prompts = [row[0].prompt for row in rows]
    config = model.config.get_text_config()
    if config.pad_token_id is not None:
        found = _logits(model, prompts, config.pad_token_id, device)
    else:
        config.pad_token_id = next(
            number for number in range(config.vocab_size) if not any(number in one for one in prompts)
        )
        try:
            found = _logits(model, prompts, config.pad_token_id, device)
        finally:
            config.pad_token_id = None
    for row, logits in zip(rows, found, strict=True):
        yield from (_evidence(request, variant, logits) for request in row)


def _logits(model: Any, prompts: Sequence[tuple[int, ...]], padding: int, device: torch.device) -> torch.Tensor:
    """Return the outputs of the head, (texts, outputs) in float32 on the CPU."""
    width = max(len(prompt) for prompt in prompts)
    tokens = torch.full((len(prompts), width), padding, dtype=torch.long)
    mask = torch.zeros(len(prompts), width, dtype=torch.long)
    for place, prompt in enumerate(prompts):
        tokens[place, : len(prompt)] = torch.tensor(prompt)
        mask[place, : len(prompt)] = 1
    return model(input_ids=tokens.to(device), attention_mask=mask.to(device)).logits.float().cpu()


def _evidence(request: HeadRequest, variant: str, logits: torch.Tensor) -> Evidence:
    identity = (request.task, variant, request.example_id, request.item)
    if not torch.isfinite(logits).all():
        return Evidence(*identity, reason="the model gave NaN or infinity")
    if request.reading == "number":
        return Evidence(*identity, number=logits[request.outputs[0]].item())
    if request.reading == "each":
        one = logits[request.outputs[0]].double()
        sums = torch.nn.functional.logsigmoid(torch.stack([one, -one])).tolist()
    else:
        sums = torch.log_softmax(logits.double(), dim=-1)[list(request.outputs)].tolist()
    none = (0,) * len(request.options)  # nothing of an option was scored as text
    return Evidence(*identity, option_scores=OptionScores(request.options, tuple(sums), none, none))

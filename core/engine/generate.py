"""Generate answers for a batch of prompts; rows that are finished leave the batch, so nobody pays for padding after them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from transformers import DynamicCache

from core.records import Generation
from core.requests import GenerateRequest
from core.spec import Settings


@dataclass
class _Row:
    """One prompt's answer while it grows."""

    request: GenerateRequest
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish: Literal["eos", "stop", "length"] | None = None
    text: str = ""


@torch.inference_mode()
def generate_rows(
    model: Any, requests: Sequence[GenerateRequest], settings: Settings, device: torch.device, *,
    stop_ids: frozenset[int], decode: Callable[[Sequence[int]], str],
) -> list[Generation]:  # fmt: skip
    """Return what the model answers to each prompt, in the order of the requests.

    Greedy at temperature 0; otherwise drawn with a generator of each row's own, seeded by settings.seed and the example, so
    that a draw does not depend on the neighbours in the batch.
    """
    rows = [_Row(request) for request in requests]
    draws = [_generator(settings.seed, request) for request in requests] if settings.temperature > 0 else None
    tokens, mask = _left_padded([request.prompt for request in requests], device)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    cache = DynamicCache(config=model.config)
    alive = list(range(len(rows)))
    while alive:
        output = model(
            input_ids=tokens, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True,
            logits_to_keep=1,
        )  # fmt: skip
        logits = output.logits[:, -1].float()
        chosen = _choose(logits, settings, [draws[k] for k in alive] if draws else None)
        logprobs = logits.gather(1, chosen[:, None])[:, 0] - torch.logsumexp(logits, dim=-1)
        for k, token, logprob in zip(alive, chosen.tolist(), logprobs.tolist(), strict=True):
            _extend(rows[k], token, logprob, settings, stop_ids, decode)
        going = [place for place, k in enumerate(alive) if rows[k].finish is None]
        if len(going) < len(alive):
            alive = [alive[place] for place in going]
            if not alive:
                break
            keep = torch.tensor(going, device=device)
            cache.batch_select_indices(keep)
            mask, positions, chosen = mask[keep], positions[keep], chosen[keep]
        tokens = chosen[:, None]
        mask = torch.cat([mask, mask.new_ones(len(alive), 1)], dim=1)
        positions = positions[:, -1:] + 1
    return [
        Generation(row.text, row.finish or "length", len(row.request.prompt), tuple(row.ids), tuple(row.logprobs))
        for row in rows
    ]


def _extend(
    row: _Row,
    token: int,
    logprob: float,
    settings: Settings,
    stop_ids: frozenset[int],
    decode: Callable[[Sequence[int]], str],
) -> None:
    """Add a token to a row and decide whether it is finished."""
    row.ids.append(token)
    row.logprobs.append(logprob)
    if token in stop_ids:
        row.finish = "eos"
    elif len(row.ids) >= settings.max_new_tokens:
        row.finish = "length"
    if row.finish is None and not settings.stop:
        return
    row.text = decode(row.ids)
    places = [place for place in (row.text.find(stop) for stop in settings.stop) if place >= 0]
    if places:
        row.text, row.finish = row.text[: min(places)], "stop"


def _left_padded(prompts: Sequence[tuple[int, ...]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(len(prompt) for prompt in prompts)
    tokens = torch.zeros(len(prompts), width, dtype=torch.long)
    mask = torch.zeros(len(prompts), width, dtype=torch.long)
    for place, prompt in enumerate(prompts):
        tokens[place, width - len(prompt) :] = torch.tensor(prompt)
        mask[place, width - len(prompt) :] = 1
    return tokens.to(device), mask.to(device)


def _choose(logits: torch.Tensor, settings: Settings, draws: Sequence[torch.Generator] | None) -> torch.Tensor:
    if draws is None:
        return logits.argmax(dim=-1)
    probabilities = torch.softmax(logits / settings.temperature, dim=-1).cpu()
    if settings.top_p < 1:
        ordered, order = probabilities.sort(dim=-1, descending=True)
        ordered[ordered.cumsum(-1) - ordered >= settings.top_p] = 0  # the first token over the threshold stays
        probabilities = torch.zeros_like(probabilities).scatter(-1, order, ordered)
    chosen = [torch.multinomial(row, 1, generator=draw) for row, draw in zip(probabilities, draws, strict=True)]
    return torch.cat(chosen).to(logits.device)


def _generator(seed: int, request: GenerateRequest) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}/{request.task}/{request.example_id}/{request.item}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big", signed=False) >> 1)

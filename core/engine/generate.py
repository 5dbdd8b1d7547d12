"""Generate answers for a batch of prompts; rows that are finished leave the batch, so nobody pays for padding after them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from transformers import DynamicCache

from core.records import Generation
from core.requests import GenerateRequest
from core.spec import Settings

_SPARE_TOKENS = 8
"""Tokens before the longest stop string that are decoded with it: a tokenizer may treat the first ones differently."""


class Row:
    """One prompt's answer while it grows."""

    def __init__(
        self,
        request: GenerateRequest,
        settings: Settings,
        stop_ids: frozenset[int],
        decode: Callable[[Sequence[int]], str],
    ) -> None:
        """Begin with an empty answer."""
        self.request, self.settings = request, settings
        self._stop_ids, self._decode = stop_ids, decode
        self._tail = max((len(stop.encode()) for stop in settings.stop), default=0) + _SPARE_TOKENS
        self.draw = _generator(settings.seed, request) if settings.temperature > 0 else None
        self.ids: list[int] = []
        self.logprobs: list[float] = []
        self.finish: Literal["eos", "stop", "length"] | None = None
        self._text = ""

    def extend(self, token: int, logprob: float) -> None:
        """Add a token and decide whether the answer is finished."""
        self.ids.append(token)
        self.logprobs.append(logprob)
        if token in self._stop_ids:
            self.finish = "eos"
        elif len(self.ids) >= self.settings.max_new_tokens:
            self.finish = "length"
        if self.finish is None and not self._may_hold_stop():
            return
        self._text = self._decode(self.ids)
        places = [place for place in (self._text.find(stop) for stop in self.settings.stop) if place >= 0]
        if places:
            self._text, self.finish = self._text[: min(places)], "stop"

    def _may_hold_stop(self) -> bool:
        """Look for stop strings in the last tokens alone: each holds a byte at least, and earlier ones were looked at before."""
        if not self.settings.stop:
            return False
        tail = self._decode(self.ids[-self._tail :])
        return any(stop in tail for stop in self.settings.stop)

    def answer(self) -> Generation:
        """Return what was answered."""
        prompt = len(self.request.prompt)
        return Generation(self._text, self.finish or "length", prompt, tuple(self.ids), tuple(self.logprobs))


@torch.inference_mode()
def generate_rows(
    model: Any, requests: Sequence[GenerateRequest], settings: Settings, device: torch.device, *,
    stop_ids: frozenset[int], decode: Callable[[Sequence[int]], str], side_by_side: int = 0,
) -> list[Generation]:  # fmt: skip
    """Return what the model answers to each prompt, in the order of the requests; for any architecture.

    Greedy at temperature 0; otherwise drawn with a generator of each row's own, seeded by settings.seed and the example, so
    that a draw does not depend on the neighbours in the batch. ``side_by_side`` rows are answered at a time (0: all).
    """
    answers: list[Generation] = []
    height = side_by_side or max(1, len(requests))
    for first in range(0, len(requests), height):
        rows = [Row(request, settings, stop_ids, decode) for request in requests[first : first + height]]
        _generate(model, rows, device)
        answers += [row.answer() for row in rows]
    return answers


def _generate(model: Any, rows: Sequence[Row], device: torch.device) -> None:
    """Answer prompts together; rows that are finished leave the batch."""
    tokens, mask = _left_padded([row.request.prompt for row in rows], device)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    cache = DynamicCache(config=model.config)
    alive = list(rows)
    while alive:
        output = model(
            input_ids=tokens, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True,
            logits_to_keep=1,
        )  # fmt: skip
        chosen = extend(alive, output.logits[:, -1])
        going = [place for place, row in enumerate(alive) if row.finish is None]
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


def extend(rows: Sequence[Row], logits: torch.Tensor) -> torch.Tensor:
    """Give each row the token that it goes on with, and return them (rows).

    Args:
        rows: Those that are alive.
        logits: rows x vocabulary, of the next token.
    """
    logits = logits.float()
    chosen = choose(logits, rows)
    record(rows, chosen, logits)
    return chosen


def record(rows: Sequence[Row], chosen: torch.Tensor, logits: torch.Tensor) -> None:
    """Add a token (rows) to each row, with its log-probability by the model's own logits (rows x vocabulary, float32)."""
    logprobs = logits.gather(1, chosen[:, None])[:, 0] - torch.logsumexp(logits, dim=-1)
    # One read for both, since each waits for the device; a token's number is exact in float64.
    found = torch.stack([chosen.double(), logprobs.double()]).tolist()
    for row, token, logprob in zip(rows, *found, strict=True):
        row.extend(int(token), logprob)


def _left_padded(prompts: Sequence[tuple[int, ...]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(len(prompt) for prompt in prompts)
    tokens = torch.zeros(len(prompts), width, dtype=torch.long)
    mask = torch.zeros(len(prompts), width, dtype=torch.long)
    for place, prompt in enumerate(prompts):
        tokens[place, width - len(prompt) :] = torch.tensor(prompt)
        mask[place, width - len(prompt) :] = 1
    return tokens.to(device), mask.to(device)


def choose(logits: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor:
    """Return each row's next token (rows): the likeliest at temperature 0, else drawn by the row's own generator."""
    settings = rows[0].settings
    if settings.temperature == 0:
        return logits.argmax(dim=-1)
    probabilities = torch.softmax(logits / settings.temperature, dim=-1).cpu()
    if settings.top_p < 1:
        ordered, order = probabilities.sort(dim=-1, descending=True)
        ordered[ordered.cumsum(-1) - ordered >= settings.top_p] = 0  # the first token over the threshold stays
        probabilities = torch.zeros_like(probabilities).scatter(-1, order, ordered)
    chosen = [torch.multinomial(p, 1, generator=row.draw) for p, row in zip(probabilities, rows, strict=True)]
    return torch.cat(chosen).to(logits.device)


def _generator(seed: int, request: GenerateRequest) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}/{request.task}/{request.example_id}/{request.item}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big", signed=False) >> 1)

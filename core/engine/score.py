"""Log-likelihoods of continuations: every shared token once, the output layer on the needed positions alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from core.engine.states import HeaderStates, lay_out
from core.plan import fold
from core.requests import ScoreRequest


@dataclass(frozen=True)
class ContinuationScore:
    """What the model says about one continuation, token by token (float32 log-probabilities, nats)."""

    logprobs: tuple[float, ...]
    top: tuple[bool, ...]


@torch.inference_mode()
def score_rows(
    model: Any, rows: Sequence[Sequence[ScoreRequest]], device: torch.device, *, trees: bool, states: HeaderStates | None = None
) -> list[list[ContinuationScore]]:  # fmt: skip
    """Return the scores of each row's continuations, in the order of its requests and their continuations.

    With ``trees`` each row goes through the model as one tree, below the header whose ``states`` of this very model are given;
    without, every continuation has a row of its own.
    """
    if not trees:
        return _score_separately(model, rows, device)
    folded = [fold(requests, states.header if states else None) for requests in rows]
    layout = lay_out([tree for tree, _ in folded], states, model, device)
    given = {"attention_mask": layout.mask, "position_ids": layout.positions, "past_key_values": layout.cache}
    targets = [_targets(requests) for requests in rows]
    return _score(model, layout.tokens, given, [predictors for _, predictors in folded], targets, device)


def _score_separately(
    model: Any, rows: Sequence[Sequence[ScoreRequest]], device: torch.device
) -> list[list[ContinuationScore]]:
    """Score every continuation in a row of its own, as many rows at a time as the batch has rows."""
    flat = [
        (
            place,
            ScoreRequest(request.task, request.example_id, request.item, request.kind, request.prompt, (continuation,)),
        )
        for place, requests in enumerate(rows)
        for request in requests
        for continuation in request.continuations
    ]
    results: list[list[ContinuationScore]] = [[] for _ in rows]
    height = max(1, len(rows))
    for first in range(0, len(flat), height):
        some = flat[first : first + height]
        singles = [[request] for _, request in some]
        folded = [fold(single) for single in singles]
        width = max(len(tree) for tree, _ in folded)
        padded = [[*tree.tokens, *[0] * (width - len(tree))] for tree, _ in folded]
        mask = [[1] * len(tree) + [0] * (width - len(tree)) for tree, _ in folded]
        positions = [[*tree.depths, *[0] * (width - len(tree))] for tree, _ in folded]
        given = {
            "attention_mask": torch.tensor(mask, device=device), "position_ids": torch.tensor(positions, device=device)
        }  # fmt: skip
        tokens = torch.tensor(padded, device=device)
        scores = _score(model, tokens, given, [paths for _, paths in folded], [_targets(s) for s in singles], device)
        for (place, _), score in zip(some, scores, strict=True):
            results[place].extend(score)
    return results


def _targets(requests: Sequence[ScoreRequest]) -> list[tuple[int, ...]]:
    return [continuation.ids for request in requests for continuation in request.continuations]


def _score(
    model: Any, tokens: torch.Tensor, given: Mapping[str, Any], predictors: Sequence[list[list[int]]],
    targets: Sequence[list[tuple[int, ...]]], device: torch.device,
) -> list[list[ContinuationScore]]:  # fmt: skip
    """Return the scores of rows x width tokens whose outputs at ``predictors`` predict ``targets``."""
    width = tokens.shape[1]
    flat = sorted({place * width + node for place, row in enumerate(predictors) for path in row for node in path})
    index = {position: k for k, position in enumerate(flat)}
    with head_on(model, torch.tensor(flat, device=device)):
        output = model(input_ids=tokens, use_cache="past_key_values" in given, **given)
    logits = output.logits[0].float()

    sources = [index[place * width + n] for place, row in enumerate(predictors) for path in row for n in path]
    wanted = [token for row in targets for ids in row for token in ids]
    source, target = torch.tensor(sources, device=device), torch.tensor(wanted, device=device)
    found = logits[source, target] - torch.logsumexp(logits, dim=-1)[source]
    is_top = logits.argmax(dim=-1)[source] == target
    # One read for both, since each waits for the device; float64 holds both exactly.
    logprobs, tops = torch.stack([found.double(), is_top.double()]).tolist()

    results, start = [], 0
    for row in targets:
        scores = []
        for ids in row:
            stop = start + len(ids)
            scores.append(ContinuationScore(tuple(logprobs[start:stop]), tuple(map(bool, tops[start:stop]))))
            start = stop
        results.append(scores)
    return results


@contextmanager
def head_on(model: Any, flat: torch.Tensor):
    """Let the output layer see the given positions alone (flat indices into rows x width).

    A hook on the layer keeps whatever the architecture does to logits afterwards (soft caps, scales).
    """

    def choose(_module: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (inputs[0].flatten(0, 1)[flat].unsqueeze(0), *inputs[1:])

    hook = model.get_output_embeddings().register_forward_pre_hook(choose)
    try:
        yield
    finally:
        hook.remove()

"""Log-likelihoods of continuations: every shared token once, the output layer on the needed positions alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from core.requests import ScoreRequest
from core.tree import TokenTree


@dataclass(frozen=True)
class ContinuationScore:
    """What the model says about one continuation, token by token (float32 log-probabilities, nats)."""

    logprobs: tuple[float, ...]
    top: tuple[bool, ...]


@dataclass
class _Row:
    """One row of a batch: its tokens as a tree, and for every continuation the nodes whose output predicts it."""

    tree: TokenTree
    predictors: list[list[int]]


@torch.inference_mode()
def score_rows(
    model: Any, rows: Sequence[Sequence[ScoreRequest]], device: torch.device, *, trees: bool
) -> list[list[ContinuationScore]]:
    """Return the scores of each row's continuations, in the order of its requests and their continuations.

    With ``trees`` each row goes through the model as one tree; without, every continuation has a row of its own.
    """
    if not trees:
        return _score_separately(model, rows, device)
    return _score(model, [_as_tree(requests) for requests in rows], [_targets(requests) for requests in rows], device)


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
        scores = _score(model, [_as_tree(s) for s in singles], [_targets(s) for s in singles], device, masked=False)
        for (place, _), score in zip(some, scores, strict=True):
            results[place].extend(score)
    return results


def _as_tree(requests: Sequence[ScoreRequest]) -> _Row:
    row = _Row(TokenTree(), [])
    for request in requests:
        last = row.tree.add(request.prompt)[-1]
        for continuation in request.continuations:
            row.predictors.append([last, *row.tree.add(continuation.ids[:-1], last)])
    return row


def _targets(requests: Sequence[ScoreRequest]) -> list[tuple[int, ...]]:
    return [continuation.ids for request in requests for continuation in request.continuations]


def _score(
    model: Any,
    rows: Sequence[_Row],
    targets: Sequence[list[tuple[int, ...]]],
    device: torch.device,
    *,
    masked: bool = True,
) -> list[list[ContinuationScore]]:
    width = max(len(row.tree) for row in rows)
    tokens = torch.zeros(len(rows), width, dtype=torch.long)
    positions = torch.zeros(len(rows), width, dtype=torch.long)
    for place, row in enumerate(rows):
        tokens[place, : len(row.tree)] = torch.tensor(row.tree.tokens)
        positions[place, : len(row.tree)] = torch.tensor(row.tree.depths)
    if masked:
        mask = _tree_mask(rows, width, _dtype(model)).to(device)
    else:
        mask = torch.tensor([[1] * len(r.tree) + [0] * (width - len(r.tree)) for r in rows], device=device)

    flat = sorted({place * width + node for place, row in enumerate(rows) for path in row.predictors for node in path})
    index = {position: k for k, position in enumerate(flat)}
    with _head_on(model, torch.tensor(flat, device=device)):
        output = model(
            input_ids=tokens.to(device), attention_mask=mask, position_ids=positions.to(device), use_cache=False
        )
    logits = output.logits[0].float()

    sources = [index[place * width + n] for place, row in enumerate(rows) for path in row.predictors for n in path]
    wanted = [token for row in targets for ids in row for token in ids]
    source, target = torch.tensor(sources, device=device), torch.tensor(wanted, device=device)
    logprobs = (logits[source, target] - torch.logsumexp(logits, dim=-1)[source]).tolist()
    top = (logits.argmax(dim=-1)[source] == target).tolist()

    results, start = [], 0
    for row in targets:
        scores = []
        for ids in row:
            stop = start + len(ids)
            scores.append(ContinuationScore(tuple(logprobs[start:stop]), tuple(top[start:stop])))
            start = stop
        results.append(scores)
    return results


def _tree_mask(rows: Sequence[_Row], width: int, dtype: torch.dtype) -> torch.Tensor:
    """Return the additive mask (rows, 1, width, width); padding sees itself, so that no row is all masked."""
    visible = torch.eye(width, dtype=torch.bool).repeat(len(rows), 1, 1)
    for place, row in enumerate(rows):
        size = len(row.tree)
        visible[place, :size, :size] = torch.from_numpy(row.tree.visible())
    blocked = torch.full((), torch.finfo(dtype).min, dtype=dtype)
    return torch.where(visible, torch.zeros((), dtype=dtype), blocked).unsqueeze(1)


def _dtype(model: Any) -> torch.dtype:
    return next(model.parameters()).dtype


@contextmanager
def _head_on(model: Any, flat: torch.Tensor):
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

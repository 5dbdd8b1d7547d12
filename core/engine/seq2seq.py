"""Sequence-to-sequence models (T5, BART, Marian): the prompt goes to the encoder, what is scored or answered to the decoder.

The encoder runs once for each distinct prompt of a batch; all that is asked about it shares what the encoder gave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import DynamicCache, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput

from core.engine.generate import Row, choose, record
from core.engine.score import ContinuationScore
from core.errors import InputError
from core.records import Generation
from core.requests import GenerateRequest, ScoreRequest
from core.spec import Settings

DECODER_TOKENS = 1_024
"""Of answers that are scored side by side: the logits of each are a whole vocabulary of float32."""


def is_seq2seq(config: Any) -> bool:
    """Tell whether a model of this config has an encoder and a decoder."""
    return bool(getattr(config, "is_encoder_decoder", False))


def start_id(model: Any) -> int:
    """Return the token that the decoder begins with.

    Raises:
        InputError: neither config.json nor generation_config.json says which it is.
    """
    for config in (model.config, model.generation_config):
        if (found := getattr(config, "decoder_start_token_id", None)) is not None:
            return found
    raise InputError(
        f"{model.config.name_or_path}: found no decoder_start_token_id in config.json; a sequence-to-sequence model needs "
        "the token that its decoder begins with. Add it there (T5: its padding token; BART: </s>)."
    )


@torch.inference_mode()
def encode(model: Any, prompts: Sequence[tuple[int, ...]], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what the encoder gives for prompts, (prompts, longest, width), and the mask of real tokens."""
    width = max(len(prompt) for prompt in prompts)
    padding = getattr(model.config, "pad_token_id", None) or 0
    tokens = torch.full((len(prompts), width), padding, dtype=torch.long)
    mask = torch.zeros(len(prompts), width, dtype=torch.long)
    for place, prompt in enumerate(prompts):
        tokens[place, : len(prompt)] = torch.tensor(prompt)
        mask[place, : len(prompt)] = 1
    mask = mask.to(device)
    hidden = model.get_encoder()(input_ids=tokens.to(device), attention_mask=mask, return_dict=True).last_hidden_state
    return hidden, mask


@torch.inference_mode()
def score_rows(
    model: Any, rows: Sequence[Sequence[ScoreRequest]], device: torch.device
) -> list[list[ContinuationScore]]:
    """Return the scores of each row's continuations, in the order of its requests and their continuations.

    As the training loss sees them: each token given the prompt in the encoder and the tokens before it in the decoder.
    """
    places: dict[tuple[int, ...], int] = {}
    asked: list[tuple[int, tuple[int, ...]]] = []
    for request in (request for row in rows for request in row):
        place = places.setdefault(request.prompt, len(places))
        asked += [(place, continuation.ids) for continuation in request.continuations]
    hidden, mask = encode(model, list(places), device)
    scores: list[ContinuationScore] = []
    for some in _within_budget(asked):
        chosen = torch.tensor([place for place, _ in some], device=device)
        scores += _score(model, hidden[chosen], mask[chosen], [ids for _, ids in some], device)
    found = iter(scores)
    return [[next(found) for request in row for _ in request.continuations] for row in rows]


def _within_budget(asked: Sequence[tuple[int, tuple[int, ...]]]) -> list[list[tuple[int, tuple[int, ...]]]]:
    """Return the answers in groups whose tokens, padding included, fit the budget; a longer one goes alone."""
    groups: list[list[tuple[int, tuple[int, ...]]]] = []
    widest = 0
    for one in asked:
        widest = max(widest, len(one[1]))
        if not groups or widest * (len(groups[-1]) + 1) > DECODER_TOKENS:
            groups.append([])
            widest = len(one[1])
        groups[-1].append(one)
    return groups


def _score(
    model: Any, hidden: torch.Tensor, mask: torch.Tensor, answers: Sequence[tuple[int, ...]], device: torch.device
) -> list[ContinuationScore]:
    width = max(len(ids) for ids in answers)
    tokens = torch.full((len(answers), width), start_id(model), dtype=torch.long)
    targets = torch.zeros(len(answers), width, dtype=torch.long)
    for place, ids in enumerate(answers):
        tokens[place, 1 : len(ids)] = torch.tensor(ids[:-1], dtype=torch.long)
        targets[place, : len(ids)] = torch.tensor(ids)
    targets = targets.to(device)
    logits = model(
        encoder_outputs=BaseModelOutput(last_hidden_state=hidden), attention_mask=mask,
        decoder_input_ids=tokens.to(device), use_cache=False,
    ).logits.float()  # fmt: skip
    logprobs = (logits.gather(-1, targets[..., None])[..., 0] - torch.logsumexp(logits, dim=-1)).tolist()
    top = (logits.argmax(dim=-1) == targets).tolist()
    return [
        ContinuationScore(tuple(logprobs[place][: len(ids)]), tuple(top[place][: len(ids)]))
        for place, ids in enumerate(answers)
    ]


class Stepper:
    """A batch of answers that grow by a token at a time; rows leave it when they are finished."""

    def __init__(self, model: Any, prompts: Sequence[tuple[int, ...]], device: torch.device) -> None:
        """Run the encoder over the prompts."""
        self._model = model
        self._hidden, self._mask = encode(model, prompts, device)
        self._cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        self._tokens = torch.full((len(prompts), 1), start_id(model), dtype=torch.long, device=device)

    def logits(self) -> torch.Tensor:
        """Return the logits of each row's next token, (rows, vocabulary) in float32."""
        output = self._model(
            encoder_outputs=BaseModelOutput(last_hidden_state=self._hidden), attention_mask=self._mask,
            decoder_input_ids=self._tokens, past_key_values=self._cache, use_cache=True,
        )  # fmt: skip
        return output.logits[:, -1].float()

    def go_on(self, chosen: torch.Tensor, going: Sequence[int]) -> None:
        """Take each row's next token, (rows,), and keep the rows at the places ``going`` alone."""
        if len(going) < len(chosen):
            keep = torch.tensor(going, device=chosen.device)
            self._cache.batch_select_indices(keep)
            self._hidden, self._mask, chosen = self._hidden[keep], self._mask[keep], chosen[keep]
        self._tokens = chosen[:, None]


@torch.inference_mode()
def generate_rows(
    model: Any, requests: Sequence[GenerateRequest], settings: Settings, device: torch.device, *,
    stop_ids: frozenset[int], decode: Callable[[Sequence[int]], str],
) -> list[Generation]:  # fmt: skip
    """Return what the model answers to each prompt, in the order of the requests; see `core.engine.generate.generate_rows`.

    Of generation_config.json the token that an answer has to begin with and the tokens that may not stand in one are
    followed (``forced_bos_token_id``, ``bad_words_ids`` of one token); beams, penalties and forced ends are not.
    """
    rows = [Row(request, settings, stop_ids, decode) for request in requests]
    stepper = Stepper(model, [request.prompt for request in requests], device)
    first, barred = _forced_first(model), _barred(model, device)
    alive = rows
    while alive:
        logits = stepper.logits()
        chosen = choose(logits if barred is None else logits.index_fill(-1, barred, -torch.inf), alive)
        if first is not None:
            chosen, first = torch.full_like(chosen, first), None
        record(alive, chosen, logits)
        going = [place for place, row in enumerate(alive) if row.finish is None]
        alive = [alive[place] for place in going]
        if alive:
            stepper.go_on(chosen, going)
    return [row.answer() for row in rows]


def _forced_first(model: Any) -> int | None:
    return getattr(model.generation_config, "forced_bos_token_id", None)


def _barred(model: Any, device: torch.device) -> torch.Tensor | None:
    listed = getattr(model.generation_config, "bad_words_ids", None) or ()
    single = sorted({ids[0] for ids in listed if len(ids) == 1})
    return torch.tensor(single, device=device) if single else None

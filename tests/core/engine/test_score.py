"""Scores equal plain transformers, unbatched, in float64; whatever the batch and the layout."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import GPT2Config, GPT2LMHeadModel, LlamaForCausalLM

from core.data.prompt import PromptRenderer
from core.engine.models import Models, load_causal, supports_trees
from core.engine.packed import pack
from core.engine.score import score_rows
from core.records import BASELINE
from core.requests import Continuation, ScoreRequest

PROMPTS = ["hello", "hello there", "a longer prompt with 中文 in it", "x"]
ANSWERS = ["yes", "no", "yes indeed", "一"]


def requests_for(renderer: PromptRenderer) -> list[list[ScoreRequest]]:
    """Four rows; the rows with two requests share the beginning of their prompts, and options are prefixes of others."""

    def request(prompt: str, task: str) -> ScoreRequest:
        continuations = [
            Continuation(text, renderer.encode(text).ids + renderer.end_of_turn_ids, (), len(text.encode()))
            for text in ANSWERS
        ]
        return ScoreRequest(task, prompt, "", "options", renderer.encode(prompt).ids, tuple(continuations))

    return [
        [request(prompt, "a"), request(f"{prompt} again", "b")] if k % 2 else [request(prompt, "a")]
        for k, prompt in enumerate(PROMPTS)
    ]


def reference_scores(model: torch.nn.Module, request: ScoreRequest) -> list[np.ndarray]:
    """Return each continuation's token log-probabilities from one plain forward pass each, in float64."""
    found = []
    for continuation in request.continuations:
        ids = torch.tensor([[*request.prompt, *continuation.ids]])
        with torch.inference_mode():
            logprobs = torch.log_softmax(model(input_ids=ids).logits[0].double(), dim=-1)
        start = len(request.prompt)
        found.append(np.array([logprobs[start + k - 1, token].item() for k, token in enumerate(continuation.ids)]))
    return found


@pytest.mark.parametrize("trees", [True, False])
@pytest.mark.parametrize("variant", [BASELINE, "one", "two"])
def test_scores_equal_plain_transformers_in_float64(tiny, renderer, models: Models, variant: str, trees: bool) -> None:
    plain = LlamaForCausalLM.from_pretrained(tiny / "base").double().eval()
    if variant != BASELINE:
        plain = PeftModel.from_pretrained(plain, str(tiny / variant)).double().eval()
    rows = requests_for(renderer)
    with models.variant(variant) as model:
        scored = score_rows(model, rows, models.device, trees=trees)
    for requests, scores in zip(rows, scored, strict=True):
        expected = [tokens for request in requests for tokens in reference_scores(plain, request)]
        for tokens, score in zip(expected, scores, strict=True):
            np.testing.assert_allclose(score.logprobs, tokens, atol=1e-4)
            assert abs(sum(score.logprobs) - tokens.sum()) < 1e-3


def test_top_says_whether_the_token_was_the_likeliest(tiny, renderer, models: Models) -> None:
    plain = LlamaForCausalLM.from_pretrained(tiny / "base").eval()
    request = requests_for(renderer)[0][0]
    with models.variant(BASELINE) as model:
        scores = score_rows(model, [[request]], models.device, trees=True)[0]
    for continuation, score in zip(request.continuations, scores, strict=True):
        ids = torch.tensor([[*request.prompt, *continuation.ids]])
        with torch.inference_mode():
            best = plain(input_ids=ids).logits[0].argmax(-1)[len(request.prompt) - 1 : -1]
        assert list(score.top) == [token == top for token, top in zip(continuation.ids, best.tolist(), strict=True)]


def test_the_baseline_is_the_bare_base_bit_for_bit(tiny, renderer, models: Models) -> None:
    bare = load_causal(tiny / "base", torch.device("cpu"), torch.float32)
    pack(bare)
    rows = requests_for(renderer)
    with models.variant(BASELINE) as model:
        assert score_rows(model, rows, models.device, trees=True) == score_rows(bare, rows, models.device, trees=True)


def test_an_architecture_that_is_not_listed_is_scored_in_rows_of_its_own(renderer) -> None:
    size = renderer.tokenizer.get_vocab_size()
    torch.manual_seed(0)
    gpt2 = GPT2LMHeadModel(GPT2Config(vocab_size=size, n_embd=32, n_layer=2, n_head=4, n_positions=256)).eval()
    assert not supports_trees(gpt2.config)
    rows = requests_for(renderer)
    scored = score_rows(gpt2, rows, torch.device("cpu"), trees=False)
    for requests, scores in zip(rows, scored, strict=True):
        expected = [tokens for request in requests for tokens in reference_scores(gpt2.double(), request)]
        gpt2.float()
        for tokens, score in zip(expected, scores, strict=True):
            np.testing.assert_allclose(score.logprobs, tokens, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here: the GPU path was not exercised")
def test_scores_on_a_gpu_equal_the_cpu(tiny, renderer) -> None:
    rows = requests_for(renderer)
    here = load_causal(tiny / "base", torch.device("cpu"), torch.float32)
    there = load_causal(tiny / "base", torch.device("cuda"), torch.float32)
    ours = score_rows(here, rows, torch.device("cpu"), trees=True)
    theirs = score_rows(there, rows, torch.device("cuda"), trees=True)
    for row, other in zip(ours, theirs, strict=True):
        for score, found in zip(row, other, strict=True):
            np.testing.assert_allclose(score.logprobs, found.logprobs, atol=1e-3)

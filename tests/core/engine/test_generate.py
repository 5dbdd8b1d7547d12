"""Answers equal transformers' own generate, one prompt at a time."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaForCausalLM

from core.engine.generate import generate_rows
from core.engine.models import Models, load_causal
from core.engine.packed import pack
from core.records import BASELINE, Generation
from core.requests import GenerateRequest
from core.spec import Settings

PROMPTS = ["hello", "a rather longer prompt than the first", "中文", "x y z", "12"]


@pytest.fixture
def requests(renderer) -> list[GenerateRequest]:
    return [GenerateRequest("t", str(k), "", renderer.encode(prompt).ids) for k, prompt in enumerate(PROMPTS)]


def answers(models: Models, renderer, requests, variant: str = BASELINE, **settings) -> list[Generation]:
    with models.variant(variant) as model:
        return generate_rows(
            model, requests, Settings(**{"max_new_tokens": 24} | settings), models.device,
            stop_ids=renderer.stop_ids, decode=renderer.decode,
        )  # fmt: skip


def test_greedy_answers_equal_transformers_generate(tiny, renderer, models: Models, requests) -> None:
    plain = LlamaForCausalLM.from_pretrained(tiny / "base").eval()
    for request, answer in zip(requests, answers(models, renderer, requests), strict=True):
        ids = torch.tensor([request.prompt])
        expected = plain.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False, eos_token_id=sorted(renderer.stop_ids)
        )[0, len(request.prompt) :].tolist()  # fmt: skip
        assert list(answer.token_ids) == expected
        assert answer.finish == ("eos" if expected[-1] in renderer.stop_ids else "length")
        assert answer.text == renderer.decode(expected)


def test_the_baseline_answers_as_the_bare_base_bit_for_bit(tiny, renderer, models: Models, requests) -> None:
    bare = load_causal(tiny / "base", torch.device("cpu"), torch.float32)
    pack(bare)
    alone = generate_rows(
        bare, requests, Settings(max_new_tokens=24), models.device, stop_ids=renderer.stop_ids, decode=renderer.decode
    )
    assert alone == answers(models, renderer, requests)


def test_logprobs_are_those_of_the_chosen_tokens(tiny, renderer, models: Models, requests) -> None:
    plain = LlamaForCausalLM.from_pretrained(tiny / "base").double().eval()
    for request, answer in zip(requests, answers(models, renderer, requests), strict=True):
        ids = torch.tensor([[*request.prompt, *answer.token_ids]])
        with torch.inference_mode():
            logprobs = torch.log_softmax(plain(input_ids=ids).logits[0], dim=-1)
        start = len(request.prompt) - 1
        expected = [logprobs[start + k, token].item() for k, token in enumerate(answer.token_ids)]
        assert answer.token_logprobs == pytest.approx(expected, abs=1e-4)


def test_rows_that_finish_early_leave_and_the_others_go_on(renderer, models: Models, requests) -> None:
    plain = answers(models, renderer, requests, "one")
    enders = {answer.token_ids[3] for answer in plain[:2]}  # these rows now end after at most four tokens
    with models.variant("one") as model:
        ended = generate_rows(
            model,
            requests,
            Settings(max_new_tokens=24),
            models.device,
            stop_ids=frozenset(enders),
            decode=renderer.decode,
        )
    assert [answer.finish for answer in ended[:2]] == ["eos", "eos"]
    for before, after in zip(plain, ended, strict=True):
        assert after.token_ids == before.token_ids[: len(after.token_ids)]
        assert len(after.token_ids) == 24 or after.token_ids[-1] in enders


def test_a_stop_string_ends_the_answer_before_it(renderer, models: Models, requests) -> None:
    plain = answers(models, renderer, requests)
    stop = next(text[4] for text in (answer.text for answer in plain) if len(text) > 6)
    for before, after in zip(plain, answers(models, renderer, requests, stop=(stop,)), strict=True):
        if stop in before.text:
            assert after.text == before.text[: before.text.index(stop)]
            assert after.finish == "stop"
        else:
            assert after.text == before.text


def test_draws_are_seeded_and_do_not_depend_on_neighbours(renderer, models: Models, requests) -> None:
    together = answers(models, renderer, requests, temperature=1.0, seed=3)
    assert answers(models, renderer, requests, temperature=1.0, seed=3) == together
    assert answers(models, renderer, requests, temperature=1.0, seed=4) != together
    alone = [answers(models, renderer, [request], temperature=1.0, seed=3)[0] for request in requests]
    assert [answer.token_ids for answer in alone] == [answer.token_ids for answer in together]


def test_a_small_nucleus_is_greedy(renderer, models: Models, requests) -> None:
    greedy = answers(models, renderer, requests)
    nucleus = answers(models, renderer, requests, temperature=1.0, top_p=1e-6)
    assert [answer.token_ids for answer in nucleus] == [answer.token_ids for answer in greedy]

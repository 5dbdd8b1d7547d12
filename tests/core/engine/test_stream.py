"""A stream answers as prompts alone would be answered, whatever the header, the neighbours, and what memory allows."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from core.data.prompt import PromptRenderer
from core.engine.generate import generate_rows
from core.engine.models import Models, load_causal
from core.engine.observe import Observer
from core.engine.score import score_rows
from core.engine.slots import Slots
from core.engine.states import encode_header
from core.engine.stream import Stream
from core.plan import Batch, Part, fold
from core.records import BASELINE, Generation
from core.requests import Continuation, GenerateRequest, ScoreRequest
from core.spec import Settings
from core.tree import Header, shared_header

PROMPTS = [f"a common beginning, then {'some ' * (k % 4)}number {k}" for k in range(11)] + ["another", "x"]
CPU = torch.device("cpu")


@pytest.fixture
def requests(renderer: PromptRenderer) -> list[GenerateRequest]:
    made = [GenerateRequest("t", str(k), "", renderer.encode(prompt).ids) for k, prompt in enumerate(PROMPTS)]
    return sorted(made, key=lambda request: -len(request.prompt))


def header_of(requests: Sequence[GenerateRequest | ScoreRequest]) -> Header:
    found = shared_header([[request.prompt] for request in requests], most=100)
    assert found is not None and len(found) > 10
    return found


def streamed(
    models: Models, renderer: PromptRenderer, requests: Sequence[GenerateRequest], variant: str = BASELINE, *,
    side_by_side: int = 4, tokens: int = 120, room: int = 1000, header: Header | None = None, stop_ids: frozenset[int] | None = None,
    **settings: Any,
) -> list[Generation]:  # fmt: skip
    chosen = Settings(**{"max_new_tokens": 24} | settings)
    ends = renderer.stop_ids if stop_ids is None else stop_ids
    with models.variant(variant) as model:
        states = encode_header(model, header, models.device) if header else None
        stream = Stream(requests, chosen, stop_ids=ends, decode=renderer.decode)
        stream.go(model, models.device, side_by_side=side_by_side, tokens=tokens, room=room, states=states)
    return [stream.found[place] for place in range(len(requests))]


def alone(models: Models, renderer: PromptRenderer, requests: Sequence[GenerateRequest], variant: str, **settings: Any):
    chosen = Settings(**{"max_new_tokens": 24} | settings)
    with models.variant(variant) as model:
        return [
            generate_rows(model, [one], chosen, CPU, stop_ids=renderer.stop_ids, decode=renderer.decode)[0] for one in requests
        ]  # fmt: skip


@pytest.mark.parametrize("variant", [BASELINE, "one"])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(("side_by_side", "room"), [(1, 1000), (3, 1000), (20, 2000), (20, 350)])
def test_answers_equal_those_of_prompts_alone(
    renderer, models: Models, requests, variant: str, shared: bool, side_by_side: int, room: int
) -> None:
    header = header_of(requests) if shared else None
    found = streamed(models, renderer, requests, variant, side_by_side=side_by_side, room=room, header=header)
    for one, expected in zip(found, alone(models, renderer, requests, variant), strict=True):
        assert one.token_ids == expected.token_ids
        assert (one.text, one.finish, one.n_prompt_tokens) == (expected.text, expected.finish, expected.n_prompt_tokens)
        np.testing.assert_allclose(one.token_logprobs, expected.token_logprobs, atol=1e-4)


def test_greedy_answers_equal_transformers_generate(tiny, renderer, models: Models, requests) -> None:
    plain = LlamaForCausalLM.from_pretrained(tiny / "base").eval()
    for request, answer in zip(requests, streamed(models, renderer, requests, header=header_of(requests)), strict=True):
        ids = torch.tensor([request.prompt])
        expected = plain.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False, eos_token_id=sorted(renderer.stop_ids)
        )[0, len(request.prompt) :].tolist()  # fmt: skip
        assert list(answer.token_ids) == expected


def test_the_same_stream_gives_the_same_bits(renderer, models: Models, requests) -> None:
    header = header_of(requests)
    assert streamed(models, renderer, requests, "one", header=header) == streamed(
        models, renderer, requests, "one", header=header
    )


def test_rows_that_end_make_room_for_others(renderer, models: Models, requests) -> None:
    plain = streamed(models, renderer, requests, "one", stop_ids=frozenset())
    ends = frozenset({answer.token_ids[k % 5] for k, answer in enumerate(plain)})
    ended = streamed(models, renderer, requests, "one", stop_ids=ends)
    assert len({len(answer.token_ids) for answer in ended}) > 1
    for before, after in zip(plain, ended, strict=True):
        assert after.token_ids == before.token_ids[: len(after.token_ids)]
        assert len(after.token_ids) == 24 or after.token_ids[-1] in ends


def test_draws_do_not_depend_on_who_stands_beside(renderer, models: Models, requests) -> None:
    drawn = streamed(models, renderer, requests, temperature=1.0, seed=3)
    other = streamed(models, renderer, requests, temperature=1.0, seed=3, side_by_side=20)
    assert [answer.token_ids for answer in drawn] == [answer.token_ids for answer in other]


def test_a_stop_string_ends_the_answer_before_it(renderer, models: Models, requests) -> None:
    plain = streamed(models, renderer, requests, max_new_tokens=60)
    stop = next(answer.text[30:33] for answer in plain if len(answer.text) > 40)
    stopped = streamed(models, renderer, requests, max_new_tokens=60, stop=(stop,))
    assert any(answer.finish == "stop" for answer in stopped)
    for before, after in zip(plain, stopped, strict=True):
        assert after.text == before.text.partition(stop)[0]


def test_scores_below_a_header_equal_plain_transformers(tiny, renderer, models: Models, requests) -> None:
    plain = LlamaForCausalLM.from_pretrained(tiny / "base").double().eval()
    answers = tuple(Continuation(t, renderer.encode(t).ids, (), len(t)) for t in ("yes", "yes indeed", "no"))
    rows = [[ScoreRequest("t", one.example_id, "", "options", one.prompt, answers)] for one in requests]
    header = header_of([row[0] for row in rows])
    assert len(fold(rows[0], header)[0]) < len(fold(rows[0])[0])
    with models.variant(BASELINE) as model:
        states = encode_header(model, header, CPU)
        scored = score_rows(model, rows, CPU, trees=True, states=states)
    for (request,), scores in zip(rows, scored, strict=True):
        for continuation, score in zip(request.continuations, scores, strict=True):
            with torch.inference_mode():
                logits = plain(input_ids=torch.tensor([[*request.prompt, *continuation.ids]])).logits[0]
            start = len(request.prompt) - 1
            expected = torch.log_softmax(logits, -1)[
                torch.arange(len(continuation.ids)) + start, torch.tensor(continuation.ids)
            ]
            np.testing.assert_allclose(score.logprobs, expected.numpy(), atol=1e-4)


def test_a_row_of_undefined_numbers_leaves_nothing_behind(tiny, renderer, requests) -> None:
    broken = load_causal(tiny / "base", CPU, torch.float32)
    bad = renderer.encode("~").ids[0]
    with torch.no_grad():
        broken.get_input_embeddings().weight[bad] = float("nan")
        broken.lm_head.weight = torch.nn.Parameter(broken.get_input_embeddings().weight.clone().nan_to_num(0.0))
    short, long = requests[-1], requests[:2]  # the short one takes the place of the bad one, beside a long one
    spoilt = [GenerateRequest("t", "bad", "", (bad, *long[0].prompt)), long[0], short, long[1]]
    given = {"stop_ids": renderer.stop_ids, "decode": renderer.decode}
    stream = Stream(spoilt, Settings(max_new_tokens=12), **given)
    stream.go(broken, CPU, side_by_side=2, tokens=100, room=1000)
    assert all(value != value for value in stream.found[0].token_logprobs)
    for place in range(1, len(spoilt)):
        expected = generate_rows(broken, [spoilt[place]], Settings(max_new_tokens=12), CPU, **given)[0]
        assert stream.found[place].token_ids == expected.token_ids


class Cramped:
    """A model that has room for so many tokens at a time."""

    def __init__(self, model: Any, room: int) -> None:
        self._model, self._room = model, room

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, *given: Any, **named: Any) -> Any:
        if named["input_ids"].numel() > self._room:
            raise torch.OutOfMemoryError("out of memory")
        return self._model(*given, **named)


def test_when_memory_gives_out_fewer_go_on_and_that_is_remembered(renderer, models: Models, requests) -> None:
    said: list[str] = []
    observer = Observer(models, Settings(max_new_tokens=8), renderer, said.append)
    batch = Batch("generate", tuple((request,) for request in requests), 1000, side_by_side=8)
    observer.decide(requests[0])
    with models.variant(BASELINE) as model:
        whole = list(observer.observe(model, BASELINE, Part(0, (batch,))))
        found = list(observer.observe(Cramped(model, 90), BASELINE, Part(0, (batch,))))
        told = list(said)
        list(observer.observe(Cramped(model, 90), BASELINE, Part(1, (batch,))))
    assert [piece.generation.token_ids for piece in found] == [piece.generation.token_ids for piece in whole]
    assert told and all("out of memory" in sentence for sentence in told)
    assert said == told  # the second time the smaller number is known


def test_scores_go_on_with_fewer_rows_and_one_without_room_says_so(renderer, models: Models, requests) -> None:
    said: list[str] = []
    observer = Observer(models, Settings(), renderer, said.append)
    answer = (Continuation("yes", renderer.encode("yes").ids, (0,), 3),)
    rows = tuple((ScoreRequest("t", one.example_id, "", "options", one.prompt, answer),) for one in requests)
    widest = len(requests[0].prompt) + len(answer[0].ids) - 1
    batch = Batch("score", rows, widest * len(rows))
    with models.variant(BASELINE) as model:
        found = list(observer.observe(Cramped(model, widest - 1), BASELINE, Part(0, (batch,))))
    missing = [piece for piece in found if piece.reason]
    assert missing and all(piece.reason == "not enough memory for this example alone" for piece in missing)
    longest = {r.example_id for r in requests if len(r.prompt) == len(requests[0].prompt)}
    assert {piece.example_id for piece in missing} == longest
    assert [piece.example_id for piece in found] == [one.example_id for one in requests]


def test_the_memory_of_a_stream_is_free_as_soon_as_it_ends(renderer, models: Models, requests, monkeypatch) -> None:
    """Without the collector's help: a stream holds the largest tensors of an evaluation, and another one follows."""
    held: list[weakref.ref[torch.Tensor]] = []
    cut = Slots._make_room

    def noted(self: Slots, *like: Any, **given: Any) -> None:
        cut(self, *like, **given)
        if self._memory is not None and not (held and held[-1]() is self._memory):
            held.append(weakref.ref(self._memory))

    monkeypatch.setattr(Slots, "_make_room", noted)
    gc.disable()
    try:
        streamed(models, renderer, requests, header=header_of(requests))
        assert len(held) == 1  # one piece, however often its blocks are cut anew
        assert held[0]() is None
    finally:
        gc.enable()


def test_a_row_that_outgrows_the_room_has_it(renderer, models: Models, requests) -> None:
    found = streamed(models, renderer, requests, room=10, max_new_tokens=80, stop_ids=frozenset())
    expected = streamed(models, renderer, requests, side_by_side=1, max_new_tokens=80, stop_ids=frozenset())
    assert [one.token_ids for one in found] == [one.token_ids for one in expected]
    assert all(len(one.token_ids) == 80 for one in found)

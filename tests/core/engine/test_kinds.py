"""Every kind of adapter, all attached to one base at once, answers as PEFT alone does, one text at a time in float32."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import LlamaConfig, LlamaForCausalLM

from core.data.prompt import PromptRenderer
from core.engine.generate import generate_rows
from core.engine.models import AdapterSource, Models, load_causal
from core.engine.packed import PackedLinear, pack
from core.engine.score import score_rows
from core.errors import InputError
from core.records import BASELINE
from core.requests import Continuation, GenerateRequest, ScoreRequest
from core.spec import Settings
from tests.core.engine.kinds import ALL_KINDS, PROMPT_KINDS, make_kind
from tests.tiny import make_tokenizer

CPU = torch.device("cpu")
PADDED = 5
"""Rows of the embedding matrix beyond the tokenizer's vocabulary."""
NEW_TOKENS = 4
PROMPTS = ("hello", "a longer prompt than that")
ANSWERS = ("yes", "yes it")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny base with biases in its attention and a padded vocabulary."""
    folder = tmp_path_factory.mktemp("kinds") / "base"
    size = make_tokenizer(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=size + PADDED, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, bos_token_id=size - 2, eos_token_id=size - 1, pad_token_id=size - 1,
        tie_word_embeddings=True, initializer_range=0.3, attention_bias=True,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bare(base: Path) -> Any:
    return load_causal(base, CPU, torch.float32)


@pytest.fixture(scope="module")
def packed(base: Path) -> Any:
    """The bare base, multiplied as the engine multiplies."""
    model = load_causal(base, CPU, torch.float32)
    pack(model)
    return model


@pytest.fixture(scope="module")
def models(base: Path) -> Models:
    sources = {
        name: AdapterSource(make_kind(base, base.parent / name, config(), seed=3), 1.0)
        for name, config in ALL_KINDS.items()
    }
    return Models(base, sources, {}, CPU, torch.float32)


@pytest.fixture(scope="module")
def renderer(base: Path) -> PromptRenderer:
    return PromptRenderer(base)


def asked(renderer: PromptRenderer) -> list[ScoreRequest]:
    end = renderer.end_of_turn_ids
    answers = tuple(Continuation(text, renderer.encode(text).ids + end, (), len(text)) for text in ANSWERS)
    return [ScoreRequest("t", prompt, "", "options", renderer.encode(prompt).ids, answers) for prompt in PROMPTS]


@torch.inference_mode()
def alone(model: Any, ids: tuple[int, ...]) -> torch.Tensor:
    """Return the log-probabilities of the next token at each place of one text, without what stands at virtual tokens."""
    return torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0, -len(ids) :].double(), dim=-1)


def scores_alone(model: Any, request: ScoreRequest) -> Iterator[list[float]]:
    for continuation in request.continuations:
        logprobs = alone(model, request.prompt + continuation.ids)[len(request.prompt) - 1 :]
        yield [logprobs[k, token].item() for k, token in enumerate(continuation.ids)]


def greedy_alone(model: Any, prompt: tuple[int, ...], stop: frozenset[int]) -> tuple[int, ...]:
    answer: tuple[int, ...] = ()
    while len(answer) < NEW_TOKENS and not stop & set(answer):
        answer += (int(alone(model, prompt + answer)[-1].argmax()),)
    return answer


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_kind_beside_all_others_equals_peft_alone(
    bare: Any, models: Models, renderer: PromptRenderer, kind: str
) -> None:
    plain = PeftModel.from_pretrained(copy.deepcopy(bare), str(models.adapters[kind].folder)).eval()
    requests = asked(renderer)
    rows = [[request] for request in requests]
    prompts = [GenerateRequest("t", request.example_id, "", request.prompt) for request in requests]
    with models.variant(kind) as model:
        scored = {trees: score_rows(model, rows, CPU, trees=trees) for trees in (True, False)}
        answers = generate_rows(
            model, prompts, Settings(max_new_tokens=NEW_TOKENS), CPU, stop_ids=renderer.stop_ids, decode=renderer.decode
        )
    for place, request in enumerate(requests):
        expected = list(scores_alone(plain, request))
        for scores in scored.values():
            for score, logprobs in zip(scores[place], expected, strict=True):
                assert score.logprobs == pytest.approx(logprobs, abs=1e-4)
        assert answers[place].token_ids == greedy_alone(plain, request.prompt, renderer.stop_ids)
    moved = (alone(plain, requests[0].prompt) - alone(bare, requests[0].prompt)).abs().max()
    assert moved > 1e-2
    assert models.keys_not_loaded(kind) == []


def test_the_baseline_beside_every_kind_is_the_bare_base_bit_for_bit(
    bare: Any, packed: Any, models: Models, renderer: PromptRenderer
) -> None:
    rows = [[request] for request in asked(renderer)]
    with models.variant(BASELINE) as model:
        assert score_rows(model, rows, CPU, trees=True) == score_rows(packed, rows, CPU, trees=True)
        held = dict(model.named_parameters())
        layers = [(name, layer) for name, layer in model.named_modules() if isinstance(layer, PackedLinear)]
        held |= {f"{name}.weight": layer.plain().weight for name, layer in layers}
    for name, parameter in bare.named_parameters():
        assert torch.equal(parameter, held[name]), name


def test_at_scale_0_an_adapter_is_the_baseline(
    base: Path, packed: Any, models: Models, renderer: PromptRenderer
) -> None:
    folders = {name: models.adapters[name].folder for name in ("dora", "saved_both", "bias")}
    off = Models(base, {name: AdapterSource(folder, 0.0) for name, folder in folders.items()}, {}, CPU, torch.float32)
    ids = asked(renderer)[1].prompt
    for name in folders:
        with off.variant(name) as model:
            assert torch.equal(alone(model, ids), alone(packed, ids))


def test_adapters_share_the_weights_of_the_base(models: Models) -> None:
    with models.variant(BASELINE) as model:
        ours = {id(parameter) for parameter in model.parameters()}
    for kind in ("dora", "ia3", "ln_tuning", "saved_norm", *PROMPT_KINDS):
        with models.variant(kind) as model:
            shared = sum(parameter.numel() for parameter in model.parameters() if id(parameter) in ours)
        assert shared == sum(parameter.numel() for parameter in models._base.parameters()), kind


def test_in_bfloat16_every_kind_answers_with_finite_numbers(
    models: Models, base: Path, renderer: PromptRenderer
) -> None:
    names = ("dora", "ia3", "vera", "lokr", "prompt_tuning", "prefix_tuning", "saved_both", "oft", "fourierft")
    half = Models(base, {name: models.adapters[name] for name in names}, {}, CPU, torch.bfloat16)
    for name in names:
        with half.variant(name) as model:
            scores = score_rows(model, [[asked(renderer)[0]]], CPU, trees=True)[0]
            assert all(logprob == logprob for score in scores for logprob in score.logprobs)
            assert {p.dtype for p in model.parameters() if p.is_floating_point()} == {torch.bfloat16}


def test_an_adapter_that_would_change_the_base_is_refused(
    base: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.engine.attach.changes_base", lambda facts: False)
    with pytest.raises(
        InputError, match="attaching it changes the weights of the base, which the baseline has to share"
    ):
        Models(base, {"pissa": models.adapters["pissa"]}, {}, CPU, torch.float32)

"""vLLM gives the evidence that transformers gives. With vLLM itself where it is installed and finds its device, else a stand-in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from core.data.prompt import PromptRenderer
from core.engine.session import Session
from core.engine.vllm_session import VllmSession
from core.errors import InputError
from core.plan import Batch, Part
from core.records import BASELINE, Evidence
from core.requests import Continuation, GenerateRequest, ScoreRequest
from core.spec import Settings
from tests import vllm_double
from tests.tiny import make_adapter, make_base

IS_REAL = find_spec("vllm") is not None
PROMPTS = ("hello", "a rather longer prompt than the first", "x y z", "12")
HIDDEN = 128
"""vLLM computes heads of 32 numbers and more."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("vllm")
    make_base(made / "base", hidden=HIDDEN, context=128)
    make_base(made / "other", hidden=HIDDEN, context=128, seed=5)
    make_adapter(made / "base", made / "one", seed=1)
    make_adapter(made / "base", made / "two", seed=2, rank=2)
    return made


@pytest.fixture(scope="module")
def renderer(folder: Path) -> PromptRenderer:
    return PromptRenderer(folder / "base")


@pytest.fixture(scope="module")
def double() -> Iterator[type[vllm_double.LLM] | None]:
    """The stand-in's class of models; None where vLLM itself is here."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if IS_REAL:
            monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        yield None if IS_REAL else vllm_double.install(monkeypatch)


def session_of(folder: Path, renderer: PromptRenderer, settings: Settings, kind: type = VllmSession) -> Any:
    adapters = {"one": (folder / "one", 1.0), "two": (folder / "two", 1.0), "off": (folder / "two", 0.0)}
    more = {"warn": print} if kind is Session else {}
    checkpoints = {"other": folder / "other"}
    return kind(folder / "base", adapters, checkpoints, "cpu", "float32", settings, renderer, **more)


@pytest.fixture(scope="module")
def vllm(folder: Path, renderer: PromptRenderer, double: Any) -> Iterator[VllmSession]:
    made = session_of(folder, renderer, Settings(max_new_tokens=12))
    yield made
    made.models.close()


@pytest.fixture(scope="module")
def plain(folder: Path, renderer: PromptRenderer) -> Session:
    return session_of(folder, renderer, Settings(max_new_tokens=12), Session)


def observed(session: Any, variant: str, part: Part) -> list[Evidence]:
    with session.models.variant(variant) as model:
        return session.observe(model, variant, part)


def scoring(renderer: PromptRenderer) -> Part:
    def continuation(text: str) -> Continuation:
        encoded = renderer.encode(text)
        return Continuation(text, encoded.ids + renderer.end_of_turn_ids, encoded.starts, len(text))

    rows = []
    for number, prompt in enumerate(PROMPTS):
        kind, texts = ("options", ("red", "blue", "re")) if number % 2 else ("likelihood", ("a reply",))
        ids = renderer.encode(prompt).ids
        rows.append((ScoreRequest("s", str(number), "", kind, ids, tuple(map(continuation, texts))),))
    return Part(0, (Batch("score", tuple(rows), 100),))


def generating(renderer: PromptRenderer, temperature: float | None = None) -> Part:
    asked = [GenerateRequest("g", str(n), "", renderer.encode(text).ids, temperature) for n, text in enumerate(PROMPTS)]
    return Part(1, (Batch("generate", tuple((one,) for one in asked), 100, 4),))


@pytest.mark.parametrize("variant", [BASELINE, "one", "two", "off", "other"])
def test_scores_are_those_of_transformers(vllm, plain, renderer, variant: str) -> None:
    for ours, theirs in zip(*(observed(one, variant, scoring(renderer)) for one in (vllm, plain)), strict=True):
        assert (ours.task, ours.variant, ours.example_id) == (theirs.task, theirs.variant, theirs.example_id)
        if theirs.likelihood:
            assert ours.likelihood.token_ids == theirs.likelihood.token_ids
            assert ours.likelihood.token_starts == theirs.likelihood.token_starts
            assert ours.likelihood.token_logprobs == pytest.approx(theirs.likelihood.token_logprobs, abs=1e-4)
            assert ours.likelihood.token_top == theirs.likelihood.token_top
        else:
            assert ours.option_scores.options == theirs.option_scores.options
            assert ours.option_scores.n_tokens == theirs.option_scores.n_tokens
            assert ours.option_scores.logprob_sums == pytest.approx(theirs.option_scores.logprob_sums, abs=1e-3)


def test_the_likeliest_tokens_are_marked(vllm, plain, renderer) -> None:
    answers = [one.generation for one in observed(plain, "one", generating(renderer))]
    rows = []
    for number, answer in enumerate(answers):
        ids = answer.token_ids[:4]
        said = Continuation("", ids, tuple(range(len(ids))), 1)
        rows.append((ScoreRequest("s", str(number), "", "likelihood", renderer.encode(PROMPTS[number]).ids, (said,)),))
    for one in observed(vllm, "one", Part(0, (Batch("score", tuple(rows), 100),))):
        assert all(one.likelihood.token_top)
    assert not all(observed(vllm, "one", scoring(renderer))[0].likelihood.token_top)


@pytest.mark.parametrize("variant", [BASELINE, "two", "other"])
def test_greedy_answers_are_those_of_transformers(vllm, plain, renderer, variant: str) -> None:
    for ours, theirs in zip(*(observed(one, variant, generating(renderer)) for one in (vllm, plain)), strict=True):
        assert (ours.generation.text, ours.generation.finish) == (theirs.generation.text, theirs.generation.finish)
        assert ours.generation.token_ids == theirs.generation.token_ids
        assert ours.generation.n_prompt_tokens == theirs.generation.n_prompt_tokens
        assert ours.generation.token_logprobs == pytest.approx(theirs.generation.token_logprobs, abs=1e-4)


def test_an_answer_ends_at_the_end_of_text_and_keeps_its_token(folder, renderer, vllm, monkeypatch) -> None:
    before = [one.generation for one in observed(vllm, "one", generating(renderer))]
    ending = before[0].token_ids[2]
    monkeypatch.setattr(vllm, "renderer", Ending(folder / "base", ending))
    after = [one.generation for one in observed(vllm, "one", generating(renderer))]
    assert after[0].finish == "eos"
    place = before[0].token_ids.index(ending) + 1
    assert after[0].token_ids == before[0].token_ids[:place]


class Ending(PromptRenderer):
    """Ends an answer at one token alone."""

    def __init__(self, folder: Path, token: int) -> None:
        super().__init__(folder)
        self.__dict__["stop_ids"] = frozenset({token})


def test_a_stop_string_ends_an_answer_before_it(folder, renderer, vllm, plain, double) -> None:
    texts = [one.generation.text for one in observed(plain, BASELINE, generating(renderer))]
    word = next(letter for text in texts for letter in text[2:-1] if letter.isascii() and letter.isprintable())
    settings = Settings(max_new_tokens=12, stop=(word, "never said"))
    vllm.models.close()
    made = session_of(folder, renderer, settings)
    ours = [one.generation for one in observed(made, BASELINE, generating(renderer))]
    made.models.close()
    theirs = [
        one.generation
        for one in observed(session_of(folder, renderer, settings, Session), BASELINE, generating(renderer))
    ]
    assert "stop" in [one.finish for one in theirs]
    assert [(one.text, one.finish, one.token_ids) for one in ours] == [
        (one.text, one.finish, one.token_ids) for one in theirs
    ]


def test_draws_repeat_themselves_and_do_not_depend_on_their_neighbours(vllm, renderer) -> None:
    drawn = observed(vllm, BASELINE, generating(renderer, temperature=1.5))
    assert drawn == observed(vllm, BASELINE, generating(renderer, temperature=1.5))
    rows = generating(renderer, temperature=1.5).batches[0].rows
    alone = observed(vllm, BASELINE, Part(0, (Batch("generate", rows[2:3], 100, 1),)))
    assert alone[0].generation.token_ids == drawn[2].generation.token_ids
    assert len({one.generation.token_ids for one in drawn}) > 1


def test_a_text_without_room_has_a_reason_and_the_others_their_evidence(vllm, renderer) -> None:
    long = ScoreRequest("s", "long", "", "likelihood", (65,) * 120, (Continuation("", (66,) * 8, (0,) * 8, 8),))
    part = Part(0, (Batch("score", ((long,), *scoring(renderer).batches[0].rows), 100),))
    first, *rest = observed(vllm, BASELINE, part)
    assert first.reason == "it has 128 tokens, and vLLM has room for 127 here"
    assert all(one.reason is None for one in rest)


def test_preflight_says_what_it_says_with_transformers(folder, renderer, vllm, plain) -> None:
    prompts = [renderer.encode(prompt).ids for prompt in PROMPTS]
    ours, theirs = (one.preflight("one", prompts, folder / "base") for one in (vllm, plain))
    assert ours.pop("mean_kl") == pytest.approx(theirs.pop("mean_kl"), abs=1e-4)
    assert [one["code"] for one in ours["findings"]] == [one["code"] for one in theirs["findings"]]
    assert ours["ok"] and ours["tensor_hash"] == theirs["tensor_hash"]


def test_speed_is_not_told(vllm) -> None:
    with pytest.raises(InputError, match="settings.probe: found true together with engine: vllm"):
        vllm.probe([BASELINE], [(1, 2)], 4, print)


def test_what_vllm_is_told(vllm, double) -> None:
    assert os.environ["VLLM_NO_USAGE_STATS"] == "1", "its use is reported to nobody"
    assert os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0", "no process outlives the worker"
    if double is not None:
        assert double.most_alive == 1, "an old model is let go of before the next one is loaded"
        wishes = double.wishes[0]
        assert (wishes["max_lora_rank"], wishes["lora_target_modules"]) == (8, ["q_proj", "v_proj"])
        assert wishes["generation_config"] == "vllm" and wishes["skip_tokenizer_init"]


def test_what_cannot_be_loaded_is_a_sentence(folder: Path, renderer, vllm, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((folder / "base" / "config.json").read_text())
    vllm.models.close()
    with pytest.raises(InputError, match="vLLM cannot load .*With engine: transformers it may be evaluated"):
        VllmSession(tmp_path, {}, {}, "cpu", "float32", Settings(), renderer)


@pytest.mark.skipif(IS_REAL, reason="vLLM itself is installed, and has one device")
@pytest.mark.parametrize(
    ("built", "said"), [("cuda", "runs on 'cuda' here"), ("", "finds no device that it was built for")]
)
def test_a_build_for_another_device_is_refused(folder: Path, renderer, monkeypatch, built: str, said: str) -> None:
    vllm_double.install(monkeypatch, device=built)
    with pytest.raises(
        InputError, match=f"{said}, and settings.device means 'cpu'. It wants a GPU; without one use engine"
    ):
        session_of(folder, renderer, Settings())


@pytest.mark.skipif(IS_REAL, reason="vLLM itself is installed")
def test_without_vllm_the_extra_is_named(folder: Path, renderer, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    for name in ("VLLM_NO_USAGE_STATS", "VLLM_ENABLE_V1_MULTIPROCESSING"):
        monkeypatch.setenv(name, "")
    with pytest.raises(InputError, match=r"pip install 'lorascope\[vllm\]'"):
        session_of(folder, renderer, Settings())


@pytest.mark.gpu
def test_on_a_gpu_scores_and_answers_are_those_of_transformers(folder: Path, renderer) -> None:
    if not IS_REAL:
        pytest.skip("vLLM is not installed")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    given = ({"one": (folder / "one", 1.0)}, {}, "cuda", "float32", Settings(max_new_tokens=12), renderer)
    made, plain = VllmSession(folder / "base", *given), Session(folder / "base", *given, warn=print)
    for part in (scoring(renderer), generating(renderer)):
        for ours, theirs in zip(*(observed(one, "one", part) for one in (made, plain)), strict=True):
            if theirs.likelihood:
                assert ours.likelihood.token_logprobs == pytest.approx(theirs.likelihood.token_logprobs, abs=1e-4)
            elif theirs.generation:
                assert ours.generation.token_ids == theirs.generation.token_ids
    made.models.close()

"""Scores and answers of sequence-to-sequence models equal plain transformers, one prompt at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForSeq2SeqLM

from core.data.prompt import PromptRenderer
from core.engine import seq2seq
from core.engine.models import AdapterSource, Models
from core.engine.preflight import check_loaded, mean_divergence
from core.engine.probe import probe
from core.errors import InputError
from core.records import BASELINE, Example, Generation
from core.requests import GenerateRequest, ScoreRequest, requests_of, why_not
from core.spec import Settings, TaskSpec
from tests.tiny_seq2seq import make_bart, make_seq2seq_adapter, make_t5

PROMPTS = ["hello", "a rather longer prompt than the first", "中文", "x y z"]
OPTIONS = ("yes", "no", "yes indeed", "一")
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Made:
    folder: Path
    models: Models
    renderer: PromptRenderer

    def plain(self, variant: str) -> torch.nn.Module:
        found = AutoModelForSeq2SeqLM.from_pretrained(self.folder / "base")
        return (PeftModel.from_pretrained(found, str(self.folder / "lora")) if variant != BASELINE else found).eval()


@pytest.fixture(scope="module", params=["t5", "bart"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp(request.param)
    make, targets = {"t5": (make_t5, ("q", "v")), "bart": (make_bart, ("q_proj", "v_proj"))}[request.param]
    make_seq2seq_adapter(make(folder / "base"), folder / "lora", targets)
    adapters = {"lora": AdapterSource(folder / "lora", 1.0)}
    return Made(folder, Models(folder / "base", adapters, {}, CPU, torch.float32), PromptRenderer(folder / "base"))


def rows_of(renderer: PromptRenderer) -> list[list[ScoreRequest]]:
    """A row for each example, of the requests of two tasks of it, as the plan gathers them."""
    tasks = {
        "choose": TaskSpec(dataset="d", kind="classification", prompt="{text}", template="none", reference="r", options=OPTIONS),
        "reply": TaskSpec(dataset="d", kind="likelihood", prompt="{text} reply", template="none", reference="r"),
    }  # fmt: skip
    return [
        [
            one
            for name, task in tasks.items()
            for one in requests_of(Example(name, text, "", {"text": text}, f"re {text}", task.options or ()), task, renderer)
            if isinstance(one, ScoreRequest)
        ]
        for text in PROMPTS
    ]  # fmt: skip


def generate(made: Made, variant: str, **settings: object) -> tuple[list[GenerateRequest], list[Generation]]:
    requests = [
        GenerateRequest("t", str(k), "", made.renderer.encode(text, special=True).ids) for k, text in enumerate(PROMPTS)
    ]
    with made.models.variant(variant) as model:
        return requests, seq2seq.generate_rows(
            model, requests, Settings.model_validate({"max_new_tokens": 16} | settings), CPU,
            stop_ids=made.renderer.stop_ids, decode=made.renderer.decode,
        )  # fmt: skip


@pytest.mark.parametrize("variant", [BASELINE, "lora"])
def test_scores_equal_the_training_loss_of_plain_transformers_in_float64(made: Made, variant: str) -> None:
    plain = made.plain(variant).double()
    rows = rows_of(made.renderer)
    with made.models.variant(variant) as model:
        scored = seq2seq.score_rows(model, rows, CPU)
    for row, scores in zip(rows, scored, strict=True):
        asked = [(request.prompt, one.ids) for request in row for one in request.continuations]
        for (prompt, ids), score in zip(asked, scores, strict=True):
            with torch.inference_mode():
                output = plain(input_ids=torch.tensor([prompt]), labels=torch.tensor([ids]))
            logprobs = torch.log_softmax(output.logits[0], dim=-1)
            expected = [logprobs[place, token].item() for place, token in enumerate(ids)]
            np.testing.assert_allclose(score.logprobs, expected, atol=1e-4)
            assert -sum(score.logprobs) == pytest.approx(output.loss.item() * len(ids), abs=1e-3)
            assert score.top == tuple(int(t) == token for t, token in zip(logprobs.argmax(-1), ids, strict=True))


def test_what_is_scored_is_what_the_tokenizer_makes_of_a_target_and_its_end(made: Made) -> None:
    request = rows_of(made.renderer)[0][0]
    tokenizer = made.renderer.tokenizer
    for one in request.continuations:
        assert list(one.ids) == tokenizer.encode(one.text, add_special_tokens=True).ids
        assert one.ids[-1:] == made.renderer.end_of_turn_ids
        assert one.starts[-1] == len(one.text) and len(one.starts) == len(one.ids)
    assert list(request.prompt) == tokenizer.encode(PROMPTS[0], add_special_tokens=True).ids


@pytest.mark.parametrize("variant", [BASELINE, "lora"])
def test_greedy_answers_equal_transformers_generate(made: Made, variant: str) -> None:
    plain = made.plain(variant)
    for request, answer in zip(*generate(made, variant), strict=True):
        ids = torch.tensor([request.prompt])
        expected = plain.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=16, do_sample=False, num_beams=1
        )[0, 1:].tolist()
        assert list(answer.token_ids) == expected
        assert answer.finish == ("eos" if expected[-1] in made.renderer.stop_ids else "length")
        with torch.inference_mode():
            logits = plain(input_ids=ids, labels=torch.tensor([expected])).logits[0].double()
        chosen = torch.log_softmax(logits, dim=-1)[torch.arange(len(expected)), torch.tensor(expected)]
        assert answer.token_logprobs == pytest.approx(chosen.tolist(), abs=1e-4)


def test_rows_that_finish_early_leave_and_the_others_go_on(made: Made) -> None:
    whole = generate(made, BASELINE)[1]
    enders = frozenset({whole[0].token_ids[2]})
    requests = generate(made, BASELINE)[0]
    with made.models.variant(BASELINE) as model:
        ended = seq2seq.generate_rows(
            model, requests, Settings(max_new_tokens=16), CPU, stop_ids=enders, decode=made.renderer.decode
        )
    assert ended[0].finish == "eos" and len(ended[0].token_ids) <= 3
    for before, after in zip(whole, ended, strict=True):
        assert after.token_ids == before.token_ids[: len(after.token_ids)]


def test_a_draw_does_not_depend_on_its_neighbours(made: Made) -> None:
    requests, together = generate(made, BASELINE, temperature=1.0, seed=3)
    with made.models.variant(BASELINE) as model:
        for request, answer in zip(requests, together, strict=True):
            alone = seq2seq.generate_rows(
                model, [request], Settings(max_new_tokens=16, temperature=1.0, seed=3), CPU,
                stop_ids=made.renderer.stop_ids, decode=made.renderer.decode,
            )  # fmt: skip
            assert alone[0].token_ids == answer.token_ids
    assert generate(made, BASELINE, temperature=1.0, seed=4)[1] != together


def test_tokens_that_the_model_bars_are_never_chosen(made: Made) -> None:
    requests, free = generate(made, BASELINE)
    barred = free[0].token_ids[2]
    with made.models.variant(BASELINE) as model:
        model.generation_config.bad_words_ids = [[barred]]
        try:
            held = seq2seq.generate_rows(
                model, requests, Settings(max_new_tokens=16), CPU, stop_ids=frozenset(), decode=made.renderer.decode
            )
        finally:
            model.generation_config.bad_words_ids = None
    assert all(barred not in answer.token_ids for answer in held)


def test_preflight_sees_the_adapter_and_the_probe_measures_it(made: Made) -> None:
    prompts = [made.renderer.encode(text, special=True).ids for text in PROMPTS[:2]]
    divergence = mean_divergence(made.models, "lora", prompts)
    assert divergence >= 0
    assert {finding.code for finding in check_loaded(made.models, "lora", divergence)} >= {"keys_loaded"}
    measured = probe(made.models, (BASELINE, "lora"), prompts[:1], new_tokens=3, progress=lambda done, total: None)
    assert len(measured["repeats"]) == 10 and all(one["n_new_tokens"] == 3 for one in measured["repeats"])


def test_encoder_and_decoder_have_a_context_each() -> None:
    request = GenerateRequest("t", "e", "", tuple(range(100)))
    settings = Settings(max_new_tokens=100)
    assert why_not(request, 128, settings, apart=True) is None
    assert why_not(request, 128, settings) is not None
    told = why_not(request, 90, settings, apart=True)
    assert told == "the prompt needs 100 tokens and the answer 100; encoder and decoder hold 90 each"


def test_a_model_that_does_not_say_where_its_decoder_begins_is_refused(made: Made) -> None:
    plain = made.plain(BASELINE)
    plain.config.decoder_start_token_id = plain.generation_config.decoder_start_token_id = None
    with pytest.raises(
        InputError, match="found no decoder_start_token_id in config.json; a sequence-to-sequence model"
    ):
        seq2seq.start_id(plain)

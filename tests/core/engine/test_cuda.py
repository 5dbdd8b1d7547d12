"""On a GPU every kind of evidence is what plain transformers gives there, unbatched; memory that gives out costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import LlamaForCausalLM

from core.data.prompt import PromptRenderer
from core.engine.device import choose_device, choose_dtype
from core.engine.models import AdapterSource, Models, load_causal
from core.engine.observe import Observer
from core.engine.preflight import TREE_TOLERANCE
from core.engine.probe import REPEATS, probe
from core.engine.score import score_rows
from core.plan import Batch, Part
from core.records import BASELINE, Evidence
from core.requests import Continuation, GenerateRequest, ScoreRequest
from core.spec import Settings
from core.tree import shared_header

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here: the GPU path was not exercised"),
]
VARIANTS = (BASELINE, "one", "two")
BEGINNING = "a common beginning that many prompts share, "
TEXTS = [f"{BEGINNING}then {'some ' * (k % 4)}number {k}" for k in range(11)] + ["another", "x", "中文"]
TOKENS = 12


def models_on_gpu(tiny: Path, dtype: torch.dtype) -> Models:
    adapters = {name: AdapterSource(tiny / name, 1.0) for name in VARIANTS[1:]}
    return Models(tiny / "base", adapters, {}, torch.device("cuda"), dtype)


@pytest.fixture(scope="module")
def on_gpu(tiny: Path) -> Models:
    """The base with both adapters, in float32 on the GPU."""
    return models_on_gpu(tiny, torch.float32)


@pytest.fixture(scope="module")
def part(renderer: PromptRenderer) -> Part:
    """Likelihoods, options and answers, below the header that most prompts share."""
    prompts = sorted((renderer.encode(text).ids for text in TEXTS), key=lambda ids: -len(ids))

    def told(*texts: str) -> tuple[Continuation, ...]:
        end = renderer.end_of_turn_ids
        return tuple(Continuation(t, renderer.encode(t).ids + end, (), len(t.encode())) for t in texts)

    scored = tuple(
        (
            ScoreRequest("t", f"e{k}", "", "options", prompt, told("yes", "yes indeed", "no", "一")),
            ScoreRequest("t", f"e{k}", "reference", "likelihood", prompt, told(f"the answer is {k}")),
        )
        for k, prompt in enumerate(prompts)
    )
    asked = tuple((GenerateRequest("t", f"e{k}", "", prompt),) for k, prompt in enumerate(prompts))
    batches = (Batch("score", scored[:5], 1000), Batch("score", scored[5:], 1000), Batch("generate", asked, 1000, 6))
    return Part(0, batches, header=shared_header([[ids] for ids in prompts], most=64))


def observed(
    models: Models, renderer: PromptRenderer, part: Part, variant: str = BASELINE, **settings: Any
) -> list[Evidence]:
    chosen = Settings(**{"max_new_tokens": TOKENS, **settings})
    observer = Observer(models, chosen, renderer, lambda sentence: pytest.fail(sentence))
    observer.decide(part.batches[0].rows[0][0])  # type: ignore[arg-type]
    with models.variant(variant) as model:
        return list(observer.observe(model, variant, part))


def plain_model(tiny: Path, variant: str) -> Any:
    model: Any = LlamaForCausalLM.from_pretrained(tiny / "base", dtype=torch.float32)
    if variant != BASELINE:
        model = PeftModel.from_pretrained(model, str(tiny / variant))
    return model.to("cuda").eval()


@torch.inference_mode()
def plain_logprobs(model: Any, prompt: tuple[int, ...], told: tuple[int, ...]) -> list[float]:
    """One plain forward pass of one sequence, on the GPU."""
    ids = torch.tensor([[*prompt, *told]], device="cuda")
    logits = model(input_ids=ids).logits[0, len(prompt) - 1 : -1].double()
    return torch.log_softmax(logits, -1)[range(len(told)), list(told)].tolist()


def test_auto_is_the_gpu_in_bfloat16_and_float32_is_float32() -> None:
    device = choose_device("auto")
    assert device.type == "cuda"
    expected = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    assert choose_dtype("auto", device) == expected
    assert not torch.backends.cuda.matmul.allow_tf32  # nineteen bits would pass for thirty-two
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_kind_of_evidence_equals_plain_transformers(tiny, renderer, on_gpu, part, variant: str) -> None:
    plain = plain_model(tiny, variant)
    found = observed(on_gpu, renderer, part, variant)
    requests = [request for batch in part.batches for request in batch.requests]
    assert len(found) == len(requests) == 3 * len(TEXTS)
    for request, piece in zip(requests, found, strict=True):
        if isinstance(request, GenerateRequest):
            answer = piece.generation
            assert answer is not None
            ids = torch.tensor([request.prompt], device="cuda")
            expected = plain.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=TOKENS, do_sample=False,
                eos_token_id=sorted(renderer.stop_ids),
            )[0, len(request.prompt) :].tolist()  # fmt: skip
            assert list(answer.token_ids) == expected
            assert answer.token_logprobs == pytest.approx(
                plain_logprobs(plain, request.prompt, answer.token_ids), abs=1e-4
            )
            continue
        assert isinstance(request, ScoreRequest)
        expected = [plain_logprobs(plain, request.prompt, one.ids) for one in request.continuations]
        if request.kind == "likelihood":
            assert piece.likelihood is not None
            assert piece.likelihood.token_logprobs == pytest.approx(expected[0], abs=1e-4)
        else:
            assert piece.option_scores is not None
            assert piece.option_scores.logprob_sums == pytest.approx([sum(one) for one in expected], abs=1e-3)


def test_drawn_answers_are_those_of_prompts_alone_and_follow_the_seed(renderer, on_gpu, part) -> None:
    drawing = {"temperature": 1.0, "top_p": 0.9, "seed": 3}
    asked = Part(0, part.batches[2:], header=part.header)
    drawn = observed(on_gpu, renderer, asked, **drawing)
    for row, piece in zip(asked.batches[0].rows, drawn, strict=True):
        (alone,) = observed(on_gpu, renderer, Part(0, (Batch("generate", (row,), 100, 1),)), **drawing)
        assert alone.generation is not None and piece.generation is not None
        assert piece.generation.token_ids == alone.generation.token_ids
    other = observed(on_gpu, renderer, asked, **{**drawing, "seed": 4})
    assert [piece.generation for piece in other] != [piece.generation for piece in drawn]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_same_plan_gives_the_same_bits(tiny, renderer, part, dtype: torch.dtype) -> None:
    models = models_on_gpu(tiny, dtype)
    for variant in VARIANTS:
        assert observed(models, renderer, part, variant) == observed(models, renderer, part, variant)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_baseline_among_adapters_is_the_bare_base(tiny, renderer, part, dtype: torch.dtype) -> None:
    bare = Models(tiny / "base", {}, {}, torch.device("cuda"), dtype)
    assert observed(models_on_gpu(tiny, dtype), renderer, part) == observed(bare, renderer, part)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_in_half_precision_scores_stay_near_float32(tiny, renderer, on_gpu, part, dtype: torch.dtype) -> None:
    asked = Part(0, part.batches[:2], header=part.header)
    models = models_on_gpu(tiny, dtype)
    for variant in VARIANTS:
        exact, rough = (observed(one, renderer, asked, variant) for one in (on_gpu, models))
        pairs = [
            (a, b)
            for one, other in zip(exact, rough, strict=True)
            if one.likelihood and other.likelihood
            for a, b in zip(one.likelihood.token_logprobs, other.likelihood.token_logprobs, strict=True)
        ]
        differences = [abs(a - b) for a, b in pairs]
        assert 0 < sum(differences) / len(differences) < TREE_TOLERANCE[dtype] / 2
        assert max(differences) < 3 * TREE_TOLERANCE[dtype]


@contextmanager
def gpu_memory(mebibytes: int) -> Iterator[None]:
    """Leave torch so much of the GPU's memory beside what it holds."""
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + (mebibytes << 20)) / total)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def test_a_gpu_that_runs_out_of_memory_goes_on_with_fewer_rows(renderer, on_gpu) -> None:
    said: list[str] = []
    observer = Observer(on_gpu, Settings(), renderer, said.append)
    prompts = [renderer.encode(f"{k} " + "la " * 400).ids for k in range(10, 42)]
    ending = (Continuation("yes", renderer.encode("yes").ids, (), 3),)
    rows = tuple((ScoreRequest("t", f"e{k}", "", "likelihood", ids, ending),) for k, ids in enumerate(prompts))
    part = Part(0, (Batch("score", rows, sum(map(len, prompts))),))
    observer.decide(rows[0][0])
    with on_gpu.variant("one") as model:
        whole = list(observer.observe(model, "one", part))
        assert not said
        with gpu_memory(96):  # the mask of all rows alone takes 180 MiB
            found = list(observer.observe(model, "one", part))
            told = list(said)
            again = list(observer.observe(model, "one", part))
    assert told and all("out of memory" in sentence for sentence in told)
    assert said == told  # the second time the smaller number is known
    for before, *after in zip(whole, found, again, strict=True):
        assert before.likelihood is not None
        for piece in after:
            assert piece.likelihood is not None
            assert piece.likelihood.token_logprobs == pytest.approx(before.likelihood.token_logprobs, abs=1e-4)


def test_a_row_of_undefined_numbers_spoils_no_other(tiny, renderer, on_gpu) -> None:
    broken = load_causal(tiny / "base", torch.device("cuda"), torch.float32)
    bad = renderer.encode("~").ids[0]
    with torch.no_grad():
        broken.get_input_embeddings().weight[bad] = float("nan")
        broken.lm_head.weight = torch.nn.Parameter(broken.get_input_embeddings().weight.clone().nan_to_num(0.0))
    ending = (Continuation("yes", renderer.encode("yes").ids, (), 3),)
    prompts = [(bad, *renderer.encode("a long one beside it").ids), renderer.encode("short").ids]
    rows = [[ScoreRequest("t", f"e{k}", "", "options", prompt, ending)] for k, prompt in enumerate(prompts)]
    spoilt, sound = score_rows(broken, rows, on_gpu.device, trees=True)
    (alone,) = score_rows(broken, rows[1:], on_gpu.device, trees=True)
    assert all(value != value for value in spoilt[0].logprobs)
    assert sound[0].logprobs == pytest.approx(alone[0].logprobs, abs=1e-5)


def test_the_probe_tells_the_gpus_memory_and_energy(on_gpu: Models) -> None:
    found = probe(on_gpu, VARIANTS, [tuple(range(3, 40))], new_tokens=8, progress=lambda *_: None)
    assert found["settings"]["device"] == "cuda"
    assert len(found["repeats"]) == len(VARIANTS) * REPEATS
    for repeat in found["repeats"]:
        assert 0 < repeat["peak_gpu_bytes"] == repeat["peak_bytes"] < torch.cuda.get_device_properties(0).total_memory
        assert 0 < repeat["seconds_to_first_token"] < repeat["seconds"]
        if found["settings"]["energy"] == "NVML":
            assert repeat["energy_joules"] >= 0
    if found["settings"]["energy"] == "NVML":
        assert sum(repeat["energy_joules"] for repeat in found["repeats"]) > 0

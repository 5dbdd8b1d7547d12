"""Adapters with embeddings of their own, vocabularies that are larger than the tokenizer, and models that give NaN."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from core.adapters import check_against_base, read_adapter
from core.data.prompt import PromptRenderer
from core.engine.generate import generate_rows
from core.engine.models import AdapterSource, Models, load_causal
from core.engine.score import score_rows
from core.engine.stream import Stream
from core.errors import InputError
from core.records import BASELINE
from core.requests import Continuation, GenerateRequest, ScoreRequest
from core.spec import Settings
from tests.core.engine.kinds import make_kind
from tests.tiny import make_tokenizer

CPU = torch.device("cpu")
TOKENS = torch.tensor([[5, 9, 77, 30, 2, 41]])
ADDED = 3


@pytest.fixture(scope="module")
def untied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny base whose output layer is a matrix of its own."""
    folder = tmp_path_factory.mktemp("untied") / "base"
    size = make_tokenizer(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=size, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        eos_token_id=size - 1, bos_token_id=size - 2, tie_word_embeddings=False, initializer_range=0.3,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def lora(**settings: Any) -> LoraConfig:
    return LoraConfig(r=4, target_modules=["q_proj", "v_proj"], **settings)


@torch.inference_mode()
def logits(model: Any) -> torch.Tensor:
    return model(input_ids=TOKENS).logits[0]


@pytest.mark.parametrize(
    "settings", [{}, {"modules_to_save": ["embed_tokens", "lm_head"]}, {"trainable_token_indices": [259, 261]}]
)
@pytest.mark.parametrize("is_tied", [True, False])
def test_a_resized_vocabulary_is_the_variants_own(
    tiny: Path, untied: Path, tmp_path: Path, is_tied: bool, settings: dict[str, Any]
) -> None:
    base = tiny / "base" if is_tied else untied
    bare = load_causal(base, CPU, torch.float32)
    rows = bare.config.vocab_size + ADDED
    make_kind(base, tmp_path / "resized", lora(**settings), rows=rows)
    make_kind(base, tmp_path / "plain", lora(), seed=2)
    plain: Any = AutoModelForCausalLM.from_pretrained(base)
    plain.resize_token_embeddings(rows, mean_resizing=False)
    expected = PeftModel.from_pretrained(plain, str(tmp_path / "resized")).eval()
    sources = {name: AdapterSource(tmp_path / name, 1.0) for name in ("resized", "plain")}
    models = Models(base, sources, {}, CPU, torch.float32)
    with models.variant("resized") as model:
        assert logits(model).shape[1] == rows
        torch.testing.assert_close(logits(model), logits(expected), atol=1e-4, rtol=0)
    assert models.keys_not_loaded("resized") == []
    with models.variant(BASELINE) as model:
        assert torch.equal(logits(model), logits(bare))
    with models.variant("plain") as model:
        assert logits(model).shape[1] == rows - ADDED


def test_one_resized_layer_of_two_is_refused(untied: Path, tmp_path: Path) -> None:
    rows = load_causal(untied, CPU, torch.float32).config.vocab_size + ADDED
    path = make_kind(untied, tmp_path / "half", lora(), rows=rows) / "adapter_model.safetensors"
    save_file({name: tensor for name, tensor in load_file(path).items() if "lm_head" not in name}, path)
    with pytest.raises(
        InputError, match="it ships model.embed_tokens.weight for 262 tokens, and the base's input and output"
    ):
        Models(untied, {"half": AdapterSource(tmp_path / "half", 1.0)}, {}, CPU, torch.float32)


def test_the_tokenizer_of_an_adapter_is_held_against_the_bases(tiny: Path, tmp_path: Path) -> None:
    base, adapter = tiny / "base", Path(shutil.copytree(tiny / "one", tmp_path / "one"))
    content = json.loads((base / "tokenizer.json").read_text())

    def found(change: dict[str, Any]) -> dict[str, str]:
        (adapter / "tokenizer.json").write_text(json.dumps(content | change))
        findings = check_against_base(read_adapter(adapter), base)
        return {one.code: f"{one.level}: {one.sentence}" for one in findings}

    assert not {"added_tokens", "other_tokenizer", "other_cuts"} & set(found({}))
    more = [*content["added_tokens"], content["added_tokens"][0] | {"id": 900, "content": "<tool>"}]
    assert found({"added_tokens": more})["added_tokens"].startswith(
        "warning: Its own tokenizer adds '<tool>'. Prompts are cut by"
    )
    vocabulary = content["model"]["vocab"]
    first, second = list(vocabulary)[:2]
    swapped = vocabulary | {first: vocabulary[second], second: vocabulary[first]}
    told = found({"model": content["model"] | {"vocab": swapped}})["other_tokenizer"]
    assert told.startswith("error: Trained with another tokenizer than the base's: its number")
    assert "other_cuts" in found({"normalizer": {"type": "NFKC"}})


def test_tokens_beyond_the_tokenizer_are_answered_as_transformers_does(tiny: Path, tmp_path: Path) -> None:
    base = Path(shutil.copytree(tiny / "base", tmp_path / "padded"))
    plain: Any = AutoModelForCausalLM.from_pretrained(tiny / "base")
    size = plain.config.vocab_size
    plain.resize_token_embeddings(size + 4, mean_resizing=False)
    renderer = PromptRenderer(base)
    prompt = renderer.encode("hello").ids
    with torch.inference_mode():
        state = plain.model(input_ids=torch.tensor([prompt])).last_hidden_state[0, -1]
        plain.get_output_embeddings().weight[size] = state  # the padded row is the likeliest next token by far
    plain.save_pretrained(base)
    models = Models(base, {}, {}, CPU, torch.float32)
    with models.variant(BASELINE) as model:
        answer = generate_rows(
            model, [GenerateRequest("t", "e", "", prompt)], Settings(max_new_tokens=3), CPU, stop_ids=renderer.stop_ids,
            decode=renderer.decode,
        )[0]  # fmt: skip
    expected = plain.generate(torch.tensor([prompt]), max_new_tokens=3, do_sample=False, eos_token_id=size - 1)[
        0, len(prompt) :
    ]
    assert list(answer.token_ids) == expected.tolist()
    assert answer.token_ids[0] == size
    assert renderer.decode([size]) == ""


def test_a_model_that_gives_nan_for_everything_is_said_when_it_is_loaded(untied: Path, tmp_path: Path) -> None:
    base = Path(shutil.copytree(untied, tmp_path / "broken"))
    state = load_file(base / "model.safetensors")
    state["model.norm.weight"][3] = torch.nan
    save_file(state, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"the model gives infinite or undefined numbers \(NaN\) for everything"):
        Models(base, {}, {}, CPU, torch.float32)


def test_nan_of_one_token_leaves_other_examples_untouched(untied: Path, tmp_path: Path) -> None:
    base = Path(shutil.copytree(untied, tmp_path / "partly"))
    renderer = PromptRenderer(base)
    (bad,) = renderer.encode("z").ids
    state = load_file(base / "model.safetensors")
    state["model.embed_tokens.weight"][bad] = torch.nan
    save_file(state, base / "model.safetensors", metadata={"format": "pt"})
    answer = Continuation("no", renderer.encode("no").ids, (), 2)
    prompts = {text: renderer.encode(text).ids for text in ("a zebra", "a horse that is longer", "a cow")}
    scored = [[ScoreRequest("t", text, "", "options", ids, (answer,))] for text, ids in prompts.items()]
    asked = [GenerateRequest("t", text, "", ids) for text, ids in prompts.items()]
    settings = Settings(max_new_tokens=3)
    given: dict[str, Any] = {"stop_ids": renderer.stop_ids, "decode": renderer.decode}
    with Models(base, {}, {}, CPU, torch.float32).variant(BASELINE) as model:
        together = score_rows(model, scored, CPU, trees=True)
        answers = Stream(asked, settings, **given)
        answers.go(model, CPU, side_by_side=1, tokens=64, room=1000)
        assert all(math.isnan(logprob) for logprob in together[0][0].logprobs)
        assert math.isnan(answers.found[0].token_logprobs[0])
        for place in (1, 2):
            alone = score_rows(model, [scored[place]], CPU, trees=True)[0]
            assert together[place][0].logprobs == pytest.approx(alone[0].logprobs, abs=1e-5)
            own = generate_rows(model, [asked[place]], settings, CPU, **given)[0]
            assert answers.found[place].token_ids == own.token_ids

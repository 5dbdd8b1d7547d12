"""Classification heads give what transformers gives for one text at a time."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from core.data.prompt import PromptRenderer
from core.engine.heads import load_head, observe_rows
from core.engine.models import AdapterSource, Models
from core.errors import InputError
from core.heads import Head
from core.records import Evidence
from core.requests import YES_NO, HeadRequest
from tests.tiny_heads import make_head_adapter, make_head_checkpoint

CPU = torch.device("cpu")
TEXTS = ["hello", "a rather longer text than the first", "中文", "x y z"]
LABELS = ("red", "blue", "green")


@pytest.fixture(scope="module")
def folder(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Heads of the tiny base: an adapter with three labels and a checkpoint."""
    made = tmp_path_factory.mktemp("heads")
    make_head_adapter(tiny / "base", made / "adapter", 3)
    make_head_checkpoint(tiny / "base", made / "checkpoint", LABELS)
    return made


def head_at(path: Path, n_outputs: int = 3) -> Head:
    return Head(path, path.name == "adapter", n_outputs, LABELS[:n_outputs], None, None)


def plain_logits(tiny: Path, path: Path, ids: tuple[int, ...]) -> torch.Tensor:
    """One text, unpadded, in float64."""
    if path.name == "adapter":
        body = AutoModelForSequenceClassification.from_pretrained(tiny / "base", num_labels=3)
        model = PeftModel.from_pretrained(body, str(path))
    else:
        model = AutoModelForSequenceClassification.from_pretrained(path)
    with torch.inference_mode():
        return model.double().eval()(input_ids=torch.tensor([ids])).logits[0]


def observe(tiny: Path, path: Path, renderer: PromptRenderer, pad: int | None, *asked: HeadRequest) -> list[Evidence]:
    model = load_head(tiny / "base", head_at(path), CPU, torch.float32)
    model.config.pad_token_id = pad
    texts = [renderer.encode(text).ids for text in TEXTS]
    rows = [
        [HeadRequest(r.task, str(k), r.item, ids, r.reading, r.outputs, r.options) for r in asked]
        for k, ids in enumerate(texts)
    ]
    found = list(observe_rows(model, "head", rows, CPU))
    assert model.config.pad_token_id == pad, "the config is left as it was"
    return found


ONE = HeadRequest("t", "", "", (), "one", (2, 0, 1), ("Green", "red", "blue"))
EACH = HeadRequest("t", "", "blue", (), "each", (1,), YES_NO)
NUMBER = HeadRequest("t", "", "", (), "number", (2,), ())


@pytest.mark.parametrize("has_padding", [True, False])
@pytest.mark.parametrize("kind", ["adapter", "checkpoint"])
def test_scores_are_those_of_transformers_one_text_at_a_time(
    tiny: Path, folder: Path, renderer: PromptRenderer, kind: str, has_padding: bool
) -> None:
    pad = renderer.tokenizer.token_to_id("<|endoftext|>") if has_padding else None
    found = observe(tiny, folder / kind, renderer, pad, ONE, EACH, NUMBER)
    assert len({piece.option_scores.logprob_sums for piece in found if piece.option_scores}) == 2 * len(TEXTS)
    for k, text in enumerate(TEXTS):
        logits = plain_logits(tiny, folder / kind, renderer.encode(text).ids)
        one, each, number = found[3 * k : 3 * k + 3]
        assert one.option_scores and each.option_scores and number.number is not None
        assert one.option_scores.options == ("Green", "red", "blue")
        expected = torch.log_softmax(logits, dim=-1)[[2, 0, 1]].tolist()
        assert one.option_scores.logprob_sums == pytest.approx(expected, abs=1e-4)
        chance = torch.sigmoid(logits[1]).item()
        assert each.option_scores.logprob_sums == pytest.approx((math.log(chance), math.log1p(-chance)), abs=1e-4)
        assert (each.item, each.option_scores.options) == ("blue", YES_NO)
        assert number.number == pytest.approx(logits[2].item(), abs=1e-4)


def test_probabilities_are_those_of_transformers_own_pipeline(
    tiny: Path, folder: Path, renderer: PromptRenderer
) -> None:
    found = observe(tiny, folder / "checkpoint", renderer, None, ONE)
    model = AutoModelForSequenceClassification.from_pretrained(folder / "checkpoint")
    theirs = pipeline(
        "text-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(folder / "checkpoint"), top_k=None
    )
    for text, piece in zip(TEXTS, found, strict=True):
        assert piece.option_scores
        chances = {label.lower(): math.exp(score) for label, score in zip(*_pairs(piece), strict=True)}
        assert chances == pytest.approx({one["label"]: one["score"] for one in theirs([text])[0]}, abs=1e-4)


def _pairs(piece: Evidence) -> tuple[tuple[str, ...], tuple[float, ...]]:
    assert piece.option_scores
    return piece.option_scores.options, piece.option_scores.logprob_sums


def test_a_head_is_loaded_for_its_turn_and_leaves_the_base_as_it_was(tiny: Path, folder: Path) -> None:
    adapters = {"one": AdapterSource(tiny / "one", 1.0)}
    models = Models(tiny / "base", adapters, {}, CPU, torch.float32, heads={"head": head_at(folder / "adapter")})
    prompt = torch.tensor([[1, 2, 3]])
    with models.variant("baseline") as model, torch.inference_mode():
        before = model(input_ids=prompt).logits
    with models.variant("head") as model, torch.inference_mode():
        assert model(input_ids=prompt).logits.shape == (1, 3)
    with models.variant("baseline") as model, torch.inference_mode():
        assert torch.equal(model(input_ids=prompt).logits, before)


def test_a_checkpoint_without_its_last_layer_is_refused_rather_than_random(
    tiny: Path, folder: Path, tmp_path: Path
) -> None:
    made = make_head_checkpoint(tiny / "base", tmp_path / "checkpoint", LABELS)
    tensors = load_file(made / "model.safetensors")
    save_file(
        {k: t for k, t in tensors.items() if k != "score.weight"}, made / "model.safetensors", metadata={"format": "pt"}
    )
    with pytest.raises(
        InputError, match=r"found no weights for score\.weight, which would be random\. Save the model again"
    ):
        load_head(tiny / "base", head_at(made), CPU, torch.float32)


def test_an_adapter_whose_layer_has_another_name_is_refused_rather_than_random(
    tiny: Path, folder: Path, tmp_path: Path
) -> None:
    made = make_head_adapter(tiny / "base", tmp_path / "adapter", 3)
    path = made / "adapter_model.safetensors"
    save_file({key.replace(".score.", ".classifier."): tensor for key, tensor in load_file(path).items()}, path)
    with pytest.raises(
        InputError, match=r"found no weights for score\.weight.*modules_to_save that names those layers"
    ):
        load_head(tiny / "base", head_at(made), CPU, torch.float32)


def test_a_broken_folder_is_named(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "config.json").write_text(json.dumps({"model_type": "nothing"}))
    with pytest.raises(InputError, match="checkpoint: transformers cannot load a classifier from here"):
        load_head(tiny / "base", head_at(tmp_path / "checkpoint"), CPU, torch.float32)


def test_a_head_that_gives_nan_has_no_value(tiny: Path, folder: Path, renderer: PromptRenderer) -> None:
    model = load_head(tiny / "base", head_at(folder / "checkpoint"), CPU, torch.float32)
    model.score.weight.data[0, 0] = math.nan
    row = [HeadRequest("t", "e", "", renderer.encode("hello").ids, "one", (0, 1, 2), LABELS)]
    found = list(observe_rows(model, "head", [row], CPU))
    assert [(piece.reason, piece.option_scores) for piece in found] == [("the model gave NaN or infinity", None)]

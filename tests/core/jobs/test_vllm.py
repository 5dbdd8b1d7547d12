"""A run whose models vLLM computes: what it refuses before it begins, what it keeps, and that it is another run than torch's."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from core.cli.evaluate import command
from core.cluster import ClusterChoice
from core.errors import InputError
from core.experiment.prepare import AblationChoice, plan_ablation
from core.jobs import worker
from core.jobs.evaluate import evaluate
from core.jobs.run_models import RunModels
from core.jobs.status import read_status
from core.prepare import Choice, prepare_run
from core.store import Run
from core.workspace import load_workspace
from tests import vllm_double

pytestmark = pytest.mark.skipif(
    find_spec("vllm") is not None, reason="with vLLM itself: tests/core/engine/test_vllm.py"
)
VLLM = {"engine": "vllm"}


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> type[vllm_double.LLM]:
    monkeypatch.setattr("core.vllm_checks.find_spec", lambda name: name)
    return vllm_double.install(monkeypatch)


def prepare(workspace: Path, **changes: Any) -> Run:
    return prepare_run(load_workspace(workspace), Choice(settings=VLLM | changes))


def edit(workspace: Path, old: str, new: str) -> None:
    path = workspace / "workspace.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_run_has_the_evidence_of_transformers_under_a_name_of_its_own(workspace: Path, double: Any) -> None:
    found = {}
    for engine in ("vllm", "transformers"):
        chosen = Choice(name=engine, settings={"engine": engine, "probe": True}, tasks=("colour", "reply"), limit=3)
        run = prepare_run(load_workspace(workspace), chosen)
        assert worker.main(["evaluate", str(run.folder)]) == 0, read_status(run).error
        assert read_status(run).reused == 0, "nothing of one engine is taken for the other's"
        found[engine] = Run(run.folder)
    ours, theirs = (found[engine].evidence(None).to_pylist() for engine in ("vllm", "transformers"))
    assert [row["text"] for row in ours] == [row["text"] for row in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert (one["variant"], one["example_id"], one["kind"]) == (
            other["variant"],
            other["example_id"],
            other["kind"],
        )
        assert one["option_logprob_sums"] == pytest.approx(other["option_logprob_sums"], abs=1e-3)
    known = found["vllm"].read_json("environment")
    assert known["engine"] == "vllm" and "vllm" in known["versions"]
    assert "engine" not in found["transformers"].read_json("environment")
    assert not found["vllm"].spec.settings.probe and found["vllm"].read_json("probe") is None
    entries = found["vllm"].read_json("preflight")["variants"]
    assert all(entry["ok"] and entry["mean_kl"] > 0 for entry in entries.values())
    again = prepare_run(
        load_workspace(workspace), Choice(name="again", settings=VLLM, tasks=("colour", "reply"), limit=3)
    )
    models = len(double.wishes)
    assert worker.main(["evaluate", str(again.folder)]) == 0
    assert read_status(again).reused == read_status(again).done and len(double.wishes) == models
    assert RunModels(found["vllm"], ("lora-0",)).identity("lora-0").device == "cpu", "further jobs compute with torch"


def test_a_run_with_vllm_that_is_gone_says_so(workspace: Path, double: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = prepare(workspace)
    monkeypatch.setitem(sys.modules, "vllm", None)
    assert worker.main(["evaluate", str(run.folder)]) == 2
    assert "pip install 'lorascope[vllm]'" in (read_status(run).error or "")


def test_vllm_that_gives_up_ends_the_run_and_keeps_what_was_done(workspace: Path, double: Any, monkeypatch) -> None:
    whole = double.generate
    calls = []

    def failing(self: Any, *given: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == 5:  # after the checks of both adapters and one part
            raise torch.OutOfMemoryError("CUDA out of memory.\n Tried to allocate 2 GiB")
        return whole(self, *given, **more)

    monkeypatch.setattr(double, "generate", failing)
    run = prepare_run(load_workspace(workspace), Choice(settings=VLLM, tasks=("colour", "reply"), limit=3))
    assert worker.main(["evaluate", str(run.folder)]) == 1
    assert "vLLM gave up: CUDA out of memory. Tried to allocate 2 GiB. What it" in (read_status(run).error or "")
    assert len(list((run.folder / "parts").rglob("*.parquet"))) == 1
    assert worker.main(["evaluate", str(run.folder)]) == 0


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"peft_type": "IA3"}, "vLLM applies LoRA alone; this adapter is of type IA3"),
        ({"use_dora": True}, "plain LoRA alone, and this adapter has DoRA"),
        ({"lora_bias": True}, "this adapter has biases .lora_bias."),
        ({"bias": "all"}, "this adapter ships biases .bias: all."),
        ({"modules_to_save": ["lm_head"]}, "this adapter has whole layers .modules_to_save."),
        ({"trainable_token_indices": [3]}, "tokens of its own"),
        ({"init_lora_weights": "pissa"}, "it changes the base's own weights .init_lora_weights: pissa."),
        ({"task_type": "SEQ_CLS"}, "answers by a classification head"),
    ],
)  # fmt: skip
def test_kinds_of_adapters_that_vllm_does_not_do(workspace: Path, double: Any, config: dict, sentence: str) -> None:
    path = workspace / "adapters" / "lora-0" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    with pytest.raises(InputError, match=f"adapter 'lora-0'.*{sentence}"):
        prepare(workspace)
    assert not (workspace / "runs").exists() or not list((workspace / "runs").iterdir())


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("{path: adapters/lora-0}", "{path: adapters/lora-0, scale: 0.5}", "scale: found 0.5; vLLM applies adapters as they were"),
        ("{path: adapters/lora-0}", "{path: adapters/lora-0, part: {layers: [0]}}", "'lora-0' is a part or a mixture"),
        ("base: {path: base}", "base: {path: base, quantisation: nf4}", "'baseline' is held by bitsandbytes .nf4."),
        ("device: cpu", "device: 'cuda:1'", "settings.device: found 'cuda:1'; with engine: vllm expected one of auto, cuda, cpu"),
    ],
)  # fmt: skip
def test_what_vllm_cannot_follow_is_said_before_it_begins(
    workspace: Path, double: Any, old: str, new: str, sentence: str
) -> None:
    edit(workspace, old, new)
    with pytest.raises(InputError, match=sentence):
        prepare(workspace)


def test_scale_0_is_the_baseline(workspace: Path, double: Any) -> None:
    edit(workspace, "{path: adapters/lora-0}", "{path: adapters/lora-0, scale: 0}")
    run = prepare_run(load_workspace(workspace), Choice(adapters=("lora-0",), settings=VLLM, tasks=("reply",), limit=2))
    assert worker.main(["evaluate", str(run.folder)]) == 0, read_status(run).error
    texts = [
        Run(run.folder).evidence(["text"], variant=name).column("text").to_pylist() for name in run.spec.models.variants
    ]
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"is_encoder_decoder": True}, "the base has an encoder and a decoder"),
        ({"architectures": ["LlamaForSequenceClassification"]}, "checkpoint 'tuned' answers by a classification head"),
    ],
)
def test_bases_and_checkpoints_that_vllm_does_not_do(workspace: Path, double: Any, config: dict, sentence: str) -> None:
    edit(workspace, "  adapters:\n", "  checkpoints: {tuned: {path: base}}\n  adapters:\n")
    path = workspace / "base" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    with pytest.raises(InputError, match=sentence):
        prepare(workspace)


def test_without_vllm_nothing_begins(workspace: Path) -> None:
    with pytest.raises(InputError, match=r"vllm is not installed: pip install 'lorascope\[vllm\]'.*wants a GPU"):
        prepare(workspace)
    said = CliRunner().invoke(command, ["--workspace", str(workspace), "--engine", "vllm"])
    assert isinstance(said.exception, InputError) and "lorascope[vllm]" in str(said.exception)


def test_it_goes_neither_over_a_cluster_nor_into_an_ablation(workspace: Path, double: Any) -> None:
    run = prepare(workspace)
    with pytest.raises(InputError, match="--ray: found together with engine: vllm"):
        evaluate(run.folder, ClusterChoice("local", 2))
    words = ["--workspace", str(workspace), "--engine", "vllm", "--ray", "local", "--name", "x"]
    said = CliRunner().invoke(command, words)
    assert "--ray: found together with engine: vllm" in str(said.exception)
    assert not (workspace / "runs" / "x").exists()
    edit(workspace, "settings: {", "settings: {engine: vllm, ")
    with pytest.raises(InputError, match="an ablation takes them apart. Set it to transformers"):
        plan_ablation(load_workspace(workspace), AblationChoice("lora-0"))


@pytest.mark.parametrize(
    ("module", "outputs", "rank", "sentence"),
    [
        ("model.layers.0.self_attn.q_proj", 32, 600, "its rank is 600, and vLLM goes up to 512"),
        ("lm_head", 259, 4, "it adapts lm_head; with vLLM only adapters of the layers between embeddings and output"),
    ],
)
def test_factors_that_vllm_does_not_take(
    workspace: Path, double: Any, module: str, outputs: int, rank: int, sentence: str
) -> None:
    factors = {
        f"base_model.model.{module}.lora_A.weight": torch.ones(rank, 32),
        f"base_model.model.{module}.lora_B.weight": torch.ones(outputs, rank),
    }
    folder = workspace / "adapters" / "lora-0"
    save_file(factors, folder / "adapter_model.safetensors")
    config = json.loads((folder / "adapter_config.json").read_text())
    target = module.rpartition(".")[2]
    (folder / "adapter_config.json").write_text(json.dumps(config | {"r": rank, "target_modules": [target]}))
    with pytest.raises(InputError, match=f"adapter 'lora-0': {sentence}"):
        prepare(workspace)

"""What workspace.yaml may declare about its tasks together, and each mistake as a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import InputError
from core.prepare import Choice, prepare_run
from core.spec import CompositeSpec, ForgettingSpec
from core.workspace import load_workspace, workspace_yaml
from tests.synthetic import make_workspace

GOOD = {
    "composites": {
        "desk": {
            "weights": {"category/accuracy": 2, "reply/rouge_l": 1, "reply/perplexity": 1},
            "scale": {"reply/perplexity": [50, 5]},
        }
    },
    "forgetting": {"general": "general", "domain": "reply"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "w", n=6, runs=False)


def declare(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "workspace.yaml"
    whole = yaml.safe_load(path.read_text(encoding="utf-8")) | content
    path.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder


def refused(folder: Path, content: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        load_workspace(declare(folder, content))
    return str(caught.value)


def test_what_is_declared_is_read_and_written_again(folder: Path) -> None:
    spec = load_workspace(declare(folder, GOOD)).spec
    assert spec.composites["desk"].scale == {"reply/perplexity": (50, 5)}
    assert spec.forgetting == ForgettingSpec(general="general", domain="reply")
    again = yaml.safe_load(workspace_yaml(spec))
    assert again["composites"] == GOOD["composites"] and again["forgetting"] == GOOD["forgetting"]


def test_a_run_keeps_what_was_declared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.prepare.check_models", lambda *_: None)
    monkeypatch.setattr("core.prepare.check_workspace_heads", lambda *_: None)
    run = prepare_run(load_workspace(declare(folder, GOOD)), Choice(tasks=("category",)))
    assert run.spec.composites == {"desk": CompositeSpec.model_validate(GOOD["composites"]["desk"])}
    assert run.spec.forgetting is not None and run.spec.forgetting.domain == "reply"
    copied = load_workspace(run.folder)
    assert copied.spec.composites == run.spec.composites and copied.spec.forgetting == run.spec.forgetting


@pytest.mark.parametrize(
    ("composite", "sentence"),
    [
        ({"weights": {}}, "composites.desk.weights: found none, expected at least one task/metric with its weight."),
        (
            {"weights": {"reply/rouge": 1}},
            "found 'reply/rouge' (did you mean 'reply/rouge_l'?), expected task/metric of a task's metrics",
        ),
        (
            {"weights": {"reply/perplexity": 1}},
            "which has no best or worst value; state under `scale` which values count as 0 and 1",
        ),
        (
            {"weights": {"category/accuracy": 0}},
            "composites.desk.weights.category/accuracy: found 0, expected greater than 0.",
        ),
        ({"weights": {"category/accuracy": -1}}, "found -1, expected greater than 0."),
        ({"weights": {"category/accuracy": "two"}}, "found 'two', expected number."),
        (
            {"weights": {"category/accuracy": 1}, "scale": {"category/acuracy": [0, 1]}},
            "found a scale for 'category/acuracy' (did you mean 'category/accuracy'?), which has no weight",
        ),
        (
            {"weights": {"category/accuracy": 1}, "scale": {"category/accuracy": [1]}},
            "found [1], expected [worst, best]",
        ),
        (
            {"weights": {"category/accuracy": 1}, "scale": {"category/accuracy": [1, 1]}},
            "two different numbers in the metric's unit.",
        ),
        (
            {"weights": {"category/accuracy": 1}, "scales": {}},
            "unknown key (did you mean 'scale'?), expected one of weights, scale.",
        ),
    ],
)
def test_each_mistake_of_a_composite_is_a_sentence(folder: Path, composite: dict[str, Any], sentence: str) -> None:
    told = refused(folder, {"composites": {"desk": composite}})
    assert sentence in told and "workspace.yaml" in told and "line" in told


def test_metrics_that_cannot_be_composed_are_refused(folder: Path) -> None:
    whole = yaml.safe_load((folder / "workspace.yaml").read_text(encoding="utf-8"))
    whole["tasks"]["category"]["metrics"] = ["accuracy", "f1_per_class"]
    whole["tasks"]["reply"]["metrics"] = ["rouge_l", "length_ratio"]
    told = refused(
        folder,
        {
            "tasks": whole["tasks"],
            "composites": {"desk": {"weights": {"category/f1_per_class": 1, "reply/length_ratio": 1}}},
        },
    )
    assert "'category/f1_per_class', which has a value for each label" in told
    assert "'reply/length_ratio', which is neither better higher nor lower" in told


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"general": "genral", "domain": "reply"}, "forgetting.general: found 'genral' (did you mean 'general'?), expected a task:"),
        ({"general": "general", "domain": "replies"}, "forgetting.domain: found 'replies' (did you mean 'reply'?)"),
        ({"general": "category", "domain": "reply"}, "found 'category', a classification task; expected one of kind likelihood"),
        ({"general": "general", "domain": "general"}, "found 'general', which is the general task too"),
        ({"general": "general", "domain": "urgency"}, "a task without metrics; name at least one under tasks.urgency.metrics"),
        ({"general": "general"}, "forgetting.domain: the key is missing"),
    ],
)  # fmt: skip
def test_each_mistake_about_forgetting_is_a_sentence(folder: Path, asked: dict[str, str], sentence: str) -> None:
    assert sentence in refused(folder, {"forgetting": asked})


def test_general_text_in_a_chat_template_is_refused(folder: Path) -> None:
    whole = yaml.safe_load((folder / "workspace.yaml").read_text(encoding="utf-8"))
    whole["tasks"]["general"].pop("template")
    told = refused(folder, {"tasks": whole["tasks"], "forgetting": {"general": "general", "domain": "reply"}})
    assert (
        "whose texts stand in the chat template; general text is scored as it is: set tasks.general.template to none."
        in told
    )

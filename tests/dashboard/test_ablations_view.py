"""The Ablations page without a browser: what it says of made-up sweeps, its parts, its address, and what it says where there is nothing."""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.ablation.analyse import analyse
from core.jobs.status import RunStatus, write_status
from core.store import write_json
from core.workspace import load_workspace
from tests.core import mini
from tests.core.ablation.made import TASK, Recipe, hits, sweep
from tests.dashboard.pages import opened, shown

HOSTILE = "<img src=x onerror=alert(1)>"
RECIPES: Mapping[str, Recipe] = {
    **{f"r8-s{seed}": {"rank": 8, "seed": seed, "learning_rate": 1e-3, "optim": "adamw"} for seed in range(3)},
    **{f"r2-s{seed}": {"rank": 2, "seed": seed, "learning_rate": 1e-3, "optim": "adamw"} for seed in range(3)},
    "r32": {"rank": 32, "seed": 0, "learning_rate": 1e-3, "optim": "adamw"},
    "slow": {"rank": 8, "seed": 0, "learning_rate": 1e-4, "optim": "adamw"},
    "odd": {"rank": 8, "seed": 0, "learning_rate": 1e-3, "optim": HOSTILE},
}
SHARES = (0.9, 0.88, 0.92, 0.3, 0.28, 0.32, 0.9, 0.6, 0.9)
N = 60


def planted(folder: Path, recipes: Mapping[str, Recipe], shares: tuple[float, ...]) -> Path:
    """Write a workspace with a finished run in which each adapter has a share of the examples right."""
    rng = np.random.default_rng(0)
    right = hits(rng, shares, rng.uniform(size=N))
    run, _ = sweep(folder, recipes, dict(zip(recipes, right, strict=True)))
    sizes = {name: {"trainable_parameters": 1_000 * recipe["rank"]} for name, recipe in recipes.items()}
    write_json(run.folder / "preflight.json", {"variants": sizes})
    write_status(run.folder, RunStatus("finished"))
    return folder


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted(tmp_path_factory.mktemp("ablations") / "w", RECIPES, SHARES)


def components(app: AppTest) -> str:
    found: Any = app.get("bidi_component")
    return "\n".join(str(json.loads(element.proto.json)) for element in found)


def figures(app: AppTest) -> str:
    found: Any = app.get("plotly_chart")
    return "\n".join(element.proto.spec for element in found)


def test_the_first_line_answers_and_the_runs_stand_below(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = load_workspace(workspace)
    (table,) = analyse(next(iter(place.runs())), place).tables
    app = opened(monkeypatch, workspace, "ablations")
    text, content = shown(app), components(app)
    assert f'<div class="ls-lead">{html.escape(table.statements[0].text)}' in text
    assert text.count(html.escape(table.statements[0].text)) == 1  # said once, on top
    assert "one choice changed at a time" in figures(app) and "Benjamini-Hochberg" in text
    assert table.reference == "r8-s0" and "r8-s0: mean " in content and "3 seeds" in content
    order = [content.index(f'data-variant="{name}"') for name in ("r8-s0", "r8-s1", "r8-s2", "r2-s0", "r32")]
    assert order == sorted(order) and "<small>reference</small>" in content
    assert "said by training_args.yaml" in content and "said by adapter_config.json" in content
    assert HOSTILE not in content and "&lt;img src=x" in content
    assert "What to run next" in text and "settings that all runs share" in " ".join(one.label for one in app.expander)
    assert f"n = {N}" in text and "95 % intervals" in text


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("levels", "along rank"),
        ("cost", "Trainable parameters"),
        ("training", ""),
        ("together", "Every choice, and t: Accuracy"),
    ],
)
def test_each_part_is_drawn_or_says_why_not(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, part: str, words: str
) -> None:
    app = opened(monkeypatch, workspace, "ablations", part=part)
    text = shown(app)
    assert words in figures(app)
    if part == "training":
        assert "No adapter has a training log" in text
    if part == "together":
        assert "what 1,999 shuffles of the outcomes give" in figures(app)
        assert "No analysis of variance is shown: 9 runs leave 4 degrees of freedom" in text


def test_metric_and_reference_live_in_the_address(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(monkeypatch, workspace, "ablations", metric=f"{TASK}/f1_macro", against="r2-s0")
    assert "F1" in app.selectbox(key="ablations-metric").options[1] and "F1" in shown(app) + figures(app)
    assert app.selectbox(key="ablations-against").value == "r2-s0"
    app.selectbox(key="ablations-against").select("r32").run()
    assert app.query_params["against"] == "r32"
    assert 'data-variant="r32"' in components(app).split("<small>reference</small>")[0]


def test_what_the_address_asks_for_wrongly_is_not_taken(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(monkeypatch, workspace, "ablations", metric="no/such", against=HOSTILE, part="x", section="y")
    assert "one choice changed at a time" in figures(app)
    assert app.selectbox(key="ablations-against").value == "r8-s0" and HOSTILE not in shown(app)


def test_files_that_disagree_are_flagged_and_a_folder_that_is_gone_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes = {name: RECIPES[name] for name in ("r8-s0", "r32", "slow")}
    recipes["r32"] = {**recipes["r32"], "config": {"r": 16}}
    folder = planted(tmp_path / "w", recipes, (0.9, 0.5, 0.6))
    shutil.rmtree(folder / "adapters" / "slow")
    app = opened(monkeypatch, folder, "ablations")
    text, content = shown(app), components(app)
    assert "2 adapters of this base, and choices are told apart from 3 on" in text
    assert "adapter_config.json says r = 16, but the tensors have rank 32" in content and "files disagree" in content
    assert "slow is left out: adapters/slow: the adapter&#x27;s folder is not there" in text


def test_adapters_of_two_bases_have_two_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipes = dict(RECIPES)
    for name in ("r2-s0", "r2-s1", "r2-s2"):
        recipes[name] = {**recipes[name], "config": {"base_model_name_or_path": "maker/other-model"}}
    app = opened(monkeypatch, planted(tmp_path / "w", recipes, SHARES), "ablations")
    assert "Adapters of other-model" in shown(app)
    assert len(app.get("bidi_component")) == 2


def test_a_run_without_adapters_or_answers_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = planted(tmp_path / "w", {"r8-s0": RECIPES["r8-s0"]}, (0.9,))
    spec = mini.spec({TASK: mini.task()}, [])
    mini.write(folder / "runs" / "bare", spec, [mini.example(TASK, 0, "a")], [mini.chosen(TASK, "baseline", 0, "a")])
    text = shown(opened(monkeypatch, folder, "ablations", run="bare"))
    assert "No adapters in this run" in text and "under models.adapters" in text
    mini.write(folder / "runs" / "silent", mini.spec({TASK: mini.task()}, ["r8-s0"]), [mini.example(TASK, 0, "a")], [])
    write_status(folder / "runs" / "silent", RunStatus("finished"))
    text = shown(opened(monkeypatch, folder, "ablations", run="silent"))
    assert "This run holds no evidence that a metric could be computed from." in text and 'class="ls-lead"' not in text


def test_overview_and_compare_lead_here(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(monkeypatch, workspace, "overview")
    assert not app.exception and "9 adapters: which of the choices" in components(app)
    assert "ablations?" in components(app)
    there = opened(monkeypatch, workspace, "compare")
    assert "Which choice made the difference" in [one.proto.label for one in there.get("page_link")]

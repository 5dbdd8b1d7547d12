"""Figures of adapters: their data against what was measured, names escaped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.adapters import read_adapter
from core.adapters.anatomy import Anatomy, ModuleChange
from core.adapters.overlap import ModuleOverlap, Overlap
from core.adapters.training_log import LogRow, TrainingLog
from core.charts.adapter_tables import anatomy_table, log_table, overlap_table, setting_pairs, settings_table
from core.charts.anatomy import change_heatmap, overlap_heatmap, short_parts, singular_values_chart
from core.charts.learning_curves import curve_axes, curve_names, learning_curves

ROOT = Path(__file__).parents[3]
HOSTILE = "<b>x</b>$y$"


def _change(layer: int | None, part: str, norm: float, base: float | None = 10.0) -> ModuleChange:
    module = part if layer is None else f"model.layers.{layer}.{part}"
    return ModuleChange(module, layer, part, 2, 2.0, norm, base, (norm * 0.8, norm * 0.6), 1.9)


ANATOMY = Anatomy("0" * 64, (_change(0, "self_attn.v_proj", 1.0), _change(0, "self_attn.q_proj", 0.5),
                             _change(1, "self_attn.q_proj", 0.2), _change(None, "lm_head", 0.1)))  # fmt: skip


def test_the_heatmap_has_layers_across_and_modules_down_with_empty_places() -> None:
    heat = change_heatmap(ANATOMY, HOSTILE).to_dict()
    trace = heat["data"][0]
    assert list(trace["x"]) == ["0", "1", "none"] and list(trace["y"]) == ["q_proj", "v_proj", "lm_head"]
    assert [list(line) for line in trace["z"]] == [[5.0, 2.0, None], [10.0, None, None], [None, None, 1.0]]
    assert trace["customdata"][1][0] == "model.layers.0.self_attn.v_proj" and trace["zmax"] == 10.0
    assert HOSTILE not in heat["layout"]["title"]["text"] and "&lt;b&gt;" in heat["layout"]["title"]["text"]
    assert change_heatmap(ANATOMY, "a", top=0.5).to_dict()["data"][0]["zmax"] == 50.0
    norms = change_heatmap(ANATOMY, "a", "change_norm").to_dict()["data"][0]
    assert list(norms["z"][0]) == [0.5, 0.2, None]


def test_singular_values_are_a_line_an_adapter() -> None:
    changes = {"one": _change(0, "q_proj", 1.0), "two": _change(0, "q_proj", 2.0)}
    figure = singular_values_chart(changes, {"one": "#111111", "two": "#222222"}).to_dict()
    assert [list(trace["y"]) for trace in figure["data"]] == [[0.8, 0.6], [1.6, 1.2]]
    assert "one: effective rank 1.9 of 2; two: effective rank 1.9 of 2" in figure["layout"]["title"]["text"]


def test_the_overlap_heatmap_is_signed_for_cosines_and_a_share_for_subspaces() -> None:
    overlap = Overlap(("a", "b"), (ModuleOverlap("layers.3.q", 3, "q", -0.5, 0.25, 0.5, 0.1, 0.1, 80.0),), -0.5)
    cosine = overlap_heatmap(overlap, ("one", "two")).to_dict()["data"][0]
    assert (list(cosine["z"][0]), cosine["zmin"], cosine["zmax"]) == ([-0.5], -1.0, 1.0)
    shared = overlap_heatmap(overlap, ("one", "two"), "output_overlap").to_dict()["data"][0]
    assert (list(shared["z"][0]), shared["zmin"], shared["zmax"]) == ([25.0], 0.0, 100.0)
    assert overlap_table(overlap)["cosine"].tolist() == [-0.5]


def test_equal_last_parts_keep_their_paths() -> None:
    assert short_parts(["self_attn.q_proj", "cross.q_proj", "mlp.up"]) == {
        "self_attn.q_proj": "self_attn.q_proj", "cross.q_proj": "cross.q_proj", "mlp.up": "up",
    }  # fmt: skip


def test_learning_curves_draw_training_and_held_out_rows_and_leave_gaps() -> None:
    train = (
        LogRow(1, {"loss": 3.0, "epoch": 0.5, "grad_norm": 1.0}),
        LogRow(2, {"loss": None, "epoch": 1.0, "grad_norm": 2.0}),
    )
    log = TrainingLog("trainer_state.json", train, (LogRow(2, {"eval_loss": 2.5, "epoch": 1.0}),))
    logs, colours = {HOSTILE: log}, {HOSTILE: "#123456"}
    assert curve_names([log]) == ["loss", "eval_loss", "grad_norm"] and curve_axes([log]) == ["step", "epoch"]
    training, held_out, best = learning_curves(logs, colours, axis="epoch").to_dict()["data"]
    assert (list(best["x"]), list(best["y"])) == ([1.0], [2.5])
    assert (list(training["x"]), list(training["y"])) == ([0.5, 1.0], [3.0, None])
    assert (list(held_out["x"]), list(held_out["y"]), held_out["line"]["dash"]) == ([1.0], [2.5], "dash")
    assert HOSTILE not in training["name"]
    assert len(learning_curves(logs, colours, "grad_norm").data) == 1
    alone, ring = learning_curves(logs, colours, "eval_loss").to_dict()["data"]
    assert list(alone["y"]) == list(ring["y"]) == [2.5]
    assert log_table(logs)[["kind", "step"]].values.tolist() == [["training", 1], ["training", 2], ["evaluation", 2]]


def test_tables_of_the_shipped_adapters() -> None:
    one, other = (read_adapter(ROOT / "sample_data/adapters" / name) for name in ("qv-r8", "qv-r32"))
    table = settings_table({"qv-r8": one})
    assert table[(table["setting"] == "r") & table["counts"]]["value"].tolist() == ["8"]
    assert [name for name, _, _, differs in setting_pairs(one, other) if differs][:2] == ["lora_alpha", "r"]
    changes = anatomy_table({"a": ANATOMY})
    assert changes["share"].tolist() == pytest.approx(np.array([0.1, 0.05, 0.02, 0.01]))

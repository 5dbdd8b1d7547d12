"""Which variants an ablation has: each part once, from coarse to fine, and the reason where a part makes no sense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.adapters import read_adapter
from core.adapters.parts import kept, kept_size, module_groups, why_no_mixture, windows
from core.errors import InputError
from core.experiment.trials import Planned, Subject, plan_trials
from core.model_set import AdapterPart, AdapterRef, Mixture
from tests.core.adapters.made import made_adapter

ALL = ("modules", "depth", "strength", "rank", "mixing")
SHAPES = {"self_attn.q_proj": (8, 8), "self_attn.v_proj": (4, 8), "mlp.down_proj": (8, 16)}


def factors(layers: int, rank: int, modules: tuple[str, ...] = tuple(SHAPES)) -> dict[str, np.ndarray]:
    drawn = np.random.default_rng(0)
    return {
        f"base_model.model.model.layers.{layer}.{name}.lora_{side}.weight": drawn.normal(size=shape).astype(np.float32)
        for layer in range(layers) for name in modules
        for side, shape in (("A", (rank, SHAPES[name][1])), ("B", (SHAPES[name][0], rank)))
    }  # fmt: skip


def subject(
    folder: Path, name: str = "a", *, layers: int = 12, rank: int = 8, scale: float = 1.0, **config: Any
) -> Subject:
    modules = config.pop("modules", tuple(SHAPES))
    made = made_adapter(folder / name.replace("/", "_"), rank=rank, tensors=factors(layers, rank, modules), **config)
    return Subject(name, AdapterRef(path=name, scale=scale), read_adapter(made))


def points(planned: Planned, part: str, change: str) -> list[tuple[float | None, str]]:
    found = [(t.dose, t.variant) for t in planned.trials if (t.part, t.change) == (part, change)]
    return sorted(found, key=lambda point: (point[0] or 0, point[1]))


def test_strength_runs_from_the_baseline_over_the_adapter_to_twice_of_it(tmp_path: Path) -> None:
    planned = plan_trials(subject(tmp_path, scale=0.5), ["strength"])
    assert points(planned, "strength", "scaled") == [
        (0, "baseline"), (0.25, "a.x0.25"), (0.5, "a.x0.5"), (0.75, "a.x0.75"), (1, "a"), (1.5, "a.x1.5"), (2, "a.x2"),
    ]  # fmt: skip
    assert planned.adapters["a.x1.5"] == AdapterRef(path="a", scale=0.75, of="a")
    assert list(planned.adapters)[:2] == ["a", "a.x0.5"], "the whole adapter first, then what tells most"


def test_modules_are_left_out_and_alone_and_what_is_the_same_is_one_variant(tmp_path: Path) -> None:
    planned = plan_trials(subject(tmp_path), ["modules"])
    said = {trial.label: trial.variant for trial in planned.trials}
    assert said == {
        "without attention": "a.no-attention", "without MLP": "a.no-mlp", "attention alone": "a.no-mlp", "MLP alone": "a.no-attention",
        "without q_proj": "a.no-q_proj", "without v_proj": "a.no-v_proj", "without down_proj": "a.no-mlp",
        "q_proj alone": "a.only-q_proj", "v_proj alone": "a.only-v_proj", "down_proj alone": "a.no-attention",
    }  # fmt: skip
    assert planned.adapters["a.no-mlp"].part == AdapterPart(modules=("q_proj", "v_proj"))
    assert list(planned.adapters)[:3] == ["a", "a.no-attention", "a.no-mlp"]


def test_depth_has_windows_and_both_ends_from_nothing_to_everything(tmp_path: Path) -> None:
    planned = plan_trials(subject(tmp_path), ["depth"])
    assert [t.layers for t in planned.trials if t.change == "left_out"] == [(k, k + 1) for k in range(0, 12, 2)]
    first = points(planned, "depth", "first")
    assert [dose for dose, _ in first] == [0, 2, 4, 6, 8, 10, 12]
    assert (first[0][1], first[3][1], first[5][1], first[6][1]) == ("baseline", "a.first-6", "a.no-layers-10-11", "a")
    assert points(planned, "depth", "last")[5][1] == "a.no-layers-0-1"
    assert planned.adapters["a.no-layers-4-5"].part == AdapterPart(layers=(0, 1, 2, 3, 6, 7, 8, 9, 10, 11))
    short = plan_trials(subject(tmp_path, "b", layers=2), ["depth"])
    assert {t.label for t in short.trials if t.change == "left_out"} == {"without layer 0", "without layer 1"}


@pytest.mark.parametrize(("rank", "doses"), [(8, [1, 2, 4, 8]), (6, [1, 2, 4, 6]), (2, [1, 2])])
def test_ranks_are_powers_of_two_up_to_its_own(tmp_path: Path, rank: int, doses: list[int]) -> None:
    planned = plan_trials(subject(tmp_path, rank=rank), ["rank"])
    assert [dose for dose, _ in points(planned, "rank", "truncated")] == doses
    assert points(planned, "rank", "truncated")[-1] == (rank, "a")


def test_mixtures_lie_between_the_pure_adapters(tmp_path: Path) -> None:
    a, b, c = (subject(tmp_path, name) for name in "abc")
    two = plan_trials(a, ["mixing"], [b], ["cat", "ties"], seed=7)
    assert points(two, "mixing", "mixed") == [
        (0, "b"), (0.25, "a+b.cat-0.25"), (0.25, "a+b.ties-0.25"), (0.5, "a+b.cat-0.5"), (0.5, "a+b.ties-0.5"),
        (0.75, "a+b.cat-0.75"), (0.75, "a+b.ties-0.75"), (1, "a"),
    ]  # fmt: skip
    assert two.mixtures["a+b.ties-0.25"] == Mixture(method="ties", weights={"a": 0.25, "b": 0.75}, seed=7)
    three = plan_trials(a, ["mixing"], [b, c])
    weights = [trial.weights for trial in three.trials]
    assert len(weights) == 3 + 1 + 3 + 3
    assert all(sum(found.values()) == pytest.approx(1) for found in weights)
    assert [t.variant for t in three.trials[:3]] == ["a", "b", "c"]


def test_what_comes_first_is_coarse_in_every_part(tmp_path: Path) -> None:
    order = list(plan_trials(subject(tmp_path), ALL).adapters)
    assert order[:7] == ["a", "a.x0.5", "a.no-attention", "a.no-mlp", "a.rank-4", "a.first-6", "a.last-6"]
    assert len(order) == len(set(order)) == 29


@pytest.mark.parametrize(
    ("config", "off"),
    [
        ({"peft_type": "IA3"}, {"modules", "depth", "strength", "rank", "mixing"}),
        ({"modules_to_save": ["lm_head"]}, {"modules", "depth", "strength", "rank", "mixing"}),
        ({"bias": "all"}, {"modules", "depth", "strength", "rank", "mixing"}),
        ({"use_dora": True}, {"strength", "rank", "mixing"}),
        ({"rank": 1}, {"rank", "mixing"}),
        ({"layers": 1}, {"depth", "mixing"}),
        ({"modules": ("mlp.down_proj",)}, {"modules", "mixing"}),
        ({}, {"mixing"}),
    ],
)  # fmt: skip
def test_parts_that_make_no_sense_are_off_with_the_reason(
    tmp_path: Path, config: dict[str, Any], off: set[str]
) -> None:
    planned = plan_trials(subject(tmp_path, **config), ALL)
    assert set(planned.off) == off
    assert {trial.part for trial in planned.trials} == set(ALL) - off
    assert all(reason.endswith(".") for reason in planned.off.values())


def test_the_reasons_say_what_was_found(tmp_path: Path) -> None:
    told = {
        "IA3": {"peft_type": "IA3"}, "lm_head": {"modules_to_save": ["lm_head"]}, "dora": {"use_dora": True},
    }  # fmt: skip
    off = {name: plan_trials(subject(tmp_path, name, **config), ["rank"]).off["rank"] for name, config in told.items()}
    assert off["IA3"].startswith("'IA3': it is of type IA3; only the update of LoRA is a sum of parts")
    assert "trains whole copies of layers (modules_to_save)" in off["lm_head"]
    assert "it is a DoRA adapter" in off["dora"]


def test_adapters_of_two_ranks_are_mixed_by_cat_and_svd_alone(tmp_path: Path) -> None:
    facts = {"a": subject(tmp_path, "a").facts, "b": subject(tmp_path, "b", rank=2).facts}
    weights = {"a": 0.5, "b": 0.5}
    assert why_no_mixture(facts, Mixture(method="cat", weights=weights)) is None
    assert why_no_mixture(facts, Mixture(method="svd", weights=weights)) is None
    assert why_no_mixture(facts, Mixture(method="ties", weights=weights)) == (
        "'ties' mixes adapters of one rank; found a 8, b 2. Use cat or svd."
    )


def test_names_that_are_taken_or_too_long_are_refused(tmp_path: Path) -> None:
    taken = subject(tmp_path, "a.x0.5")
    with pytest.raises(InputError, match=r"the name 'a\.x0\.5' is needed for a variant of the ablation"):
        plan_trials(subject(tmp_path), ["strength", "mixing"], [taken])
    with pytest.raises(InputError, match="would have a name of 83 letters"):
        plan_trials(subject(tmp_path, "a" * 78), ["strength"])


def test_what_is_left_of_an_adapter(tmp_path: Path) -> None:
    facts = subject(tmp_path, layers=2, rank=4).facts
    assert module_groups(facts) == {"attention": ("q_proj", "v_proj"), "MLP": ("down_proj",)}
    assert kept(facts, 1, None).amount == kept(facts, 1, AdapterPart(rank=4, layers=(0, 1, 7))).amount == "everything"
    assert kept(facts, 0, None).amount == kept(facts, 1, AdapterPart(layers=(9,))).amount == "nothing"
    some = kept(facts, 1, AdapterPart(modules=("q_proj",), rank=1))
    assert (some.amount, some.modules) == (
        "some",
        ("model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj"),
    )
    assert some.fingerprint == kept(facts, 1, AdapterPart(modules=("q_proj", "x"), rank=1)).fingerprint
    assert some.fingerprint != kept(facts, 1, AdapterPart(modules=("q_proj",), rank=2)).fingerprint
    assert kept_size(facts, some) == (2 * 16, 2 * 16 * 4)
    assert kept_size(facts, kept(facts, 1, None)) == (facts.parameters, facts.n_bytes)


@pytest.mark.parametrize(("count", "sizes"), [(30, [5] * 6), (7, [1, 1, 2, 1, 1, 1]), (3, [1, 1, 1]), (1, [1])])
def test_windows_cover_every_layer_once_and_evenly(count: int, sizes: list[int]) -> None:
    found = windows(range(count), 6)
    assert [layer for window in found for layer in window] == list(range(count))
    assert sorted(map(len, found)) == sorted(sizes)

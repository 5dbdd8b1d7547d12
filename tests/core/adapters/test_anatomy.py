"""What an adapter changed: against the dense product in numpy, and against what is known of special cases."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
from safetensors.numpy import save_file

from core.adapters import read_adapter
from core.adapters.anatomy import effective_rank, measure_anatomy
from core.adapters.factors import module_scale
from core.adapters.overlap import measure_overlap, principal_angles, subspace_overlap
from core.errors import InputError
from tests.core.adapters.made import MODULES, dense_change, made_adapter, made_base

FIRST = "model.layers.0.self_attn.q_proj"
LORA = "base_model.model.{}.lora_{}.weight"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))


def _pair(b: np.ndarray) -> dict[str, np.ndarray]:
    """Return the factors of one module, A of rank 2."""
    return {LORA.format(FIRST, "A"): np.ones((2, 12), np.float32), LORA.format(FIRST, "B"): b.astype(np.float32)}


def _orthonormal(n: int, k: int, seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(n, k))).Q


def test_norms_and_singular_values_are_those_of_the_dense_product(tmp_path: Path) -> None:
    folder, base = made_adapter(tmp_path / "a"), made_base(tmp_path / "base")
    anatomy = measure_anatomy(read_adapter(folder), base)
    drawn = np.random.default_rng(0)
    weights = {name: drawn.normal(size=shape).astype(np.float32) for name, shape in MODULES.items()}
    assert [one.module for one in anatomy.modules] == sorted(MODULES)
    for one in anatomy.modules:
        dense = dense_change(folder, one.module, 2.0)
        assert one.change_norm == pytest.approx(np.linalg.norm(dense), rel=1e-9)
        assert one.base_norm == pytest.approx(np.linalg.norm(weights[one.module]), rel=1e-6)
        assert one.singular_values == pytest.approx(np.linalg.svd(dense, compute_uv=False)[:3], rel=1e-9)
        assert one.share == pytest.approx(one.change_norm / (one.base_norm or math.nan))
    total = math.sqrt(sum(np.square(dense_change(folder, name, 2.0)).sum() for name in MODULES))
    assert anatomy.share == pytest.approx(
        total / math.sqrt(sum(np.square(one, dtype=float).sum() for one in weights.values()))
    )
    assert anatomy.layers == (0, 1, 2) and anatomy.parts == ("self_attn.q_proj", "self_attn.v_proj")
    shares = [one.share or 0.0 for one in anatomy.most_moved]
    assert shares == sorted(shares, reverse=True) and anatomy.remarks == ()


def test_without_a_base_the_changes_stand_alone(tmp_path: Path) -> None:
    anatomy = measure_anatomy(read_adapter(made_adapter(tmp_path / "a")), None)
    assert anatomy.share is None and all(one.base_norm is None for one in anatomy.modules)
    norms = [one.change_norm for one in anatomy.most_moved]
    assert norms == sorted(norms, reverse=True) and "not at hand" in anatomy.remarks[0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [((1.0, 0.0, 0.0), 1.0), ((2.0, 2.0, 2.0, 2.0), 4.0), ((3.0, 1.0), math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25))))],
)  # fmt: skip
def test_effective_rank(values: tuple[float, ...], expected: float) -> None:
    assert effective_rank(values) == pytest.approx(expected)


def test_an_adapter_that_was_never_trained_has_no_effective_rank(tmp_path: Path) -> None:
    tensors = {
        LORA.format(FIRST, "A"): np.ones((2, 12), np.float32),
        LORA.format(FIRST, "B"): np.zeros((16, 2), np.float32),
    }
    anatomy = measure_anatomy(read_adapter(made_adapter(tmp_path / "a", tensors=tensors, rank=2)), None)
    assert anatomy.modules[0].change_norm == 0 and anatomy.modules[0].effective_rank is None


def test_scales_of_their_own(tmp_path: Path) -> None:
    facts = read_adapter(
        made_adapter(tmp_path / "a", alpha_pattern={"q_proj": 30, r"layers\.[12]\.self_attn\.v_proj": 12})
    )
    scales = [
        module_scale(facts, f"model.layers.{layer}.self_attn.{name}", 3)
        for layer in (0, 1)
        for name in ("q_proj", "v_proj")
    ]
    assert scales == [10.0, 2.0, 10.0, 4.0]
    stabilised = read_adapter(made_adapter(tmp_path / "b", use_rslora=True))
    assert module_scale(stabilised, FIRST, 4) == pytest.approx(6 / 2)


@pytest.mark.parametrize(
    ("config", "tensors", "expected"),
    [
        ({"peft_type": "LOHA"}, None, "found peft_type LOHA"),
        ({"use_qalora": True}, None, "trained with use_qalora"),
        ({"lora_alpha": None}, None, "has no lora_alpha"),
        ({"alpha_pattern": {"(": 2}}, None, "is no pattern"),
        ({"use_dora": True}, None, "has no lora_magnitude_vector"),
        ({}, {LORA.format(FIRST, "A"): np.ones((2, 12), np.float32)}, "has lora_A without its partner"),
        ({}, _pair(np.ones((16, 3))), "do not multiply"),
        ({}, _pair(np.full((16, 2), np.nan)), "diverged"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_told(tmp_path: Path, config: dict, tensors: dict | None, expected: str) -> None:
    facts = read_adapter(made_adapter(tmp_path / "a", tensors=tensors, **config))
    with pytest.raises(InputError, match=expected):
        measure_anatomy(facts, None)


def test_what_the_numbers_leave_out_is_said(tmp_path: Path) -> None:
    facts = read_adapter(made_adapter(tmp_path / "a", init_lora_weights="pissa_niter_4", lora_bias=True))
    remarks = measure_anatomy(facts, None).remarks
    assert "takes a part out of the base first" in remarks[0] and "biases" in remarks[1]


def test_a_quantised_base_gives_no_share(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    save_file(
        {f"{name}.weight": np.ones(shape, np.int8) for name, shape in MODULES.items()}, base / "model.safetensors"
    )
    assert measure_anatomy(read_adapter(made_adapter(tmp_path / "a")), base).share is None


def test_an_adapter_beside_itself_and_beside_its_opposite(tmp_path: Path) -> None:
    one = read_adapter(made_adapter(tmp_path / "a"))
    same = measure_overlap(one, one)
    assert same.cosine == pytest.approx(1)
    for module in same.modules:
        assert (module.cosine, module.output_overlap, module.input_overlap) == pytest.approx((1, 1, 1))
        assert module.largest_angle == pytest.approx(0, abs=1e-4)
        assert module.output_chance == pytest.approx(3 / (16 if "q_proj" in module.module else 10))
    opposite = read_adapter(made_adapter(tmp_path / "b", lora_alpha=-6))
    assert measure_overlap(one, opposite).cosine == pytest.approx(-1)


def test_cosines_and_angles_are_those_of_the_dense_changes(tmp_path: Path) -> None:
    first, second = made_adapter(tmp_path / "a", seed=1), made_adapter(tmp_path / "b", seed=2, rank=2)
    overlap = measure_overlap(read_adapter(first), read_adapter(second))
    for one in overlap.modules:
        x, y = dense_change(first, one.module, 2.0), dense_change(second, one.module, 2.0)
        assert one.cosine == pytest.approx((x * y).sum() / np.linalg.norm(x) / np.linalg.norm(y), rel=1e-9)
        angles = scipy.linalg.subspace_angles(scipy.linalg.orth(x), scipy.linalg.orth(y))
        assert one.largest_angle == pytest.approx(np.degrees(angles[0]), rel=1e-6)
        assert one.output_overlap == pytest.approx(np.mean(np.cos(angles) ** 2), rel=1e-6)
    all_x, all_y = (
        np.concatenate([dense_change(folder, name, 2.0).ravel() for name in MODULES]) for folder in (first, second)
    )
    assert overlap.cosine == pytest.approx(all_x @ all_y / np.linalg.norm(all_x) / np.linalg.norm(all_y), rel=1e-9)


def test_angles_of_planes_that_are_known() -> None:
    tilted = np.array([[1.0, 0.0], [0.0, math.cos(0.3)], [0.0, math.sin(0.3)]])
    assert principal_angles(np.eye(3)[:, :2], tilted) == pytest.approx([0, 0.3], abs=1e-7)
    assert subspace_overlap(np.eye(4)[:, :2], np.eye(4)[:, 2:]) == 0
    drawn = [subspace_overlap(_orthonormal(40, 4, seed), _orthonormal(40, 8, seed + 500)) for seed in range(200)]
    assert np.mean(drawn) == pytest.approx(8 / 40, abs=0.01), "what chance gives"


def test_modules_that_only_one_of_them_changes_count_in_the_cosine(tmp_path: Path) -> None:
    first = read_adapter(made_adapter(tmp_path / "a"))
    kept = {LORA.format(FIRST, side): first.tensors[LORA.format(FIRST, side)].array() for side in "AB"}
    overlap = measure_overlap(first, read_adapter(made_adapter(tmp_path / "b", tensors=kept)))
    assert len(overlap.modules) == 1 and overlap.modules[0].cosine == pytest.approx(1)
    assert len(overlap.only_first) == 5 and overlap.only_second == ()
    assert overlap.cosine is not None and overlap.cosine < 0.9


def test_adapters_of_two_bases_are_told(tmp_path: Path) -> None:
    wide = {
        LORA.format(FIRST, "A"): np.ones((3, 20), np.float32),
        LORA.format(FIRST, "B"): np.ones((16, 3), np.float32),
    }
    with pytest.raises(InputError, match="16 x 12, b 16 x 20: they were made for different bases"):
        measure_overlap(
            read_adapter(made_adapter(tmp_path / "a")), read_adapter(made_adapter(tmp_path / "b", tensors=wide))
        )

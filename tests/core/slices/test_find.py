"""Which slices there are, what they are named, and which examples lie in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.compare import compare
from core.errors import InputError
from core.records import Example
from core.slices import find_slices, matcher
from core.slices.partition import partition
from core.spec import DatasetSpec
from core.store import Run
from tests.core import mini
from tests.synthetic import make_run

N = 80


def fields_of(number: int) -> dict[str, object]:
    return {
        "id": f"e{number:03d}",
        "colour": ("red", "green", "blue", None)[number % 4],
        "size": float(number % 2),
        "score": number * 37 % 80 * 1.5,
        "text": f"row {number}",
        "list": [number],
    }


def example(task: str, number: int, reference: str, prompt: str) -> Example:
    return Example(
        task, f"e{number:03d}", prompt, fields_of(number), reference, mini.LABELS,
        tags=("hard=true",) if number < 20 else ("hard=false",), language="zh" if number < 40 else "en", group=f"g{number % 3}",
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    tasks = {"c": mini.task(metrics=["accuracy"]), "g": mini.task("generation", metrics=["exact_match"])}
    spec = mini.spec(tasks)
    spec = spec.model_copy(update={"datasets": {"data": DatasetSpec(path="d.jsonl", tags=("hard",), group="shop")}})
    listed = [example("c", i, mini.LABELS[i % 2], "p" * (10 + i)) for i in range(N)]
    listed += [example("g", i, "参" * (1 + i * 13 % 80 // 2), "q" * (500 + i)) for i in range(N)]
    evidence = [mini.chosen("c", "baseline", 0, "yes")]
    return mini.write(tmp_path_factory.mktemp("find") / "run", spec, listed, evidence)


def test_every_dimension_is_found_with_its_counts(run: Run) -> None:
    found = {one.name: (one.kind, one.dimension, one.n) for one in find_slices(run)}
    assert found["hard=true"] == ("tag", "hard", 20) and found["hard=false"] == ("tag", "hard", 60)
    assert found["language=zh"] == ("language", "language", 40)
    assert found["label=yes"] == ("label", "label", 40), "the reference's field"
    assert found["shop=g0"] == ("group", "shop", 27)
    assert found["colour=red"] == ("field", "colour", 20)
    assert found["score: 1st quarter (0-28.5)"] == ("field", "score", 20)
    assert found["prompt length: 4th quarter (70-89 characters)"] == ("length", "prompt length", 20), (
        "by the first task"
    )
    assert found["reference length: 1st quarter (1-10 characters)"] == ("length", "reference length", 20)
    assert not any(name.startswith(("text=", "list", "id", "text:")) for name in found)
    assert all(one.of == N and 15 <= one.n < N for one in find_slices(run))


def test_the_same_examples_under_another_name_are_no_slice_of_their_own_but_can_be_asked_for(run: Run) -> None:
    # size 0 and 1 part the examples as the labels yes and no do.
    assert "size=0" not in {one.name for one in find_slices(run)}
    assert sum(map(matcher(run, "size=0"), run.examples)) == sum(map(matcher(run, "label=yes"), run.examples)) == N


def test_every_name_matches_as_many_examples_as_it_says_in_every_task(run: Run) -> None:
    for one in find_slices(run):
        lies_in = matcher(run, one.name)
        assert [sum(lies_in(e) for e in run.examples if e.task == task) for task in ("c", "g")] == [one.n] * 2


def test_quarters_part_all_examples_once_and_ties_stay_together() -> None:
    from core.slices.partition import _quarters

    rng = np.random.default_rng(5)
    for numbers in (rng.integers(0, 4, 60).astype(float), rng.normal(size=61), np.array([1.0] * 50 + [2.0] * 3)):
        parts = list(_quarters("x", "field", numbers, ""))
        assert (sum(part.inside.astype(int) for part in parts) == 1).all()
        assert [numbers[part.inside].max() for part in parts[:-1]] < [numbers[part.inside].min() for part in parts[1:]]
    assert list(_quarters("x", "field", np.full(30, 7.0), "")) == []
    with_gap = np.array([np.nan, *range(40)])
    assert not any(part.inside[0] for part in _quarters("x", "field", with_gap, ""))


def test_a_tag_of_few_examples_can_be_asked_for(run: Run) -> None:
    made = make_run(run.folder.parent / "few", n=20, tasks=("category",))
    tag = next(e.tags[0] for e in made.examples)
    inside = [e for e in made.examples if tag in e.tags]
    assert len(inside) < 15 and tag not in {one.name for one in find_slices(made)}
    assert list(filter(matcher(made, tag), made.examples)) == inside
    assert compare(made, where=matcher(made, tag)).rows[0].values["baseline"].n == len(inside)


def test_a_filter_counts_what_is_left_and_keeps_the_names(run: Run) -> None:
    whole = {one.name for one in find_slices(run)}
    kept = {one.name: one for one in find_slices(run, where=lambda e: e.language == "zh")}
    assert set(kept) <= whole
    assert kept["hard=true"].n == 20 and kept["hard=true"].of == 40
    assert "language=zh" not in kept, "no example is outside"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("hard=tru", "did you mean 'hard=true'"), ("colour", "expected one of 'hard=false'"), ("", "'hard=")],
)
def test_an_unknown_name_is_refused_with_the_nearest(run: Run, name: str, hint: str) -> None:
    with pytest.raises(InputError, match="there is no slice") as caught:
        matcher(run, name)
    assert hint in str(caught.value)


def test_a_run_without_examples_has_no_slices(tmp_path: Path) -> None:
    empty = mini.write(tmp_path / "run", mini.spec({"t": mini.task(metrics=["accuracy"])}), [], [])
    assert find_slices(empty) == ()
    with pytest.raises(InputError, match="nothing parts its examples"):
        matcher(empty, "x=1")


def test_two_tasks_with_other_examples_of_a_dataset_are_parted_together(tmp_path: Path) -> None:
    tasks = {name: mini.task(metrics=["accuracy"]) for name in ("a", "b")}
    listed = [example("a", i, "yes", "p") for i in range(20)] + [example("b", i, "no", "p") for i in range(10, 40)]
    run = mini.write(tmp_path / "run", mini.spec(tasks), listed, [])
    one = partition(run, "data")
    assert len(one.position) == 40
    part = next(part for part in one.parts if part.name == "hard=true")
    assert part.inside[one.rows(["e000", "e039", "e019"])].tolist() == [True, False, True]

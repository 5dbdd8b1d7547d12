"""Making a study: what it copies, what it leaves out, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select

from core.errors import InputError
from core.ratings import (
    Criterion,
    GoldItem,
    RatingStore,
    actions,
    create_study,
    items,
    join,
    list_studies,
    missing_runs,
    next_item,
    open_study,
)
from core.ratings.tables import EXAMPLES, ITEMS, OUTPUTS
from core.ratings.texts import text_hash
from core.records import Example
from core.spec import DatasetSpec, ModelRef, ModelSet, RunSpec, Settings, TaskSpec
from core.store import PREDICTION_SCHEMA, Run, create_run, write_table
from tests.core import mini
from tests.core.ratings.studies import VARIANTS, answer, make_study, plan, rate_all, shown, write_run


def test_a_study_holds_what_its_run_said(store: RatingStore, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 8)
    made = create_study(store, [run], plan(examples=5))
    shutil.rmtree(run.folder)
    study = open_study(store, made.study.id)
    assert study == made.study and study.runs == ("run",) and study.variants == VARIANTS
    assert len(items(study)) == 5
    item = shown(study, join(study, "Ana"))
    number = item.prompt.removeprefix("Be kind.\n\nSay thing ")
    assert set(item.outputs) == {f"answer {number} in way {way}" for way in (0, 1)} and item.reference is None
    (gone,) = missing_runs(study, [])
    assert "run was deleted or moved" in gone and missing_runs(study, ["run"]) == []


def test_what_a_rater_gets_names_no_variant(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, adapters=("secret-lora",))
    rater = join(study, "Ana")
    while not hasattr(item := next_item(study, rater), "state"):
        assert "secret" not in repr(item) and "baseline" not in repr(item)
        receipt = answer(study, rater, item)  # pyright: ignore[reportArgumentType]
        assert "secret" not in repr(receipt)
    assert "secret" not in repr(item)


def test_examples_are_drawn_by_shares_and_seed_alone(lite: RatingStore, tmp_path: Path) -> None:
    def drawn(name: str, seed: int, **more: Any) -> list[str]:
        run = write_run(tmp_path / name, 30, identical=more.pop("identical", ()))
        study = create_study(lite, [run], plan(examples=9, seed=seed, **more)).study
        return list(items(study)["example_id"])

    first = drawn("a", 1, stratify=("topic",))
    assert sorted("abc"[int(one[1:]) % 3] for one in first) == list("aaabbbccc")
    assert first == drawn("b", 1, stratify=("topic",)) != drawn("c", 2, stratify=("topic",))
    same = drawn("d", 1, stratify=("topic",), identical=range(0, 30, 2))
    assert set(same) == set(first), "what the models answered decides nothing"


def test_language_is_a_stratum(lite: RatingStore, tmp_path: Path) -> None:
    study = create_study(lite, [write_run(tmp_path / "run", 24)], plan(examples=12, stratify=("language",))).study
    assert items(study)["language"].value_counts().to_dict() == {"en": 9, "de": 3}
    assert set(items(study)["stratum"]) == {"reply; language=en", "reply; language=de"}


def test_identical_outputs_are_counted_and_never_shown(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path, n=6, identical=(1, 4))
    table = items(study)
    assert set(table[table["identical"]]["example_id"]) == {"e001", "e004"} and any(
        "2 items have identical" in n for n in study.notes
    )
    seen = rate_all(study, join(study, "Ana"))
    assert len(seen) == 4 and not any("same" in item.outputs for item in seen)


def test_three_variants_meet_each_other_or_one(lite: RatingStore, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 4, ("one", "two"))
    each = create_study(lite, [run], plan()).study
    assert items(each)["variants"].value_counts().to_dict() == {
        ("baseline", "one"): 4, ("baseline", "two"): 4, ("one", "two"): 4,
    }  # fmt: skip
    against = create_study(lite, [run], plan(against="one")).study
    assert set(items(against)["variants"]) == {("one", "baseline"), ("one", "two")}
    ranked = create_study(lite, [run], plan(mode="rank")).study
    assert set(items(ranked)["variants"]) == {("baseline", "one", "two")}
    scored = create_study(lite, [run], plan(mode="score", variants=("two", "one"))).study
    assert set(items(scored)["variants"]) == {("two",), ("one",)} and scored.variants == ("two", "one")
    assert [c.name for c in scored.plan.asked_criteria] == ["fluency", "relevance", "accuracy", "overall"]


def test_several_runs_and_ids_that_mean_other_rows(lite: RatingStore, tmp_path: Path) -> None:
    first, second = write_run(tmp_path / "first", 6), write_run(tmp_path / "second", 8)
    changed = [
        Example(**{**{name: getattr(one, name) for name in one.__dataclass_fields__}, "fields": {"text": "other"}})
        if one.id == "e002" else one
        for one in second.examples
    ]  # fmt: skip
    second.write_examples(changed)
    made = create_study(lite, [first, Run(second.folder)], plan(variants=("first/baseline", "second/lora")))
    assert made.study.runs == ("first", "second") and len(items(made.study)) == 5
    assert made.study.notes == ("reply: 1 examples are left out, since their id means another row in another run.",)
    with pytest.raises(InputError, match=r"no variant 'lora' .*first/lora"):
        create_study(lite, [first, second], plan(variants=("lora",)))
    with pytest.raises(InputError, match="the same run twice"):
        create_study(lite, [first, first], plan())


def test_imported_predictions_can_be_rated(lite: RatingStore, tmp_path: Path) -> None:
    task = TaskSpec(dataset="data", kind="generation", reference="label", imported=True)
    spec = RunSpec(
        id="mini", created="2026-11-22T16:00:00Z", models=ModelSet(base=ModelRef(path="-"), imported=("ours", "theirs")),
        datasets={"data": DatasetSpec(path="x.jsonl")}, tasks={"reply": task}, settings=Settings(), reference="ours",
    )  # fmt: skip
    run = create_run(tmp_path / "imported", spec)
    run.write_examples([Example("reply", f"e{n}", "", {"question": f"Q{n}?"}, "gold") for n in range(3)])
    rows = [
        {"task": "reply", "variant": variant, "example_id": f"e{n}", "value": json.dumps(f"{variant} says {n}\x00")}
        for variant in ("ours", "theirs") for n in range(3) if (variant, n) != ("theirs", 2)
    ]  # fmt: skip
    write_table(run.folder / "predictions.parquet", pa.Table.from_pylist(rows, schema=PREDICTION_SCHEMA))
    study = create_study(lite, [run], plan(show_reference=True)).study
    item = shown(study, join(study, "Ana"))
    assert "Q" in item.prompt and item.reference == "gold" and all(text.endswith("\ufffd") for text in item.outputs)
    assert study.notes == ("reply: 1 examples are left out, since not every variant answered them with a text.",)


def test_practice_is_of_other_examples_and_gold_of_the_owners(lite: RatingStore, tmp_path: Path) -> None:
    gold = (GoldItem(prompt="2 + 2?", outputs=("4", "5")),)
    study = make_study(lite, tmp_path, n=12, examples=6, practice=3, gold=gold)
    rater = join(study, "Ana")
    seen = rate_all(study, rater)
    assert [item.practice for item in seen] == [True] * 3 + [False] * 7
    frame = actions(study)
    assert frame["practice"].sum() == 3 and frame["gold"].sum() == 1
    assert set(frame[frame["practice"]]["example_id"]).isdisjoint(frame[~frame["practice"]]["example_id"])
    (row,) = frame[frame["gold"]].to_dict("records")
    assert row["correct"] is (row["variant_left"] == "gold:1") and row["task"] == "gold"


@pytest.mark.parametrize(("n", "said"), [(6, "no practice items"), (7, "1 of 3 practice items")])
def test_too_few_examples_for_practice_is_said(lite: RatingStore, tmp_path: Path, n: int, said: str) -> None:
    assert any(said in note for note in make_study(lite, tmp_path, n=n, examples=6, practice=3).notes)


def test_overlap_is_for_a_share_of_the_items(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, n=12, raters=3, overlap=3, overlap_share=0.25)
    assert items(study)["needed"].value_counts().to_dict() == {1: 9, 3: 3}


BAD_PLANS: list[tuple[dict[str, Any], str]] = [
    ({"variants": ("lora",)}, "found only 'lora', expected at least two variants"),
    ({"title": " "}, "a title of 1 characters, expected 1 to 200"),
    ({"raters": 13}, "found 13 raters for 12 items"),
    ({"raters": 2, "overlap": 3}, "an overlap of 3 with 2 expected raters"),
    ({"mode": "rank"}, "found 2 variants, expected 3 to 5 to rank"),
    ({"mode": "score", "graded": True}, "a graded scale and a variant to meet are for pairs"),
    ({"against": "base"}, "found no variant 'base' (did you mean 'baseline'?)"),
    ({"variants": ("baseline", "lore")}, "Found no variant 'lore' (did you mean 'lora'?)"),
    ({"tasks": ("replies",)}, "Found task 'replies' (did you mean 'reply'?)"),
    (
        {"criteria": (Criterion(name="a", label="A"), Criterion(name="a", label="B"))},
        "each criterion needs a name of its own",
    ),
    (
        {"gold": (GoldItem(prompt="p", outputs=("a", "a")),)},
        "gold item 1: found 2 outputs, expected two different outputs",
    ),
    (
        {"mode": "score", "gold": (GoldItem(prompt="p", outputs=("a",)),)},
        "gold item 1: expected one output and `accept`",
    ),
    (
        {"mode": "score", "gold": (GoldItem(prompt="p", outputs=("a",), accept={"fluent": (1, 2)}),)},
        "found criterion 'fluent'",
    ),
    (
        {"mode": "score", "gold": (GoldItem(prompt="p", outputs=("a",), accept={"fluency": (0, 9)}),)},
        "found 0 to 9, expected a range",
    ),
    ({"guidelines": "hello <script src=x>"}, "Guidelines, line 1: found '<script'"),
]


@pytest.mark.parametrize(("more", "said"), BAD_PLANS)
def test_plans_that_make_no_study(lite: RatingStore, tmp_path: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        make_study(lite, tmp_path, **more)
    assert said in str(error.value) and list_studies(lite) == []


def test_runs_that_make_no_study(lite: RatingStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Found no run"):
        create_study(lite, [], plan())
    with pytest.raises(InputError, match="the outputs are identical in every item"):
        make_study(lite, tmp_path / "a", n=3, identical=range(3))
    labels = mini.write(tmp_path / "b", mini.spec({"kind": mini.task()}), [mini.example("kind", 1, "yes")], [])
    with pytest.raises(InputError, match="Found no task that generates text"):
        create_study(lite, [labels], plan())
    task = mini.task("generation", prompt="{text}")
    silent = mini.write(
        tmp_path / "c", mini.spec({"t": task}), [mini.example("t", 1, "x")], [mini.failed("t", "lora", 1)]
    )
    with pytest.raises(InputError, match=r"no example that every variant answered.*1 examples are left out"):
        create_study(lite, [silent], plan())


def test_leaks_are_said(lite: RatingStore, tmp_path: Path) -> None:
    task = mini.task("generation", prompt="{text}")
    said = [mini.said("t", "baseline", 1, "As ChatGPT I say"), mini.said("t", "my-lora", 1, "I am my-lora")]
    run = mini.write(tmp_path / "run", mini.spec({"t": task}, ("my-lora",)), [mini.example("t", 1, "x")], said)
    leaks = create_study(lite, [run], plan()).leaks
    assert {(leak.variant, leak.name, leak.own) for leak in leaks} == {
        ("baseline", "ChatGPT", False),
        ("my-lora", "my-lora", True),
    }


def test_no_store_no_studies(tmp_path: Path) -> None:
    assert (
        list_studies(RatingStore(f"sqlite:///{tmp_path}/none.sqlite")) == [] and not (tmp_path / "none.sqlite").exists()
    )


def test_rows_are_what_was_drawn(lite: RatingStore, tmp_path: Path) -> None:
    make_study(lite, tmp_path, n=5)
    with lite.reading() as connection:
        assert len(connection.execute(select(EXAMPLES)).all()) == 5
        outputs = connection.execute(select(OUTPUTS)).all()
        places = sorted(connection.execute(select(ITEMS.c.place)).scalars())
    assert len(outputs) == 10 and all(row.hash == text_hash(row.text) for row in outputs) and places == list(range(5))

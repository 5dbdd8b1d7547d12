"""Ratings to files and from files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.errors import InputError
from core.ratings import (
    GoldItem,
    RatingItem,
    RatingStore,
    Study,
    actions,
    close_study,
    flag,
    join,
    next_item,
    skip,
    submit,
    undo,
)
from core.ratings.exchange import FORMATS, export_study, import_study
from tests.core.ratings.studies import answer, make_study, plan, rate_all, shown, write_run

ENDINGS = ("jsonl", "csv", "parquet")
KEPT = [
    "rater", "sequence", "kind", "criterion", "value", "preferred", "reason", "comment", "variant_left", "variant_right", "hash_left",
    "hash_right", "shown", "hashes", "length_left", "task", "example_id", "stratum", "language", "cluster", "tags", "shown_at",
    "submitted_at", "seconds", "guideline_hash", "practice", "gold", "correct", "repeat", "position", "current",
]  # fmt: skip
"""What must come back as it was; ids are new, since the store may still hold the study."""


def busy_study(store: RatingStore, folder: Path, mode: str = "pair", **more: Any) -> Study:
    """A study with everything in it: two raters, practice, gold, repeats, a skip, a flag, an undo, hostile comments."""
    adapters = ("lora",) if mode == "pair" else ("one", "two")
    ends = {"accept": {"fluency": (3, 5)}} if mode == "score" else {}
    outputs = {"pair": ("good", "bad"), "score": ("good",), "rank": ("a", "b", "c")}[mode]
    gold = (GoldItem(prompt="G?", outputs=outputs, **ends),)
    n_drawn = 2 if mode == "score" else 6  # of scores every variant is an item
    study = make_study(
        store, folder, n=9, examples=n_drawn, adapters=adapters, mode=mode, practice=1, gold=gold, repeat_share=0.5, raters=2, overlap=2,
        guidelines="# Be fair", **more,
    )  # fmt: skip
    for name in ("=Ana()", "王 Ben"):
        rater = join(study, name)
        rate_all(study, rater, 3)
        item = shown(study, rater)
        flag(study, rater, item, "-flagged")
        skip(study, rater, item, "other", comment="'=1+1")
        submit_with(study, rater, shown(study, rater), '@x, "q"\r\nnext 好\ttab')
        again = undo(study, rater)
        assert again is not None
        answer(study, rater, again)
        rate_all(study, rater)
    return study


def submit_with(study: Study, rater: Any, item: RatingItem, comment: str) -> None:
    value = {"pair": 2 if study.plan.graded else "both_bad", "score": 1, "rank": [1, 1, 2]}[study.plan.mode]
    submit(study, rater, item, {one.name: value for one in study.plan.asked_criteria}, comment=comment)


def comparable(study: Study) -> pd.DataFrame:
    frame = actions(study)[KEPT].astype(object)
    return frame.where(frame.notna(), None).reset_index(drop=True)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("mode", "more"), [("pair", {}), ("pair", {"graded": True}), ("score", {}), ("rank", {})])
def test_what_was_written_is_read_again(
    lite: RatingStore, tmp_path: Path, ending: str, mode: str, more: dict[str, Any]
) -> None:
    study = busy_study(lite, tmp_path, mode, **more)
    path = tmp_path / f"out.{ending}"
    assert export_study(study, path, ending).rows == len(actions(study))
    back = import_study(lite, path)
    assert back.plan.mode == mode and back.plan.graded == study.plan.graded and back.plan.title == "Replies"
    pd.testing.assert_frame_equal(comparable(back), comparable(study))
    before, after = actions(study), actions(back)
    for name in ("supersedes", "repeat_of", "item_id", "assignment_id"):
        pairs = before[name].fillna("").combine(after[name].fillna(""), lambda a, b: (a, b))
        assert len(set(pairs)) == len({a for a, _ in pairs}) == len({b for _, b in pairs}), (
            f"{name} says the same with other ids"
        )
    assert (
        isinstance(next_item(back, join(back, "=Ana()")), object)
        and next_item(back, join(back, "=Ana()")).state == "closed"
    )  # pyright: ignore


def test_into_postgresql(store: RatingStore, tmp_path: Path) -> None:
    study = busy_study(store, tmp_path)
    export_study(study, tmp_path / "out.parquet", "parquet")
    pd.testing.assert_frame_equal(
        comparable(import_study(store, tmp_path / "out.parquet", title="Again")), comparable(study)
    )


def test_csv_holds_no_formula(lite: RatingStore, tmp_path: Path) -> None:
    study = busy_study(lite, tmp_path, graded=True)
    late = join(study, "王 Ben")
    last = undo(study, late)
    assert last is not None
    answer(study, late, last, -2)
    export_study(study, tmp_path / "out.csv", "csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = {"value"}
    for row in rows:
        for name, cell in row.items():
            assert name in numbers or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), (name, cell)
    assert {row["rater"] for row in rows} == {"'=Ana()", "王 Ben"} and {row["value"] for row in rows} == {
        "0",
        "2",
        "",
        "-2",
    }


def test_pseudonyms_are_stable_and_say_nothing(lite: RatingStore, tmp_path: Path) -> None:
    study = busy_study(lite, tmp_path)
    for number in (1, 2):
        export_study(study, tmp_path / f"{number}.jsonl", "jsonl", pseudonyms=True)
    first, second = ((tmp_path / f"{number}.jsonl").read_text(encoding="utf-8") for number in (1, 2))
    assert first == second and "Ana" not in first and "Ben" not in first
    names = {json.loads(line)["rater"] for line in first.splitlines()}
    assert len(names) == 2 and all(name.startswith("rater-") for name in names)
    other = busy_study(lite, tmp_path / "other")
    export_study(other, tmp_path / "3.jsonl", "jsonl", pseudonyms=True)
    assert names.isdisjoint(
        json.loads(line)["rater"] for line in (tmp_path / "3.jsonl").read_text(encoding="utf-8").splitlines()
    )


def vote(study: Study, votes: dict[str, list[str]]) -> None:
    """Let raters prefer variants: by example the preferred variant, ``tie`` or ``both_bad`` of each rater in turn."""
    for number in range(max(len(listed) for listed in votes.values())):
        rater = join(study, f"rater {number}")
        while isinstance(item := next_item(study, rater), RatingItem):
            example = f"e{int(item.prompt.rpartition(' ')[2]):03d}"
            wanted = votes[example][number]
            left = "lora" if "way 1" in item.outputs[0] else "baseline"
            answer(
                study, rater, item, wanted if wanted in ("tie", "both_bad") else "left" if wanted == left else "right"
            )


VOTES = {
    "e000": ["lora", "lora", "baseline"], "e001": ["baseline", "tie", "tie"], "e002": ["lora", "baseline", "tie"],
    "e003": ["both_bad", "both_bad", "lora"], "e004": ["tie", "tie", "tie"],
}  # fmt: skip


def test_dpo_takes_what_more_raters_preferred(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, n=5, raters=3, overlap=3)
    vote(study, VOTES)
    report = export_study(study, tmp_path / "dpo.jsonl", "dpo")
    rows = {
        row["prompt"][-1]["content"]: row for row in map(json.loads, (tmp_path / "dpo.jsonl").read_text().splitlines())
    }
    assert report.rows == 2 and set(rows) == {"Say thing 0", "Say thing 1"}
    assert rows["Say thing 0"] == {
        "prompt": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Say thing 0"}],
        "chosen": [{"role": "assistant", "content": "answer 0 in way 1"}],
        "rejected": [{"role": "assistant", "content": "answer 0 in way 0"}],
    }
    assert rows["Say thing 1"]["chosen"][0]["content"] == "answer 1 in way 0"
    assert sorted(report.notes) == [
        "1 items without a preferred output (both bad) are left out.", "2 items without a preferred output (tie) are left out.",
    ]  # fmt: skip


def test_dpo_of_plain_prompts_is_plain(lite: RatingStore, tmp_path: Path) -> None:
    from core.ratings import create_study

    run = write_run(tmp_path / "run", 1, template="none", system=None)
    study = create_study(lite, [run], plan()).study
    rate_all(study, join(study, "Ana"))
    export_study(study, tmp_path / "dpo.jsonl", "dpo")
    row = json.loads((tmp_path / "dpo.jsonl").read_text())
    assert row["prompt"] == "<prompt>" and {row["chosen"], row["rejected"]} == {
        "answer 0 in way 0",
        "answer 0 in way 1",
    }


def test_practice_gold_and_repeats_have_no_vote(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(
        lite,
        tmp_path,
        n=12,
        examples=8,
        practice=2,
        gold=(GoldItem(prompt="G?", outputs=("a", "b")),),
        repeat_share=0.5,
    )
    rate_all(study, join(study, "Ana"))
    assert len(actions(study)) > 11
    for to in ("dpo", "llm-comparator", "argilla"):
        assert export_study(study, tmp_path / to, to).rows == 8


def test_llm_comparator(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, n=5, raters=3, overlap=3)
    vote(study, VOTES)
    export_study(study, tmp_path / "c.json", "llm-comparator", pair=("lora", "baseline"))
    content = json.loads((tmp_path / "c.json").read_text())
    assert set(content) == {"metadata", "models", "examples"} and content["models"] == [
        {"name": "lora"},
        {"name": "baseline"},
    ]
    examples = {one["input_text"].rpartition("\n")[2]: one for one in content["examples"]}
    first = examples["Say thing 0"]
    assert first["output_text_a"] == "answer 0 in way 1" and first["score"] == pytest.approx(1 / 3)
    assert [one["score"] for one in first["individual_rater_scores"]] == [1.0, 1.0, -1.0] and first["tags"] == [
        "topic=a"
    ]
    assert all(
        one["is_flipped"] == ((one["rating_label"] == "left") != (one["score"] > 0))
        for one in first["individual_rater_scores"]
    )
    assert examples["Say thing 3"]["score"] == pytest.approx(1 / 3) and examples["Say thing 4"]["score"] == 0


def test_llm_comparator_of_graded_pairs_and_of_three_variants(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, n=2, adapters=("lora", "other"), graded=True)
    rate_all(study, join(study, "Ana"), value=3)
    with pytest.raises(InputError, match=r"holds two models; found baseline, lora, other\. Name two"):
        export_study(study, tmp_path / "c.json", "llm-comparator")
    assert export_study(study, tmp_path / "c.json", "llm-comparator", pair=("other", "lora")).rows == 2
    for one in json.loads((tmp_path / "c.json").read_text())["examples"]:
        assert one["score"] == (1.5 if one["individual_rater_scores"][0]["is_flipped"] else -1.5)


def test_argilla(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, n=5, raters=3, overlap=3)
    vote(study, VOTES)
    export_study(study, tmp_path / "a.json", "argilla")
    records = {one["metadata"]["example_id"]: one for one in json.loads((tmp_path / "a.json").read_text())}
    one = records["e000"]
    assert set(one) == {"id", "fields", "metadata", "suggestions", "responses", "vectors"}
    assert one["fields"]["output_2"] == "answer 0 in way 1" and one["metadata"]["variant_2"] == "lora"
    assert [given["value"] for given in one["responses"]["preference"]] == ["output_2", "output_2", "output_1"]
    assert len({given["user_id"] for record in records.values() for given in record["responses"]["preference"]}) == 3
    ranked = make_study(lite, tmp_path / "r", n=1, adapters=("x", "y"), mode="rank")
    rate_all(ranked, join(ranked, "Ana"), value=[2, 1, 2])
    export_study(ranked, tmp_path / "r.json", "argilla")
    (record,) = json.loads((tmp_path / "r.json").read_text())
    (row,) = actions(ranked).to_dict("records")
    best = f"output_{1 + ranked.variants.index(row['shown'][1])}"
    assert {"value": best, "rank": 1} in record["responses"]["preference"][0]["value"]


def test_what_cannot_be_written(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, mode="score")
    for to in ("dpo", "llm-comparator"):
        with pytest.raises(InputError, match="is of mode 'score'; this format holds pairs"):
            export_study(study, tmp_path / "x", to)
    with pytest.raises(InputError, match=r"'jsonll' \(did you mean 'jsonl'\?\)"):
        export_study(study, tmp_path / "x", "jsonll")
    (tmp_path / "there.csv").write_text("mine")
    with pytest.raises(InputError, match="is there already and was not touched"):
        export_study(study, tmp_path / "there.csv", "csv")
    assert (tmp_path / "there.csv").read_text() == "mine" and not (tmp_path / "x").exists()


@pytest.mark.parametrize("to", FORMATS)
def test_a_study_without_answers_can_be_written(lite: RatingStore, tmp_path: Path, to: str) -> None:
    assert export_study(make_study(lite, tmp_path), tmp_path / "x", to).rows == 0


def test_parquet_is_typed(lite: RatingStore, tmp_path: Path) -> None:
    export_study(busy_study(lite, tmp_path), tmp_path / "x.parquet", "parquet")
    schema = pq.read_schema(tmp_path / "x.parquet")
    assert str(schema.field("shown").type) == "list<element: string>" and str(schema.field("number").type) == "int64"
    assert str(schema.field("current").type) == "bool" and str(schema.field("value").type) == "string"


def test_export_is_the_owners_until_the_end(lite: RatingStore, tmp_path: Path) -> None:
    from core.ratings import create_study, open_by_link

    made = create_study(lite, [write_run(tmp_path / "run")], plan())
    by_link = open_by_link(lite, made.study.id, made.key)
    with pytest.raises(InputError, match="once the study is closed"):
        export_study(by_link, tmp_path / "x.csv", "csv")
    close_study(made.study)
    assert export_study(by_link, tmp_path / "x.csv", "csv").rows == 0

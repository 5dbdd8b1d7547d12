"""Several runs as one: the numbers are those of one run that holds every variant, to the last bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.compare import compare, example_scores
from core.derived import StatisticsReader, statistics_for
from core.errors import InputError
from core.joined.build import join_runs
from core.joined.results import JoinedTask, joined_facts
from core.joined.words import headline, sentences
from core.own.rows import OwnRows
from core.prepare_statistics import missing_shares, prepare_statistics
from core.robustness import robustness
from core.slices import slice_table
from core.store import Run, write_json
from tests.joined_runs import cut, two_runs
from tests.robust import make_robust_run

ALL = ("baseline", "qv-r8", "all-r8", "qv-r2")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run, Run]:
    return two_runs(tmp_path_factory.mktemp("runs"))


def test_joined_numbers_are_those_of_one_run_to_the_last_bit(runs: tuple[Run, Run, Run]) -> None:
    whole, first, second = runs
    joined = join_runs(first, [second])
    assert joined.spec.models.variants == ALL
    for reference in (None, "all-r8"):
        found, expected = compare(joined, reference), compare(whole, reference)
        assert replace(found, run_id="", efficiency=()) == replace(expected, run_id="", efficiency=())
    assert slice_table(joined).rows == slice_table(whole).rows
    scores = example_scores(joined, "reply", "rouge_l")
    assert scores.equals(example_scores(whole, "reply", "rouge_l"))


def test_order_of_joining_moves_no_number(runs: tuple[Run, Run, Run]) -> None:
    _, first, second = runs
    one, other = compare(join_runs(first, [second])), compare(join_runs(second, [first]))
    assert one.variants != other.variants and set(one.variants) == set(other.variants)
    assert [row.values["all-r8"] for row in one.rows] == [row.values["all-r8"] for row in other.rows]
    for row, same in zip(one.rows, other.rows, strict=True):
        for variant in ALL[1:]:
            mine, theirs = row.differences[variant], same.differences[variant]
            assert (mine.difference, mine.low, mine.p_adjusted) == (theirs.difference, theirs.low, theirs.p_adjusted)


def test_examples_in_another_order_and_a_part_of_them(tmp_path: Path, runs: tuple[Run, Run, Run]) -> None:
    whole, first, _ = runs
    ids = [example.id for example in whole.examples if example.task == "category"]
    some = cut(whole, tmp_path / "some", ["all-r8"], names=ids[5:30], upside_down=True)
    facts = joined_facts(joined := join_runs(first, [some]))
    assert facts is not None
    assert facts.tasks == (JoinedTask("category", 25, 40), JoinedTask("reply", 25, 40))
    assert headline(facts) == "first and some are joined by example: category, reply (n = 25 of 40)."
    assert [example.id for example in joined.examples if example.task == "category"] == ids[5:30]
    expected = cut(whole, tmp_path / "expected", ["qv-r8", "all-r8"], names=ids[5:30])
    assert compare(joined).rows == compare(expected).rows


def test_perturbed_inputs_are_joined_with_their_task(tmp_path: Path) -> None:
    whole = make_robust_run(tmp_path / "whole")
    adapters = list(whole.spec.models.adapters)
    first = cut(whole, tmp_path / "first", adapters[:1])
    joined = join_runs(first, [cut(whole, tmp_path / "second", adapters[1:])])
    assert set(joined.spec.tasks) == set(whole.spec.tasks)
    assert robustness(joined) == robustness(whole)
    facts = joined_facts(joined)
    assert facts is not None
    told = "first and second are joined by example: category, reply (n = 60); general (n = 30), and 1 perturbed form of them."
    assert headline(facts) == told


def test_the_same_weights_are_one_column_and_a_shared_name_is_told_apart(
    tmp_path: Path, runs: tuple[Run, Run, Run]
) -> None:
    whole, first, _ = runs
    same = cut(whole, tmp_path / "same", ["qv-r8", "all-r8"])
    facts = joined_facts(join_runs(first, [same]))
    assert facts is not None
    assert [variant.name for variant in facts.variants] == ["baseline", "qv-r8", "all-r8"]
    assert "qv-r8 is one column: the same weights are in same." in sentences(facts)

    def retrained(environment: dict) -> None:
        environment["hashes"]["adapters"]["qv-r8"] = "ab" * 32

    other = cut(whole, tmp_path / "other", ["qv-r8"], environment=retrained)
    joined = join_runs(first, [other])
    assert joined.spec.models.variants == ("baseline", "qv-r8", "qv-r8+other")
    facts = joined_facts(joined)
    assert facts is not None
    assert "qv-r8+other is qv-r8 of other, another model than qv-r8 here." in sentences(facts)
    row = compare(joined, "qv-r8").rows[0]
    assert row.values["qv-r8+other"] == row.values["qv-r8"] == compare(first).rows[0].values["qv-r8"]


def test_a_scale_makes_another_variant(tmp_path: Path, runs: tuple[Run, Run, Run]) -> None:
    whole, first, _ = runs
    half = cut(
        whole, tmp_path / "half", ["qv-r8"], spec=lambda spec: spec["models"]["adapters"]["qv-r8"].update(scale=0.5)
    )
    assert join_runs(first, [half]).spec.models.variants == ("baseline", "qv-r8", "qv-r8+half")


def test_another_base_keeps_its_own_baseline(tmp_path: Path, runs: tuple[Run, Run, Run]) -> None:
    whole, first, _ = runs
    other = cut(whole, tmp_path / "other", ["all-r8"], environment=lambda known: known["hashes"].update(base="cd" * 32))
    joined = join_runs(first, [other])
    assert set(joined.spec.models.variants) == {"baseline", "qv-r8", "all-r8", "baseline+other"}
    assert list(joined.spec.models.checkpoints) == ["baseline+other"]


def test_the_declared_family_does_not_shrink_with_a_task_that_is_left_out(
    tmp_path: Path, runs: tuple[Run, Run, Run]
) -> None:
    whole, first, _ = runs
    other = cut(whole, tmp_path / "other", ["all-r8"], spec=lambda spec: spec["tasks"].pop("reply"))
    joined = join_runs(first, [other])
    assert list(joined.spec.tasks) == ["category"]
    assert compare(joined).family_size == 2 * len(first.spec.family) == 2 * compare(first).family_size


def test_three_runs_are_one(tmp_path: Path, runs: tuple[Run, Run, Run]) -> None:
    whole, first, _ = runs
    others = [cut(whole, tmp_path / name, [name]) for name in ("all-r8", "qv-r2")]
    joined = join_runs(first, others)
    assert joined.id == "first+all-r8+qv-r2"
    assert compare(joined).rows == compare(whole).rows


def test_it_is_kept_by_what_the_runs_hold(tmp_path: Path, runs: tuple[Run, Run, Run]) -> None:
    whole, _, _ = runs
    first, second = (cut(whole, tmp_path / name, [adapter]) for name, adapter in (("a", "qv-r8"), ("b", "all-r8")))
    joined = join_runs(first, [second])
    assert joined.folder.is_relative_to(first.folder / "derived" / "joined")
    written = (joined.folder / "joined.json").stat().st_mtime_ns
    assert join_runs(first, [second]).folder == joined.folder
    assert (joined.folder / "joined.json").stat().st_mtime_ns == written
    table = pq.read_table(second.truth)
    pq.write_table(table.slice(1), second.truth)
    again = join_runs(first, [second])
    assert again.folder != joined.folder
    assert not joined.folder.exists(), "what is out of date is taken away"


def test_a_place_that_is_no_folder_is_passed_over(
    tmp_path: Path, runs: tuple[Run, Run, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))
    first = cut(runs[0], tmp_path / "first", ["qv-r8"])
    (first.folder / "derived").write_text("in the way")
    assert join_runs(first, [runs[2]]).folder.is_relative_to(tmp_path / "cache" / "joined")
    (tmp_path / "cache").rename(tmp_path / "gone")
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(InputError, match="the joined run cannot be written"):
        join_runs(first, [runs[2]])


def test_own_metrics_of_joined_runs_say_why_they_have_no_value(tmp_path: Path, runs: tuple[Run, Run, Run]) -> None:
    def with_own(spec: dict) -> None:
        spec["tasks"]["reply"]["metrics"].append("politeness")
        spec["own_metrics"] = {"politeness": "ab" * 32}

    first, second = (
        cut(runs[0], tmp_path / name, [one], spec=with_own) for name, one in (("a", "qv-r8"), ("b", "all-r8"))
    )
    reader = StatisticsReader(join_runs(first, [second]))
    rows = compare(reader.run).rows
    reason = next(row for row in rows if row.metric == "politeness").values["all-r8"].reason
    assert reason == "a metric of your own is computed for each run, and not for several that are joined"
    assert OwnRows(reader, "baseline").state == [["politeness", reason]]


def test_statistics_that_are_kept_are_taken_over(tmp_path: Path, runs: tuple[Run, Run, Run]) -> None:
    whole, _, second = runs
    first = cut(whole, tmp_path / "first", ["qv-r8"], environment=lambda known: known["hashes"].update(base="cd" * 32))
    for run in (first, second):
        prepare_statistics(run, workers=1)
    joined = join_runs(first, [second])
    assert "baseline+second" in joined.spec.models.variants
    assert missing_shares(StatisticsReader(joined)) == []
    expected = statistics_for(second, "reply", "bleu", "baseline")
    assert (statistics_for(joined, "reply", "bleu", "baseline+second").array == expected.array).all()
    ids = [example.id for example in whole.examples if example.task == "category"]
    fewer = join_runs(second, [cut(whole, tmp_path / "fewer", ["qv-r8"], names=ids[:20])])
    assert {share.task for share in missing_shares(StatisticsReader(fewer))} == {"category", "reply"}


def test_it_is_said_where_the_same_weights_answered_otherwise(tmp_path: Path, runs: tuple[Run, Run, Run]) -> None:
    whole, first, second = runs
    facts = joined_facts(join_runs(first, [second]))
    assert facts is not None and not any("otherwise" in note for note in facts.notes)
    other = cut(whole, tmp_path / "other", ["all-r8"])
    table = pq.read_table(other.truth)
    rows = table.select(["variant", "example_id", "text"]).to_pylist()
    changed = {"eval-003", "eval-007", "eval-031"}
    texts = [
        f"{row['text']} indeed"
        if row["text"] and row["variant"] == "baseline" and row["example_id"] in changed
        else row["text"]
        for row in rows
    ]
    pq.write_table(table.set_column(table.schema.get_field_index("text"), "text", pa.array(texts)), other.truth)
    facts = joined_facts(join_runs(first, [other]))
    assert facts is not None
    assert facts.notes[-1] == "baseline answered 3 of 80 questions otherwise in other; its column shows first."


def test_an_ordinary_run_has_no_facts_and_damaged_ones_are_none(tmp_path: Path, runs: tuple[Run, Run, Run]) -> None:
    _, first, second = runs
    assert joined_facts(first) is None
    made = cut(runs[0], tmp_path / "damaged", ["qv-r8"])
    write_json(made.folder / "joined.json", {"runs": 3})
    assert joined_facts(made) is None

"""What a report says is what the comparison says; what a run has nothing of is left out."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCardData
from huggingface_hub.repocard_data import model_index_to_eval_results

from core.compare import compare, example_scores
from core.errors import InputError
from core.notation import difference_texts, p_text, value_texts
from core.ratings.analysis.estimate import Estimate
from core.ratings.analysis.results import HumanPreference
from core.report.document import SECTIONS, Report, Section, Wishes
from core.report.gather import dressed, gather
from core.report.html import to_html
from core.report.model_index import model_index_yaml
from core.results import Comparison
from core.run_notes import add_notes
from core.store import Run
from core.wording.verdicts import cards_of, in_order, verdict_sentence
from tests.core.report.made import HOSTILE, make_hostile_run
from tests.robust import make_robust_run
from tests.synthetic import make_run, make_workspace

DECLARED = {
    "forgetting": {"general": "general", "domain": "reply"},
    "composites": {"desk": {"weights": {"category/accuracy": 2, "reply/rouge_l": 1}}},
}

NOTE = "reply: 2 of 20 prompts were cut at their beginning to fit the context of 2,048 tokens."


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = make_workspace(tmp_path_factory.mktemp("report") / "workspace", n=20, runs=False)
    made = make_robust_run(folder / "runs" / "robust", **DECLARED)
    add_notes(made, "prompts", [NOTE])
    return made


@pytest.fixture(scope="module")
def comparison(run: Run) -> Comparison:
    return compare(run)


@pytest.fixture(scope="module")
def report(run: Run, comparison: Comparison) -> Report:
    return gather(run, comparison=comparison, created=datetime(2026, 11, 22, 10, tzinfo=UTC))


def section(report: Report, name: str) -> Section:
    return next(one for one in report.sections if one.name == name)


def test_the_method_says_what_became_of_long_prompts(report: Report) -> None:
    assert NOTE in section(report, "method").paragraphs


def test_every_section_that_the_run_has_is_there_in_order(report: Report) -> None:
    names = [one.name for one in report.sections]
    assert names == [name for name in SECTIONS if name not in ("feedback", "preference")]


def test_the_verdicts_are_those_of_overview_best_first(report: Report, comparison: Comparison) -> None:
    cards = in_order(cards_of(comparison, {}, {}))
    points = [point for point in section(report, "verdict").points if not point.startswith("Pre-flight")]
    said = [f"{card.variant} {verdict_sentence(card, 'baseline')}" for card in cards]
    assert len(points) == len(said) and all(any(point.startswith(one) for point in points) for one in said)
    assert report.lead == points[0] and points[0].startswith("qv-r8 ")


def test_a_line_of_a_table_holds_the_numbers_of_the_comparison(report: Report, comparison: Comparison) -> None:
    row = comparison.row("category/accuracy")
    table = next(one for one in report.tables if one.name == "metrics-category")
    line = next(line for line in table.rows if line[1].text == "qv-r8")
    value, difference = row.values["qv-r8"], row.differences["qv-r8"]
    assert (line[2].text, line[2].small) == value_texts(value, row.unit)
    assert (line[3].text, line[3].small) == difference_texts(difference, row.unit)
    assert line[4].text in p_text(difference.p_adjusted) and line[-1].text == f"{value.n:,}"
    data = table.data[(table.data.metric == "accuracy") & (table.data.variant == "qv-r8")].iloc[0]
    assert (data["value"], data["difference"], data["p_adjusted"]) == (
        value.value,
        difference.difference,
        difference.p_adjusted,
    )


def test_every_metric_of_the_comparison_is_in_one_table(report: Report, comparison: Comparison) -> None:
    lines = sum(len(table.data) for table in report.tables if table.name.startswith("metrics-"))
    assert lines == sum(len(row.values) for row in comparison.rows)


def test_names_of_tables_and_charts_are_unique_and_fit_files(report: Report) -> None:
    for names in ([one.name for one in report.tables], [one.name for one in report.charts]):
        assert len(set(names)) == len(names)
        assert all(name.replace("-", "").isalnum() and name.isascii() for name in names)


def test_every_chart_can_be_drawn_in_both_modes(report: Report) -> None:
    for chart in report.charts:
        assert {mode: bool(json.loads(text)["data"]) for mode, text in chart.figures.items()} == {
            "light": True,
            "dark": True,
        }


def test_the_examples_are_the_biggest_gains_and_losses(run: Run, comparison: Comparison) -> None:
    report = gather(run, wishes=Wishes(variant="qv-r8", n_examples=1), comparison=comparison)
    scores = example_scores(run, "reply", "bleu")
    gains = scores["qv-r8"] - scores["baseline"]
    cards = [card for card in section(report, "examples").examples if card.task == "reply"]
    assert [card.tone for card in cards] == ["better", "worse"][: len(cards)]
    assert cards[0].id == gains.idxmax()
    assert [text.heading for text in cards[0].texts] == ["Prompt", "Reference", "baseline", "qv-r8"]


def test_what_people_said_is_a_section_with_reasons_where_there_is_no_number(run: Run, comparison: Comparison) -> None:
    known = HumanPreference(
        "s1", HOSTILE["script"], "pair", True, "qv-r8", "baseline", "preference", Estimate(0.64, 0.55, 0.72, 118), None, 31.0, True,
        0.52, None, 3, "",
    )  # fmt: skip
    none = replace(
        known,
        variant="qv-r2",
        win_rate=Estimate(None, None, None, 0, "no decisive verdict"),
        alpha=None,
        alpha_reason="one rater",
    )
    found = section(gather(run, comparison=comparison, people=(known, none)), "preference")
    first, second = found.tables[0].rows
    assert [cell.text for cell in first[1:4]] == ["qv-r8", "baseline", "preference"]
    assert first[4].tone == "better" and first[5].text == "▲" and first[-1].text == "118"
    assert (second[4].text, second[4].small, second[7].text) == ("–", "no decisive verdict", "one rater")
    assert found.paragraphs[0].startswith(HOSTILE["script"]) and len(found.charts) == 1


def test_method_and_hashes_are_there_to_repeat_it(report: Report, run: Run) -> None:
    told = " ".join(section(report, "method").paragraphs)
    assert "paired by example" in told and "Holm" in told and "cannot be told" in told
    repeat = section(report, "repeat")
    hashes = {line[2].text for table in repeat.tables if table.name == "hashes" for line in table.rows}
    known = (run.read_json("environment") or {})["hashes"]
    assert set(known["datasets"].values()) | set(known["adapters"].values()) | {known["base"]} <= hashes
    blocks = dict(repeat.blocks)
    assert f"lorascope report {run.id}" in blocks["Commands"] and "tasks:" in blocks["workspace.yaml"]


def test_data_that_changed_since_the_run_are_said_to_have(report: Report) -> None:
    """The made-up run keeps hashes of names, so that every file differs from what it says."""
    points = section(report, "data").points
    assert any(
        point.startswith("tickets (evaluation): 20 rows") and "has changed since the run" in point for point in points
    )


def test_a_run_copied_alone_says_that_its_data_are_not_here(run: Run, tmp_path: Path, comparison: Comparison) -> None:
    copied = tmp_path / "alone" / run.id
    shutil.copytree(run.folder, copied)
    points = section(gather(Run(copied), comparison=comparison), "data").points
    assert all("the file is not here" in point for point in points)


def test_wishes_dress_a_report_without_computing_it_again(report: Report) -> None:
    wishes = Wishes("A title", "An author", "one\n\n two ", ("method", "verdict"))
    made = dressed(report, wishes, datetime(2027, 1, 1, tzinfo=UTC))
    assert (made.title, made.author, made.remarks) == ("A title", "An author", ("one", "two"))
    assert [one.name for one in made.sections] == ["verdict", "method"]
    assert made.created == "2027-01-01T00:00:00+00:00" and report.created == "2026-11-22T10:00:00+00:00"


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [(Wishes(sections=("verdct",)), "did you mean 'verdict'"), (Wishes(variant="qv-r9"), "did you mean 'qv-r8'")],
)
def test_what_there_is_not_is_refused(run: Run, wishes: Wishes, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        gather(run, wishes=wishes)


def test_a_run_of_the_reference_alone_still_has_a_report(tmp_path: Path) -> None:
    alone = make_run(tmp_path / "runs" / "alone", n=6, tasks=("category",), variants=("baseline",))
    report = gather(alone)
    assert "nothing to compare it with" in report.lead
    assert "examples" not in [one.name for one in report.sections] and "nothing to compare" in to_html(report)


def test_a_run_that_goes_on_has_a_report_of_what_is_there(tmp_path: Path) -> None:
    going = make_run(tmp_path / "runs" / "going", n=12, tasks=("reply",), state="running", parts_done=0.3)
    assert "Metric by metric" in to_html(gather(going))


def test_hostile_outputs_reach_the_report_as_they_are(tmp_path: Path) -> None:
    hostile = make_hostile_run(tmp_path / "runs" / "hostile")
    report = gather(hostile, wishes=Wishes(n_examples=50))
    shown = {text.text for card in section(report, "examples").examples for text in card.texts}
    assert {text for name, text in HOSTILE.items() if name != "long"} <= shown


def test_the_model_index_is_what_the_hub_reads(run: Run, comparison: Comparison) -> None:
    content = yaml.safe_load(model_index_yaml(run, comparison, "qv-r8"))
    name, results = model_index_to_eval_results(content["model-index"])
    assert name == "qv-r8"
    found = {(one.dataset_name, one.task_name.split(": ")[1], one.metric_type): one for one in results}
    row = comparison.row("category/accuracy")
    accuracy = found["tickets", "category", "accuracy"]
    assert accuracy.metric_value == row.values["qv-r8"].value and accuracy.task_type == "text-classification"
    assert accuracy.metric_args["baseline"] == row.values["baseline"].value
    assert "text-generation" in ModelCardData(model_name=name, eval_results=results).to_yaml()


def test_the_model_index_of_nobody_is_refused(run: Run, comparison: Comparison) -> None:
    with pytest.raises(InputError, match="did you mean 'qv-r8'"):
        model_index_yaml(run, comparison, "qv-r9")

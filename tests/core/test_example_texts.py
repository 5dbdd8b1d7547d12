"""Single examples and searches, read from a run's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.example_search import read_search_texts
from core.example_texts import (
    one_line,
    parting_tags,
    read_beginnings,
    read_example,
    read_example_evidence,
    read_lengths,
    read_snippets,
    read_table,
    search,
)
from core.records import Evidence, Example, Generation
from core.store import Run, create_run, evidence_from_row, evidence_table, write_table
from tests.synthetic import HOSTILE, make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("runs") / "it's", n=20)


def test_the_table_keeps_the_order_of_the_dataset_and_knows_languages(run: Run) -> None:
    table = read_table(run, "reply")
    assert table.ids.tolist() == [example.id for example in run.examples if example.task == "reply"]
    assert table.tag_counts["language=zh"] == 2
    assert table.tag_counts["hard=true"] == sum("hard=true" in e.tags for e in run.examples if e.task == "reply")


@pytest.mark.parametrize("task", ["reply", "category", "tags", "help", "urgency", "general"])
def test_an_example_and_its_evidence_are_what_the_store_holds(run: Run, task: str) -> None:
    expected = next(example for example in run.examples if example.task == task)
    assert read_example(run, task, expected.id) == expected
    found = read_example_evidence(run, task, expected.id)
    stored = [evidence_from_row(row) for row in run.evidence(task=task, example_id=expected.id).to_pylist()]
    assert {piece for pieces in found.values() for piece in pieces} == set(stored)
    assert set(found) == set(run.spec.models.variants)


def test_what_is_not_there_is_none_or_empty(run: Run) -> None:
    assert read_example(run, "reply", "nobody") is None
    assert read_example(run, "nothing", "eval-001") is None
    assert read_example_evidence(run, "reply", "nobody") == {}
    assert len(read_table(run, "nothing").ids) == 0
    assert read_lengths(run, "general", read_table(run, "general").ids) is None


def test_a_run_without_any_evidence_can_be_opened(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", n=4, state="running", parts_done=0.0)
    assert len(read_table(run, "reply").ids) == 4
    assert read_example_evidence(run, "reply", "eval-001") == {}
    assert read_lengths(run, "reply", read_table(run, "reply").ids) is None
    assert search(run, "reply", "order") != frozenset()
    (run.folder / "examples.parquet").unlink()
    assert len(read_table(run, "reply").ids) == 0
    assert search(run, "reply", "order") == frozenset()


def test_parts_of_a_run_that_goes_on_are_read(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", n=20, state="running", parts_done=0.5)
    assert set(read_example_evidence(run, "category", "eval-001")) == set(run.spec.models.variants)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_search_finds_outputs_whatever_they_contain(run: Run, hostile: str) -> None:
    found = search(run, "reply", hostile)
    assert read_search_texts(run, "reply").find(hostile) == found
    assert f"eval-{HOSTILE.index(hostile) + 1:03d}" in found


def _one(folder: Path, prompt: str, reference: object, output: str) -> Run:
    spec = make_run(folder / "template", n=2).spec
    run = create_run(folder / "one", spec)
    run.write_examples([Example("reply", "Eins", prompt, {}, reference)])
    generation = Generation(output, "eos", 1, (1, 2, 3), (0.0, 0.0, 0.0))
    write_table(
        run.part_path("baseline", 0), evidence_table([Evidence("reply", "baseline", "Eins", generation=generation)])
    )
    return run


@pytest.mark.parametrize("text", ["eins", "PROMPT", 'a "quoted"', "line\nbreak", "straße", "OUT%", "  out%  "])
def test_search_looks_into_id_prompt_reference_and_output(tmp_path: Path, text: str) -> None:
    run = _one(tmp_path, "the prompt", 'a "quoted" line\nbreak in der Straße', "out% put")
    assert search(run, "reply", text) == read_search_texts(run, "reply").find(text) == {"Eins"}


@pytest.mark.parametrize("text", ["out_", "%", "x' OR '1'='1", "promptx", "\\n"])
def test_search_is_for_the_text_itself_and_not_a_pattern(tmp_path: Path, text: str) -> None:
    run = _one(tmp_path, "the prompt", "line\nbreak", "output")
    assert search(run, "reply", text) == read_search_texts(run, "reply").find(text) == frozenset()


def test_texts_too_large_to_be_held_are_read_for_each_search(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    held = read_search_texts(run, "reply").find("order")
    monkeypatch.setattr("core.example_search.MOST_BYTES", 10)
    texts = read_search_texts(run, "reply")
    assert texts.texts is None
    assert texts.find("order") == held != frozenset()


def test_lengths_are_tokens_in_the_order_asked_for(run: Run) -> None:
    table = read_table(run, "reply")
    lengths = read_lengths(run, "reply", table.ids[::-1])
    assert lengths is not None
    rows = run.evidence(task="reply", variant="qv-r8", kind="generation").to_pylist()
    assert lengths["qv-r8"].to_dict() == {row["example_id"]: len(row["token_ids"]) for row in rows}
    assert lengths.index.tolist() == table.ids.tolist()[::-1]


def test_a_snippet_is_the_field_on_one_line_or_else_the_reference(run: Run) -> None:
    snippets = read_snippets(run, "reply", ["eval-001", "eval-010"], "ticket", length=30)
    ticket = next(e.fields["ticket"] for e in run.examples if e.task == "reply" and e.id == "eval-001")
    assert snippets["eval-001"] == ticket[:29] + "…"
    assert len(snippets["eval-010"]) <= 30
    assert read_snippets(run, "reply", ["eval-001"], None)["eval-001"].startswith("Thank you")
    assert read_snippets(run, "urgency", ["eval-001"], "urgency")["eval-001"].startswith("<|im_start|>")
    assert read_snippets(run, "reply", [], "ticket") == {}


def test_the_beginnings_of_all_examples_are_the_snippets_of_each(run: Run) -> None:
    for task, field in (
        ("reply", "ticket"),
        ("reply", "missing"),
        ("reply", None),
        ("general", None),
        ("tags", "ticket"),
    ):
        ids = [str(name) for name in read_table(run, task).ids]
        beginnings = read_beginnings(run, task, field)
        snippets = read_snippets(run, task, ids, field)
        assert [one_line(text.as_py()) for text in beginnings] == [snippets[name] for name in ids], (task, field)


def test_tags_that_part_a_run_are_those_that_some_examples_have(run: Run) -> None:
    having: dict[str, int] = {}
    for example in run.examples:
        for tag in {*example.tags, *([f"language={example.language}"] if example.language else [])}:
            having[tag] = having.get(tag, 0) + 1
    expected = sorted(tag for tag, count in having.items() if count < len(run.examples))
    assert parting_tags(run) == expected and any(tag.startswith("language=") for tag in expected)

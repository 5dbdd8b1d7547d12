"""Perturbed inputs through a real model: asked beside the clean ones, whose numbers they leave as they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.cli.main import run as lorascope
from core.compare import compare
from core.data.perturb.twins import perturbed_examples
from core.errors import InputError
from core.jobs import worker
from core.jobs.status import read_status
from core.prepare import Choice, estimate_seconds, prepare_run
from core.robustness import original_of
from core.store import Run
from core.workspace import load_workspace
from tests.core.jobs.conftest import evidence

TWINS = (
    "colour+typos", "colour+option_order", "colour+character_edits_2.0", "colour+character_edits_2.1", "docs+option_order",
    "reply+instruction_injection",
)  # fmt: skip
CHOSEN = ("colour", "docs", "reply")


def disturbed(template: Path, folder: Path) -> Path:
    """A copy of the tiny workspace whose tasks name perturbations."""
    shutil.copytree(template, folder)
    path = folder / "workspace.yaml"
    text = path.read_text()
    for before, after in (
        (
            'prompt: "{text} colour?"',
            'prompt: "{text} red, blue or green?", robustness: [typos, option_order, character_edits_2]',
        ),
        (
            'prompt: "{text} which?"',
            'prompt: "{text} which of {docs}?", metrics: [ndcg_at_3], robustness: [option_order]',
        ),
        ('prompt: "{text} reply!"', 'prompt: "{text} reply!", robustness: [instruction_injection]'),
    ):
        assert before in text
        text = text.replace(before, after)
    path.write_text(text)
    return folder


@pytest.fixture(scope="module")
def folder(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return disturbed(template, tmp_path_factory.mktemp("robust") / "w")


@pytest.fixture(scope="module")
def plain(folder: Path) -> Run:
    """The clean tasks alone, done first."""
    run = prepare_run(load_workspace(folder), Choice(tasks=CHOSEN, limit=6, name="plain", robustness=False))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    return Run(run.folder)


@pytest.fixture(scope="module")
def robust(folder: Path, plain: Run) -> Run:
    run = prepare_run(load_workspace(folder), Choice(tasks=CHOSEN, limit=6, name="robust"))
    assert worker.main(["evaluate", str(run.folder)]) == 0
    return Run(run.folder)


def test_each_perturbation_is_a_twin_after_the_clean_tasks(robust: Run, plain: Run) -> None:
    assert tuple(robust.spec.tasks) == (*CHOSEN, *TWINS)
    assert tuple(robust.spec.clean_tasks) == CHOSEN == tuple(plain.spec.tasks)
    assert all(task.robustness == () for task in plain.spec.tasks.values())
    assert not any("+" in key for key in robust.spec.family)
    assert robust.spec.family == plain.spec.family


def test_the_clean_numbers_are_the_same_bits_and_were_not_computed_again(robust: Run, plain: Run) -> None:
    clean = [row for row in evidence(robust) if row["task"] in CHOSEN]
    assert clean == evidence(plain)
    assert read_status(robust).reused == len(clean)
    assert len(evidence(robust)) == 3 * 6 * (1 + 1 + 2 + 4 + 1 + 2)
    assert all(row["reason"] is None for row in evidence(robust))


def test_perturbed_inputs_reach_the_model_and_stand_beside_their_originals(robust: Run) -> None:
    for example in robust.examples:
        original = original_of(robust, example)
        if example.task in CHOSEN:
            assert original is None
            continue
        assert original is not None
        assert (original.id, original.tags, original.language) == (example.id, example.tags, example.language)
        assert example.prompt != original.prompt
    task = robust.spec.tasks["colour+typos"]
    assert task.perturbation is not None
    clean = [example for example in robust.examples if example.task == "colour"]
    made = perturbed_examples("colour+typos", task.perturbation, robust.spec.tasks["colour"], clean)
    stored = [example for example in robust.examples if example.task == "colour+typos"]
    assert [example.fields for example in made] == [example.fields for example in stored]


def test_the_comparison_has_the_drops_and_no_other_row_of_a_twin(robust: Run) -> None:
    comparison = compare(robust)
    assert {row.task for row in comparison.rows} == set(CHOSEN)
    assert comparison.family_size == 2 * len(robust.spec.family)
    assert {(row.task, row.perturbation) for row in comparison.robustness} == {
        ("colour", "typos"), ("colour", "option_order"), ("colour", "character_edits_2"), ("docs", "option_order"),
        ("reply", "instruction_injection"),
    }  # fmt: skip
    for row in comparison.robustness:
        assert row.n_changed == 6
        for variant in comparison.variants:
            clean, perturbed, drop = row.clean[variant], row.perturbed[variant], row.drops[variant]
            assert clean.value is not None, (row.key, clean.reason)
            assert perturbed.value is not None, (row.key, perturbed.reason)
            turn = 1 if row.higher_is_better else -1
            assert drop.difference == pytest.approx(turn * (clean.value - perturbed.value), abs=1e-12)
        main = next(one for one in comparison.rows if (one.task, one.metric) == (row.task, row.metric))
        assert row.clean["lora-0"].value == main.values["lora-0"].value


def test_the_order_of_documents_changes_the_prompt_and_no_relevance(robust: Run) -> None:
    for example in robust.examples:
        if example.task == "docs+option_order":
            grades = dict(zip(example.options, example.reference, strict=True))
            assert sorted(grades.items()) == sorted(
                zip(["one", "two words", example.options[example.reference.index(1)]], [0, 2, 1], strict=True)
            )


def test_the_estimate_counts_the_twins(folder: Path, robust: Run) -> None:
    workspace = load_workspace(folder)
    whole = estimate_seconds(workspace, Choice(tasks=CHOSEN, limit=6))
    clean = estimate_seconds(workspace, Choice(tasks=CHOSEN, limit=6, robustness=False))
    assert whole is not None
    assert clean is not None
    assert whole / clean == pytest.approx((1 * 5 + 1 * 2 + 2 * 2) / (1 + 1 + 2))


def test_the_command_line_says_and_shows_it(folder: Path, robust: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert lorascope(["compare", "robust", "--workspace", str(folder), "--task", "colour"]) == 0
    shown = capsys.readouterr().out
    assert "colour: Typos" in shown
    assert "colour: Worst of 2 edits" in shown
    assert "reply: Instruction injection" not in shown
    assert "above zero is worse" in shown
    assert lorascope(["compare", "robust", "--workspace", str(folder), "--task", "colour+typos"]) == 2
    assert "the run has no task 'colour+typos' (did you mean 'colour'?)" in capsys.readouterr().err
    asked = ["evaluate", "--workspace", str(folder), "--tasks", "docs", "--limit", "2"]
    assert lorascope([*asked, "--name", "with"]) == 0
    assert "on docs and 1 with perturbed inputs" in capsys.readouterr().err
    assert lorascope([*asked, "--name", "without", "--no-robustness"]) == 0
    assert "perturbed" not in capsys.readouterr().err
    assert tuple(load_workspace(folder).run("without").spec.tasks) == ("docs",)


def test_a_twin_whose_name_is_taken_is_refused(template: Path, tmp_path: Path) -> None:
    folder = disturbed(template, tmp_path / "w")
    path = folder / "workspace.yaml"
    path.write_text(path.read_text().replace("  plain: {", "  colour+typos: {"))
    with pytest.raises(InputError, match=r"task 'colour\+typos': the name is needed for 'colour' under a perturbation"):
        prepare_run(load_workspace(folder), Choice())
    assert not (folder / "runs").exists() or not any((folder / "runs").iterdir())


@pytest.mark.parametrize(
    ("robustness", "sentence"),
    [
        (
            "[typo]",
            "tasks.colour.robustness.0: found 'typo' (did you mean 'typos'?), expected one of: typos, case, spacing",
        ),
        ("[case, typos, case]", "tasks.colour.robustness.2: found 'case' twice"),
        (
            "[option_order]",
            "found 'option_order', which does not apply here: the prompt does not show the options as a list",
        ),
        ("[character_edits_99]", "found 'character_edits_99'"),
        ("[case], perturbation: {of: colour, name: case}", "tasks.colour.perturbation: a run writes this key itself"),
        ("[case], metrics: []", "tasks.colour.robustness: the task has no metrics, and so nothing could drop"),
    ],
)
def test_mistakes_in_the_workspace_are_said(template: Path, tmp_path: Path, robustness: str, sentence: str) -> None:
    folder = Path(shutil.copytree(template, tmp_path / "w"))
    path = folder / "workspace.yaml"
    text = path.read_text().replace(
        "metrics: [accuracy, f1_macro]",
        f"robustness: {robustness}" + ("" if "metrics" in robustness else ", metrics: [accuracy]"),
    )
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        load_workspace(folder)
    assert sentence in str(raised.value)
    assert "workspace.yaml" in str(raised.value)

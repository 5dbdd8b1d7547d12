"""From a choice to a run's folder: what is asked, of which examples, and every mistake in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.experiment import AblationChoice, ablations_of, estimate_ablation, left_out, parts_off, prepare_ablation
from core.experiment.prepare import drawn
from core.experiment.prompts import NO_CHANGE
from core.jobs.status import RunStatus, write_status
from core.prepare import Choice, prepare_run
from core.records import Example
from core.workspace import Workspace, load_workspace
from tests.core.adapters.made import made_adapter, made_base

YAML = """models:
  base: {path: base}
  adapters:
    one: {path: adapters/one}
    two: {path: adapters/two}
    elsewhere: {path: adapters/elsewhere}
    ia3: {path: adapters/ia3}
    cut: {path: adapters/one, part: {layers: [0]}}
    plain: {path: adapters/plain}
datasets:
  data: {path: data.jsonl}
tasks:
  colour: {dataset: data, kind: classification, prompt: "{text}?", system: "Be brief.", options: [red, blue], reference: colour,
           metrics: [accuracy], robustness: [typos], few_shot: [{fields: {text: a}, answer: red}, {fields: {text: b}, answer: blue}]}
  words: {dataset: data, kind: likelihood, template: none, reference: text, metrics: [perplexity]}
settings: {seed: 4}
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("experiment")
    made_base(folder / "base")
    made_adapter(folder / "adapters" / "one")
    made_adapter(folder / "adapters" / "two", rank=2, seed=2)
    made_adapter(folder / "adapters" / "ia3", peft_type="IA3")
    made_adapter(folder / "adapters" / "plain", rank=1, seed=5)
    path = made_adapter(folder / "adapters" / "elsewhere", seed=3) / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes().replace(b"q_proj", b"z_proj"))
    (folder / "data.jsonl").write_text(
        "".join(
            json.dumps({"id": f"e{k:02}", "text": f"t{k}", "colour": ["red", "blue"][k % 2]}) + "\n" for k in range(40)
        )
    )
    (folder / "workspace.yaml").write_text(YAML)
    return load_workspace(folder)


def choice(**more: Any) -> AblationChoice:
    asked: dict[str, Any] = {"adapter": "one", **more}
    return AblationChoice(**asked)


def test_the_run_says_what_each_of_its_variants_is(workspace: Workspace) -> None:
    run = prepare_ablation(workspace, choice(parts=("strength", "mixing"), partners=("two",), minutes=2.5, name="said"))
    spec = run.spec
    assert spec.models.variants == (
        "baseline", "one", "two", "one.x0.5", "one.x1.5", "one.x2", "one.x0.25", "one.x0.75", "one+two.cat-0.5", "one+two.cat-0.25",
        "one+two.cat-0.75",
    )  # fmt: skip
    assert spec.ablation is not None
    assert (spec.ablation.adapter, spec.ablation.whole, spec.ablation.minutes) == ("one", ("one", "two"), 2.5)
    assert {trial.variant for trial in spec.ablation.trials} == set(spec.models.variants)
    assert not spec.settings.probe
    assert spec.family == ("colour/accuracy", "words/perplexity")
    assert set(spec.tasks) == {"colour", "words"}
    assert spec.tasks["colour"].robustness == ()
    assert load_workspace(run.folder).run("said").spec == spec


def test_examples_are_drawn_with_the_seed_and_are_the_same_for_every_task(workspace: Workspace) -> None:
    run = prepare_ablation(workspace, choice(parts=("rank", "prompt"), examples=12, name="drawn"))
    ids = {task: [e.id for e in run.examples if e.task == task] for task in run.spec.tasks}
    assert run.spec.drawn == 12
    assert len(ids["colour"]) == 12
    assert all(found == ids["colour"] for found in ids.values())
    assert ids["colour"] == sorted(ids["colour"]) != [f"e{k:02}" for k in range(12)]
    again = prepare_ablation(workspace, choice(examples=12, name="again"))
    assert {e.id for e in again.examples} == set(ids["colour"])
    other = prepare_ablation(workspace, choice(examples=12, settings={"seed": 5}, name="other"))
    assert {e.id for e in other.examples} != set(ids["colour"])


def test_fewer_examples_are_among_the_more_and_too_many_are_all() -> None:
    examples = [Example("t", f"e{k}", "", {}, "x") for k in range(20)]
    few, more = ({example.id for example in drawn(examples, number, 0)} for number in (5, 9))
    assert few < more
    assert len(more) == 9
    assert drawn(examples, 20, 0) == drawn(examples, None, 0) == drawn(examples, 99, 0) == examples


def test_changed_prompts_are_twins_of_their_tasks(workspace: Workspace) -> None:
    run = prepare_ablation(workspace, choice(parts=("prompt",), name="prompts"))
    assert run.spec.models.variants == ("baseline", "one")
    tasks = run.spec.tasks
    assert list(tasks) == [
        "colour",
        "words",
        "colour+no-system",
        "colour+shots-0",
        "colour+shots-1",
        "colour+no-template",
    ]
    assert tasks["colour+no-system"].system is None
    assert [len(tasks[f"colour+shots-{k}"].few_shot) for k in (0, 1)] == [0, 1]
    assert (tasks["colour+no-template"].template, tasks["colour+no-template"].perturbation.of) == ("none", "colour")  # type: ignore[union-attr]
    assert list(run.spec.clean_tasks) == ["colour", "words"]
    assert [(t.prompt, t.dose, t.variant) for t in run.spec.ablation.trials] == [  # type: ignore[union-attr]
        ("no-system", None, "one"), ("shots-0", 0, "one"), ("shots-1", 1, "one"), ("no-template", None, "one"),
    ]  # fmt: skip
    only = choice(parts=("prompt", "rank"), tasks=("words",), name="only")
    assert prepare_ablation(workspace, only).spec.ablation.off == {"prompt": NO_CHANGE}  # type: ignore[union-attr]


def test_a_page_finds_ablations_and_what_they_would_cost(workspace: Workspace) -> None:
    assert estimate_ablation(workspace, choice(examples=10)).seconds is None
    plain = prepare_run(workspace, Choice(adapters=("one",), limit=10, robustness=False, name="plain"))
    write_status(plain.folder, RunStatus("finished", done=40, total=40, started=1.0))
    status = json.loads((plain.folder / "status.json").read_text()) | {"updated": 81.0}
    (plain.folder / "status.json").write_text(json.dumps(status))
    estimate = estimate_ablation(workspace, choice(parts=("strength",), examples=10))
    assert (estimate.n_variants, estimate.off) == (7, {})
    assert estimate.seconds == pytest.approx(7 * 2 * 10 * 80 / 40)
    prompts = estimate_ablation(workspace, choice(parts=("prompt",), examples=10))
    assert prompts.seconds == pytest.approx((2 * 2 + 2 * 4) * 10 * 80 / 40)
    run = prepare_ablation(workspace, choice(parts=("rank",), name="found"))
    assert run.id in [one.id for one in ablations_of(workspace, "one")]
    assert ablations_of(workspace, "two") == []
    assert "plain" not in [one.id for one in ablations_of(workspace)]
    assert left_out(run) == ()
    write_status(run.folder, RunStatus("cancelled", left_out=("one.rank-1",)))
    assert left_out(run) == ("one.rank-1",)


def test_parts_that_make_no_sense_are_told_before_anything_is_started(workspace: Workspace) -> None:
    assert set(parts_off(workspace, "one")) == {"mixing"}
    assert parts_off(workspace, "one", ["two"]) == {}
    off = parts_off(workspace, "ia3", ["one"])
    assert set(off) == {"modules", "depth", "strength", "rank", "mixing"}
    assert (
        off["strength"]
        == "'ia3': it is of type IA3; only the update of LoRA is a sum of parts that can be switched off one by one."
    )


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"adapter": "ome"}, r"there is no adapter 'ome' \(did you mean 'one'\?\); there are: one, two, elsewhere, ia3, cut, plain"),
        ({"partners": ("tow",)}, r"there is no adapter 'tow' \(did you mean 'two'\?\)"),
        ({"partners": ("one",)}, "The adapter 'one' is named twice; an adapter is mixed with others"),
        ({"partners": ("elsewhere",), "parts": ("mixing",)}, "adapter 'elsewhere': .*z_proj"),
        ({"adapter": "cut"}, "models.adapters.cut is a part of an adapter already"),
        ({"adapter": "ia3", "parts": ("strength",)}, "nothing to try of the adapter 'ia3'.*it is of type IA3; only the update of LoRA"),
        ({"adapter": "plain", "parts": ("rank",)}, "'plain': its rank is 1: there is no smaller one."),
        ({"parts": ("mixing",)}, "nothing to try of the adapter 'one'. No other adapter was named to mix it with."),
        (
            {"parts": ("mixing",), "partners": ("two",), "methods": ("linear",)},
            "'linear' mixes adapters of one rank; found one 3, two 2. Use cat or svd.",
        ),
        ({"parts": ("module",)}, r"There is no part 'module' \(did you mean 'modules'\?\); expected any of modules, depth"),
        ({"parts": ("rank", "rank")}, "The part 'rank' is named twice"),
        ({"parts": ()}, "No part is chosen; expected any of modules, depth, strength, rank, mixing, prompt."),
        ({"methods": ("slerp",)}, "There is no method 'slerp'.*; expected any of linear, cat, svd"),
        ({"examples": 0}, "examples: found 0; expected a number of examples, 1 or more"),
        ({"minutes": 0}, "minutes: found 0; expected a number above 0"),
        ({"minutes": float("nan")}, "minutes: found nan; expected a number above 0"),
        ({"tasks": ("color",)}, r"there is no task 'color' \(did you mean 'colour'\?\)"),
        ({"name": "../x"}, r"name: found '\.\./x'"),
    ],
)  # fmt: skip
def test_mistakes_are_said_and_leave_nothing_behind(workspace: Workspace, more: dict[str, Any], sentence: str) -> None:
    before = set(Path(workspace.runs_folder).glob("*"))
    with pytest.raises(InputError, match=sentence):
        prepare_ablation(workspace, choice(**more))
    assert set(Path(workspace.runs_folder).glob("*")) == before

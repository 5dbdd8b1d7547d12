"""``lorascope ablate``: from the shell to a table of what each part is worth."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core.ablation_spec import AblationSpec, Trial
from core.cli.main import run
from core.store import Run, write_json
from tests.synthetic import make_run
from tests.tiny import make_workspace

VARIANTS = ("baseline", "all-r8", "all-r8.no-mlp", "all-r8.x0.5")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("cli"), n=6)


def test_it_takes_an_adapter_apart_and_prints_what_a_script_wants(
    template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(template, tmp_path / "w"))
    asked = ["--adapter", "lora-0", "--parts", "rank,mixing", "--tasks", "colour", "--examples", "4", "--name", "cut"]
    assert run(["ablate", "--workspace", str(folder), *asked, "--minutes", "30", "--json"]) == 0
    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert (printed["id"], printed["adapter"], printed["left_out"]) == ("cut", "lora-0", [])
    assert printed["off"] == {"mixing": "No other adapter was named to mix it with."}
    assert "Off: No other adapter was named to mix it with." in captured.err
    assert "Run cut: 4 variants on colour" in captured.err
    accuracy = next(metric for metric in printed["metrics"] if metric["key"] == "colour/accuracy")
    assert {trial["label"]: trial["variant"] for trial in accuracy["trials"]} == {
        "rank 4": "lora-0", "rank 2": "lora-0.rank-2", "rank 1": "lora-0.rank-1",
    }  # fmt: skip
    assert all(trial["value"]["n"] == 4 for trial in accuracy["trials"])
    assert run(["ablate", "--workspace", str(folder), "--resume", "cut", "--metric", "colour/accuracy"]) == 0
    assert "Run cut: lora-0 in parts." in capsys.readouterr().out


@pytest.fixture
def made(tmp_path: Path) -> Run:
    """A finished ablation whose evidence is drawn."""
    folder = make_workspace_of_runs(tmp_path)
    found = make_run(folder / "runs" / "parts", n=30, variants=VARIANTS, tasks=("category",))
    trials = (
        Trial(part="strength", change="scaled", variant="baseline", label="strength 0", dose=0),
        Trial(part="strength", change="scaled", variant="all-r8.x0.5", label="strength 0.5", dose=0.5),
        Trial(part="strength", change="scaled", variant="all-r8", label="strength 1", dose=1),
        Trial(part="modules", change="left_out", variant="all-r8.no-mlp", label="without MLP", modules=("down_proj",)),
    )
    spec = json.loads((found.folder / "spec.json").read_text())
    ablation = AblationSpec(adapter="all-r8", parts=("strength", "modules"), trials=trials)
    write_json(found.folder / "spec.json", spec | {"ablation": ablation.model_dump(mode="json")})
    return Run(found.folder)


def make_workspace_of_runs(folder: Path) -> Path:
    """A workspace with nothing but runs in it."""
    (folder / "workspace.yaml").write_text("models: {base: {path: base}}\ndatasets: {}\ntasks: {}\n")
    return folder


def test_a_table_has_each_part_against_the_whole_and_against_the_baseline(
    made: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = str(made.folder.parent.parent)
    assert run(["ablate", "--workspace", workspace, "--resume", "parts", "--metric", "category/accuracy"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "category: Accuracy ↑ %"
    assert " ".join(lines[1].split()) == "part what value minus the whole adjusted p minus the baseline adjusted p n"
    assert [line[:24].split("  ")[0] for line in lines[2:6]] == ["strength"] * 3 + ["modules"]
    told = {line.split("  ")[1].strip(): line for line in lines[2:6]}
    assert "the baseline" in told["strength 0"]
    assert "the whole" in told["strength 1"]
    assert "category: Macro F1" not in "\n".join(lines)


def test_what_the_budget_left_out_is_said_and_has_no_line(made: Run, capsys: pytest.CaptureFixture[str]) -> None:
    from core.cli.ablation_table import print_experiment
    from core.experiment.results import experiment_results

    experiment = experiment_results(made)
    print_experiment(experiment, experiment.metrics[:1], ["all-r8.x0.5"])
    shown = capsys.readouterr().out
    assert "strength 0.5" not in shown
    assert "strength 1" in shown


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "--adapter is missing: name the adapter to take apart. The workspace has: lora-0, lora-1."),
        (["--adapter", "lora-7"], "there is no adapter 'lora-7'"),
        (["--adapter", "lora-0", "--parts", "depths"], "There is no part 'depths' (did you mean 'depth'?)"),
        (["--adapter", "lora-0", "--minutes", "-1"], "minutes: found -1; expected a number above 0."),
        (["--adapter", "lora-0", "--examples", "0"], "0 is not in the range x>=1"),
        (["--adapter", "lora-0", "--parts", "mixing", "--with", "lora-0"], "The adapter 'lora-0' is named twice"),
        (
            ["--adapter", "lora-0", "--parts", "mixing", "--with", "lora-1", "--method", "sum"],
            "There is no method 'sum'",
        ),
        (["--resume", "nothing"], "there is no run 'nothing'"),
    ],
)
def test_wrong_input_is_a_sentence(
    template: Path, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["ablate", "--workspace", str(template), *arguments]) == 2
    assert sentence in capsys.readouterr().err
    assert not (template / "runs").exists()


def test_a_run_that_is_no_ablation_and_an_unknown_metric_are_refused(
    made: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = str(made.folder.parent.parent)
    make_run(made.folder.parent / "plain", n=4, tasks=("category",))
    assert run(["ablate", "--workspace", workspace, "--resume", "plain"]) == 2
    assert (
        "this run takes no adapter apart; go on with it by: lorascope evaluate --resume plain"
        in capsys.readouterr().err
    )
    assert run(["ablate", "--workspace", workspace, "--resume", "parts", "--metric", "category/acuracy"]) == 2
    assert "no metric 'category/acuracy' (did you mean 'category/accuracy'?)" in capsys.readouterr().err

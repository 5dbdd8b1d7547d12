"""``lorascope cross`` and ``lorascope adapter --merge``: the jobs done in this process, what is printed, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.adapters.kept import AdapterJob, write_request
from core.cli.main import run
from core.jobs import worker
from core.jobs.status import RunStatus, write_status
from core.prepare import Choice, prepare_run
from core.workspace import load_workspace
from tests.tiny import make_workspace

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_workspace(tmp_path_factory.mktemp("cross-cli") / "w", n=4, adapters=1)
    made = prepare_run(load_workspace(folder), Choice(name="one", tasks=("colour", "reply")))
    assert worker.main(["evaluate", str(made.folder)]) == 0
    return folder


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(job: AdapterJob) -> int:
        job.folder.mkdir(parents=True, exist_ok=True)
        write_request(job)
        worker.main([job.kind, str(job.folder)])
        return 0

    monkeypatch.setattr("core.jobs.adapter_launch.start_job", start)


def test_answers_are_read_and_the_means_printed(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--workspace", str(workspace)]
    assert run(["cross", "one", *where, "--examples", "2"]) == 0
    captured = capsys.readouterr()
    assert "2 of 4" in captured.out and "Against baseline. Mean log-ratio of an answer" in captured.out
    assert "of what was recorded" in captured.err
    assert run(["cross", "one", *where, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(row["variant"], row["answers_of"], row["n"], row["complete"]) for row in found["rows"]] == [
        ("lora-0", "lora-0", 4, True), ("lora-0", "baseline", 4, True),
    ]  # fmt: skip
    assert found["rows"][0]["low"] <= found["rows"][0]["difference"] <= found["rows"][0]["high"]
    assert (
        found["rows"][0]["estimates_divergence"] is False and 0 <= found["largest_difference_to_recorded_nats"] < 1e-3
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--task", "colour"], "'colour' has no generated answers to read; those with: reply"),
        (["--variants", "lora-9"], "no variant 'lora-9'"),
        (["--variants", "baseline"], "name one beside baseline"),
        (["--against", "nobody"], "no variant 'nobody'"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert run(["cross", "one", "--workspace", str(workspace), *arguments]) == 2
    assert told in capsys.readouterr().err


def test_a_job_that_failed_is_told(
    workspace: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(job: AdapterJob) -> int:
        job.folder.mkdir(parents=True, exist_ok=True)
        write_status(job.folder, RunStatus("failed", error="models.base: found no folder x."))
        return 0

    monkeypatch.setattr("core.jobs.adapter_launch.start_job", start)
    assert run(["cross", "one", "--workspace", str(workspace), "--examples", "1"]) == 1
    assert "models.base: found no folder x." in capsys.readouterr().err


def test_merging_prints_logits_and_metrics(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [
        "adapter",
        str(workspace / "adapters" / "lora-0"),
        "--merge",
        "--run",
        "one",
        "--workspace",
        str(workspace),
    ]
    assert run([*asked, "--examples", "2"]) == 0
    out = capsys.readouterr().out
    assert "merged on prompts of run one, on cpu:" in out and "colour: Accuracy" in out and "examples that flip" in out
    assert run([*asked, "--examples", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["merge"]
    assert found["answered"] == 4 and {row["n"] for row in found["metrics"]} == {2}
    assert {row["model"] for row in found["metrics"]} == {"merged, float32", "merged, bfloat16", "unmerged, bfloat16"}


def test_merging_needs_a_run(workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "workspace.yaml"
    empty.write_text((workspace / "workspace.yaml").read_text())
    assert run(["adapter", str(workspace / "adapters" / "lora-0"), "--merge", "--workspace", str(tmp_path)]) == 2
    assert "found no run, whose prompts the merged model would be asked" in capsys.readouterr().err

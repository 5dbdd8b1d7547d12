"""``lorascope push``: from a run to a target, what is said, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cli.main import run
from core.push import target, targets
from core.push.targets import TARGETS
from tests.synthetic import make_run, make_workspace

pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_workspace(tmp_path_factory.mktemp("push") / "w", n=16, runs=False)
    make_run(folder / "runs" / "small", n=16, tasks=("category",), variants=("baseline", "qv-r8"))
    return folder


def pushed(folder: Path, *arguments: str) -> int:
    return run(["push", "--workspace", str(folder), *arguments])


def test_every_variant_with_report_and_tables_then_nothing_new(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pushed(folder, "--to", "tensorboard") == 0
    told, place = capsys.readouterr(), folder / "tensorboard" / "lorascope" / "small"
    assert told.out.splitlines() == [
        f"baseline: written ({place / 'baseline'})",
        f"qv-r8: written ({place / 'qv-r8-against-baseline'})",
    ]
    assert told.err == f"Look at it with: tensorboard --logdir '{folder / 'tensorboard'}'\n"
    assert b"<!doctype html>" in (place / "baseline" / "report.html").read_bytes()[:40].lower()
    assert "accuracy" in (place / "baseline" / "metrics-category.csv").read_text(encoding="utf-8-sig")
    assert pushed(folder, "small", "--to", "tensorboard", "--variant", "qv-r8") == 0
    assert "qv-r8: is there already, nothing has changed" in capsys.readouterr().out


def test_one_variant_against_another_reference_elsewhere(folder: Path, tmp_path: Path) -> None:
    where = ["--where", str(tmp_path / "tb"), "--experiment", "desk"]
    assert (
        pushed(folder, "--to", "tensorboard", "--reference", "qv-r8", "--variant", "baseline", "--no-report", *where)
        == 0
    )
    (found,) = (tmp_path / "tb" / "desk" / "small").iterdir()
    assert found.name == "baseline-against-qv-r8" and not (found / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--variant", "qv-r9"], "run small: no variant 'qv-r9' (did you mean 'qv-r8'?); it has baseline, qv-r8."),
        (["--project", "a/b"], "--project 'a/b': expected letters, digits and . _ + - only"),
        (["--reference", "nobody"], "nobody"),
    ],
)
def test_what_is_refused(folder: Path, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert pushed(folder, "--to", "tensorboard", *arguments) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_library_that_is_not_installed_is_answered_with_the_command(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(target, "find_spec", lambda module: None)
    assert pushed(folder, "--to", name) == 2
    label = TARGETS[name].label
    assert capsys.readouterr().err == (
        f"{label} needs the package {name}, which is not installed here. Install it with: pip install 'lorascope[{name}]'\n"
    )


def test_where_a_target_writes_when_nobody_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert TARGETS["mlflow"].default_place(Path("/w")) == "/w/mlflow"
    assert (
        TARGETS["mlflow"].look_command("/w/mlflow") == "mlflow ui --backend-store-uri 'sqlite:////w/mlflow/mlflow.db'"
    )
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    assert TARGETS["mlflow"].default_place(Path("/w")) == "http://localhost:5000"
    assert (
        TARGETS["wandb"].look_command(TARGETS["wandb"].default_place(Path("/w")))
        == "wandb sync '/w'/wandb/offline-run-*"
    )


def test_every_target_has_a_file_of_its_name() -> None:
    folder = Path(targets.__file__).parent
    assert all((folder / f"{name}.py").is_file() for name in TARGETS)

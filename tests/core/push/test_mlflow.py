"""What was written to MLflow, read back with its own client from a database file."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError, RunError
from tests.core.push.made import TEXTS, made_result

pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
pytest.importorskip("alembic", reason="the extra mlflow is not installed")

from mlflow.tracking import MlflowClient  # noqa: E402

from core.push.mlflow import push  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One database for all tests: its tables take seconds."""
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def client(folder: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")


def runs(client: MlflowClient, experiment: str) -> list:
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return list(client.search_runs([found.experiment_id]))


def test_a_variant_is_a_run_with_everything(folder: Path, client: MlflowClient) -> None:
    result = made_result()
    (pushed,) = push([result], str(folder), "whole")
    (found,) = runs(client, "whole")
    assert (pushed.change, pushed.where) == ("new", found.info.run_id)
    assert (found.info.run_name, found.info.status) == ("sample: qv-r8", "FINISHED")
    assert found.data.metrics == result.metrics
    assert (found.data.params["r"], found.data.params["lora_alpha"], found.data.params["use_dora"]) == (
        "8",
        "16.5",
        "False",
    )
    shown = {name: found.data.params[f"text {name}"] for name in TEXTS}
    assert shown == TEXTS | {"surrogate": "a?b", "nul": "ab"}
    assert result.tags.items() <= found.data.tags.items()
    names = [one.path for one in client.list_artifacts(found.info.run_id, "results")]
    assert names == ["results/report.html", "results/verdicts.csv"]
    place = client.download_artifacts(found.info.run_id, "results/report.html")
    assert Path(place).read_bytes() == b"<p>report</p>"


def test_pushed_again_it_is_there_once(folder: Path, client: MlflowClient) -> None:
    first, other = made_result(), made_result(variant="qv-r2", key="f" * 32)
    before = push([first, other], str(folder), "again")
    assert [one.change for one in push([first, other], str(folder), "again")] == ["unchanged", "unchanged"]
    client.set_tag(before[0].where, "mlflow.note.content", "mine")
    (after,) = push([made_result(metrics={"reply/rouge_l": 0.5})], str(folder), "again")
    assert after.change == "replaced"
    found = {run.info.run_id: run for run in runs(client, "again")}
    assert set(found) == {after.where, before[1].where}
    assert found[after.where].data.metrics == {"reply/rouge_l": 0.5}
    assert found[after.where].data.tags["mlflow.note.content"] == "mine"


def test_what_was_broken_off_is_replaced(folder: Path, client: MlflowClient) -> None:
    (first,) = push([made_result()], str(folder), "broken")
    client.delete_tag(first.where, "lorascope.digest")  # it is written last
    (second,) = push([made_result()], str(folder), "broken")
    assert second.change == "replaced" and [run.info.run_id for run in runs(client, "broken")] == [second.where]


def test_hundreds_of_numbers_and_long_texts_fit(folder: Path, client: MlflowClient) -> None:
    many = {f"category/f1_per_class/退款 {number}": number / 7 for number in range(450)}
    result = made_result(metrics=many, parameters={"long": "x" * 200_000}, tags={"lorascope.without.a": "y" * 200_000})
    push([result], str(folder), "many")
    (found,) = runs(client, "many")
    assert found.data.metrics == many and set(found.data.params["long"]) == {"x"}


def test_a_store_that_there_is_not_and_an_experiment_that_was_deleted(folder: Path, client: MlflowClient) -> None:
    with pytest.raises(
        InputError, match=r"--where nonsense://x: MLflow knows no such store .*Expected http://…, sqlite:///FILE"
    ):
        push([made_result()], "nonsense://x", "any")
    client.delete_experiment(client.create_experiment("deleted"))
    with pytest.raises(InputError, match="MLflow's experiment 'deleted' was deleted; restore it"):
        push([made_result()], str(folder), "deleted")


def test_what_mlflow_refuses_is_said(folder: Path) -> None:
    with pytest.raises(RunError, match=r"MLflow refused \(.*push again to go on"):
        push([made_result(metrics={"a//b": 1.0})], str(folder), "refused")

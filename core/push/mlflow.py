"""MLflow: an experiment with a run for each variant, in a tracking server or in a database file of the user's own.

The tracking client alone is needed (``mlflow-skinny``), and ``alembic`` where the results go into a database file.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import InputError, RunError
from core.push.content import PREFIX, VariantResult
from core.push.target import Pushed, need, utf8

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_T = TypeVar("_T")
_LONGEST_PARAMETER, _LONGEST_TAG, _LONGEST_KEY = 6_000, 5_000, 250
_AT_ONCE = 100
"""Parameters, tags or metrics a request: MLflow's limit for the first two."""
_KEY, _DIGEST, _RESULT = f"{PREFIX}key", f"{PREFIX}digest", "results"


def push(results: Sequence[VariantResult], where: str, experiment: str) -> list[Pushed]:
    """Write each variant as a run of an experiment; a variant that is there already is replaced, and left alone if nothing changed.

    A run that was replaced is in MLflow's trash, from where it can be restored; what users wrote into its note is carried over.

    Args:
        results: what to write.
        where: the tracking URI (``http://…``, ``sqlite:///FILE``), or a folder, in which mlflow.db and the artifacts are kept.
        experiment: its name; made where it is not there.

    Raises:
        InputError: MLflow is not installed, the URI names no store that it knows, or the experiment was deleted.
        RunError: MLflow refused something; the message is its own.
    """
    need("mlflow", "mlflow", "MLflow")
    # Nothing is sent anywhere but to the store that was asked for.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.exceptions import MlflowException

    client, artifacts = _open(where)
    try:
        known = _experiment(client, experiment, artifacts)
        return [_push(client, known, result) for result in results]
    except MlflowException as error:
        raise RunError(
            f"MLflow refused ({_first_line(error)}). Variants that were written before are kept; push again to go on."
        ) from None


def _open(where: str) -> tuple[MlflowClient, str | None]:
    """Return a client, and where artifacts of a new experiment go: beside a database file of ours, else as the server says."""
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    artifacts = None
    if "://" not in where:
        need("alembic", "mlflow", "MLflow's database file")
        folder = Path(where).expanduser().resolve()
        folder.mkdir(parents=True, exist_ok=True)
        where, artifacts = f"sqlite:///{folder / 'mlflow.db'}", (folder / "mlartifacts").as_uri()
    try:
        return MlflowClient(tracking_uri=where), artifacts
    except MlflowException as error:
        raise InputError(
            f"--where {where}: MLflow knows no such store ({_first_line(error)}). Expected http://…, sqlite:///FILE or a folder."
        ) from None


def _experiment(client: MlflowClient, name: str, artifacts: str | None) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name, artifact_location=artifacts))
    if found.lifecycle_stage != "active":
        raise InputError(
            f"MLflow's experiment {name!r} was deleted; restore it (mlflow experiments restore) or name another: --experiment"
        )
    return str(found.experiment_id)


def _push(client: MlflowClient, experiment: str, result: VariantResult) -> Pushed:
    there = client.search_runs([experiment], f"tags.`{_KEY}` = '{result.key}'")
    if len(there) == 1 and there[0].data.tags.get(_DIGEST) == result.digest:
        return Pushed(result.variant, "unchanged", there[0].info.run_id)
    notes = {name: text for run in there for name, text in run.data.tags.items() if name == "mlflow.note.content"}
    tags = {_KEY: result.key, "mlflow.source.name": "lorascope", "mlflow.source.type": "LOCAL", **notes}
    run_id = client.create_run(experiment, run_name=f"{result.run_id}: {result.variant}", tags=tags).info.run_id
    _write(client, run_id, result)
    # The digest comes last: without it a run that was broken off is replaced by the next push.
    client.set_tag(run_id, _DIGEST, result.digest)
    client.set_terminated(run_id)
    for old in there:
        client.delete_run(old.info.run_id)
    return Pushed(result.variant, "replaced" if there else "new", run_id)


def _write(client: MlflowClient, run_id: str, result: VariantResult) -> None:
    from mlflow.entities import Metric, Param, RunTag

    moment = int(time.time() * 1000)
    for some in _several(_texts(result.parameters, _LONGEST_PARAMETER)):
        client.log_batch(run_id, params=[Param(name, text) for name, text in some])
    for some in _several(_texts(result.tags, _LONGEST_TAG)):
        client.log_batch(run_id, tags=[RunTag(name, text) for name, text in some])
    for some in _several(list(result.metrics.items())):
        client.log_batch(run_id, metrics=[Metric(name, value, moment, 0) for name, value in some])
    with tempfile.TemporaryDirectory() as scratch:
        for name, content in result.files.items():
            Path(scratch, name).write_bytes(content)
        if result.files:
            client.log_artifacts(run_id, scratch, _RESULT)


def _texts(values: Mapping[str, Any], longest: int) -> list[tuple[str, str]]:
    return [(name[:_LONGEST_KEY], utf8(str(value))[:longest]) for name, value in values.items()]


def _several(items: list[_T]) -> Iterator[list[_T]]:
    for first in range(0, len(items), _AT_ONCE):
        yield items[first : first + _AT_ONCE]


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")

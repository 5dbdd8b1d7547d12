"""The statistics of each metric, task and variant of a run, kept in the run's ``derived/`` folder once it is finished.

What is kept can be thrown away at any time: it is keyed by the evidence, the examples, the task and the metric, and made
again when it is missing, damaged or of another key. A folder that cannot be written is read all the same.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from core.metrics.metric import Metric, Observations, Statistics
from core.metrics.registry import get_metric
from core.predict import observations, task_examples
from core.store import Run, write_atomically

_FORMAT = 1
_BLOCK = 1 << 20


def statistics_for(run: Run, task: str, metric: str, variant: str) -> Statistics:
    """Return the statistics of one metric, in the order of the run's examples of the task.

    Raises:
        InputError: unknown task, metric or variant.
    """
    return StatisticsReader(run).read(task, get_metric(metric), variant)


def example_scores(run: Run, task: str, metric: str) -> pd.DataFrame:
    """Return each example's own value: index ``example_id``, one column a variant, NaN where there is none."""
    reader, chosen = StatisticsReader(run), get_metric(metric)
    columns = {variant: chosen.per_example(reader.read(task, chosen, variant)) for variant in run.spec.models.variants}
    index = pd.Index([example.id for example in task_examples(run, task)], name="example_id")
    return pd.DataFrame(columns, index=index)


class StatisticsReader:
    """Reads the statistics of one run; hashes its evidence once, and reads predictions once for all metrics."""

    def __init__(self, run: Run) -> None:
        """Hash the evidence of ``run``, so that what is kept can be told to be of it."""
        self.run = run
        self._evidence_hash = _hash_files(run.folder / "evidence.parquet", run.folder / "examples.parquet")
        self._observed: tuple[tuple[str, str], Observations] | None = None

    def read(self, task: str, metric: Metric, variant: str) -> Statistics:
        """Return kept statistics, or make them from the evidence and keep them."""
        path = self._path(task, metric, variant)
        kept = _load(path) if path is not None else None
        if kept is not None:
            return kept
        made = metric.statistics(self._observe(task, variant))
        if path is not None:
            _keep(path, made)
        return made

    def _observe(self, task: str, variant: str) -> Observations:
        if self._observed is None or self._observed[0] != (task, variant):
            self._observed = (task, variant), observations(self.run, task, variant)
        return self._observed[1]

    def _path(self, task: str, metric: Metric, variant: str) -> Path | None:
        """Return where the statistics are kept; None while the run is not finished, or where there is no such task."""
        spec = self.run.spec
        if self._evidence_hash is None or task not in spec.tasks or variant not in spec.models.variants:
            return None
        packages = [f"{name}=={version(name)}" for name in metric.distributions]
        task_spec = spec.tasks[task].model_dump(mode="json", exclude={"metrics", "primary", "bands"})
        identity = [_FORMAT, self._evidence_hash, task, variant, task_spec, metric.name, metric.version, packages]
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:24]
        return self.run.folder / "derived" / "statistics" / f"{task}-{metric.name}-{variant}-{key}.npz"


def _hash_files(*paths: Path) -> str | None:
    digest = hashlib.sha256()
    for path in paths:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()


def _load(path: Path) -> Statistics | None:
    """Return what is kept in a file, or None where it is missing or damaged (the archive holds checksums)."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            words = json.loads(kept["words"].tobytes())
            array, missing = kept["array"], kept["missing"]
            if array.ndim != 2 or not len(array) == len(missing) == len(words["reasons"]):
                return None
            return Statistics(array, missing, tuple(words["reasons"]), words["signature"], tuple(words["labels"]))
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        return None


def _keep(path: Path, statistics: Statistics) -> None:
    words = {"reasons": statistics.reasons, "signature": statistics.signature, "labels": statistics.labels}
    sink = io.BytesIO()
    encoded = np.frombuffer(json.dumps(words).encode(), dtype=np.uint8)
    np.savez_compressed(sink, array=statistics.array, missing=statistics.missing, words=encoded)
    # A folder that cannot be written (a read-only copy, a full disk) loses speed, nothing else.
    with suppress(OSError):
        write_atomically(path, sink.getvalue())

"""What a worker of a Ray cluster does: it holds the models once, on one device, and answers part after part.

Runs in a process of the cluster; imports no Ray itself, so that it can be tried without.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.adapters import read_adapter
from core.data.prompt import PromptRenderer
from core.errors import InputError
from core.jobs.environment import package_versions
from core.jobs.loading import Loading
from core.plan import Part
from core.records import BASELINE
from core.store import evidence_table
from core.weights import tensor_hash, weight_files


@dataclass(frozen=True)
class WorkerFacts:
    """What a worker says of itself once its models are loaded: what has to be alike for its numbers to be alike."""

    host: str
    process: int
    hardware: str
    """The GPU's name, or the processor's kind."""
    versions: Mapping[str, str | None]
    hashes: Mapping[str, str]
    """Of the tensors of each variant that has a folder of its own, by its name."""


@dataclass(frozen=True)
class Answer:
    """The evidence of one part, and what was to be said about it."""

    table: pa.Table
    lasting: bool
    warnings: tuple[str, ...]


class RemoteWorker:
    """One worker. A variant stays on from part to part until another one is asked for."""

    def __init__(self) -> None:
        """Load nothing yet: what fails while loading is to arrive as what it is."""
        self._warnings: list[str] = []
        self._on = ExitStack()
        self._variant: str | None = None
        self._model: Any = None

    def host(self) -> str:
        """Return the name of the machine that it runs on."""
        return platform.node()

    def load(self, loading: Loading, renderer: PromptRenderer) -> WorkerFacts:
        """Load the base and every adapter; the tokenizer comes from whoever planned the parts.

        Raises:
            InputError: a folder is not on this machine, or a model cannot be loaded.
        """
        for folder in loading.folders:
            if not folder.is_dir():
                raise InputError(
                    f"The worker on {platform.node()} finds no folder {folder}. The workspace and the base have to lie on a disk that "
                    "all machines of the cluster see at the same path."
                )
        hashes = {BASELINE: tensor_hash(weight_files(loading.base))}
        hashes |= {name: read_adapter(folder).tensor_hash for name, (folder, _) in loading.adapters.items()}
        hashes |= {name: tensor_hash(weight_files(folder)) for name, folder in loading.checkpoints.items()}
        self._session = loading.session(renderer, self._warnings.append)
        return WorkerFacts(platform.node(), os.getpid(), _hardware(loading.device), package_versions(), hashes)

    def decide_trees(self, part: Part) -> None:
        """Decide by one part, the same for all workers, whether rows of this model are shared."""
        self._off()
        self._session.decide_trees([part])

    def compute(self, variant: str, part: Part) -> Answer:
        """Return the evidence of a part."""
        if variant != self._variant:
            self._off()
            self._model = self._on.enter_context(self._session.models.variant(variant))
            self._variant = variant
        before = len(self._warnings)
        table = evidence_table(self._session.observe(self._model, variant, part))
        whole = table["reason"].null_count == table.num_rows and len(self._warnings) == before
        return Answer(table, whole, self._said())

    def preflight(self, name: str, prompts: Sequence[tuple[int, ...]], base: Path) -> dict[str, Any]:
        """Return an adapter's entry of preflight.json."""
        self._off()
        return self._session.preflight(name, prompts, base)

    def probe(self, variants: Sequence[str], prompts: Sequence[tuple[int, ...]], tokens: int) -> dict[str, Any]:
        """Return the content of probe.json."""
        self._off()
        return self._session.probe(variants, prompts, tokens, _nobody)

    def _off(self) -> None:
        self._model = self._variant = None
        self._on.close()

    def _said(self) -> tuple[str, ...]:
        said = tuple(self._warnings)
        self._warnings.clear()
        return said


def _nobody(_done: int, _total: int) -> None:
    """Whoever asked for the probe waits for its end alone."""


def _hardware(device: str) -> str:
    if device.startswith("cuda"):
        from core.engine.device import gpu_name

        return gpu_name()
    return platform.processor() or platform.machine()

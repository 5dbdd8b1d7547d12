"""Evidence that was computed once, kept by what it depends on, so that no run of a workspace computes it again.

The key of a part holds everything that moves a number: weights of base and adapter (their tensors, not their files), the
adapter's scale, precision and kind of device, decoding settings, and every token that is asked. A retrained adapter in
the same folder is another key.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.plan import Part
from core.spec import Settings
from core.store import EVIDENCE_SCHEMA, write_table

ENGINE_VERSION = 4
"""Raised when the engine computes anything differently; older cache entries are then never found again."""
ORIGIN_KEY = b"lorascope"
"""Of the Parquet file's own key-value pairs: what an entry is of, as JSON; its name alone does not say."""


def evidence_folder(workspace: Path) -> Path:
    """Return where the evidence of a workspace's runs is kept; it need not exist yet."""
    return workspace / ".lorascope" / "evidence"


def decoding_of(settings: Settings) -> dict[str, Any]:
    """Return the settings that decide what a model answers."""
    return settings.model_dump(include={"max_new_tokens", "temperature", "top_p", "stop", "seed"}, mode="json")


def settings_text(told: Mapping[str, Any]) -> str:
    """Return ``identity``, ``tokenizer`` and ``decoding`` as text: two entries or runs with the same may share evidence."""
    return json.dumps([told["identity"], told["tokenizer"], told["decoding"]], sort_keys=True)


@dataclass(frozen=True)
class VariantIdentity:
    """What makes a variant the model that it is."""

    base: str
    """SHA-256 of the base's (or checkpoint's) tensors, and of its config."""
    adapter: str | None
    """SHA-256 of the adapter's tensors and of its config; None for the baseline."""
    scale: float
    dtype: str
    device: str
    """``cpu``, ``cuda``: the kinds of device differ in the last bits."""


class EvidenceCache:
    """A folder of Parquet files, one a part, shared by all runs of a workspace."""

    def __init__(
        self, folder: Path, settings: Settings, tokenizer: str, stop_ids: frozenset[int], *, base_name: str = "",
        warn: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        """Use (and make, on the first write) the folder.

        Args:
            folder: `evidence_folder` of the workspace.
            settings: of the run.
            tokenizer: the fingerprint of tokenizer and chat template.
            stop_ids: the tokens at which generation ends.
            base_name: what the base is called; told with each entry, and no part of its key.
            warn: told once if the folder cannot be written; without it that is raised.
        """
        self.folder, self._base_name, self._warn = folder, base_name, warn
        self._has_warned = False
        self._shared: dict[str, Any] = {
            "engine": ENGINE_VERSION,
            "tokenizer": tokenizer,
            "decoding": decoding_of(settings),
            "stop": sorted(stop_ids),
        }

    def _path(self, variant: VariantIdentity, part: Part) -> Path:
        content = json.dumps([self._shared, vars(variant), part.fingerprint], sort_keys=True)
        key = hashlib.sha256(content.encode()).hexdigest()
        return self.folder / key[:2] / f"{key}.parquet"

    def has(self, variant: VariantIdentity, part: Part) -> bool:
        """Tell whether the part was computed before."""
        return self._path(variant, part).is_file()

    def get(self, variant: VariantIdentity, part: Part, name: str) -> pa.Table | None:
        """Return the part's evidence under the variant's present name; None if it is not there or unreadable.

        That it was used is noted as the file's time, by which the least recently used are told.
        """
        path = self._path(variant, part)
        try:
            table = pq.ParquetFile(path).read().cast(EVIDENCE_SCHEMA)
        except (OSError, pa.ArrowException):
            return None
        with suppress(OSError):  # a cache that cannot be written is read all the same
            os.utime(path)
        if table["variant"].unique().to_pylist() == [name]:
            return table
        column = table.schema.get_field_index("variant")
        return table.set_column(column, "variant", pa.array([name] * table.num_rows, pa.string()))

    def put(self, variant: VariantIdentity, part: Part, table: pa.Table) -> None:
        """Keep the part's evidence, with what it is of; a folder that cannot be written costs other runs time, nothing else."""
        path, told = self._path(variant, part), table.replace_schema_metadata(self._origin(variant, part, table))
        try:
            write_table(path, told)
        except OSError as error:
            if self._warn is None:
                raise
            if not self._has_warned:
                self._has_warned = True
                self._warn(
                    f"{self.folder}: the evidence cache cannot be written ({error.strerror or error}). This run keeps what it "
                    "computes; other runs will not find it and compute it again."
                )

    def _origin(self, variant: VariantIdentity, part: Part, table: pa.Table) -> dict[bytes, bytes]:
        names = table["variant"].unique().to_pylist()
        told = {
            "variant": names[0] if names else "", "base_name": self._base_name, "identity": vars(variant), **self._shared,
            "tasks": sorted(set(table["task"].to_pylist())), "asked": part.asked, "made": time.time(),
        }  # fmt: skip
        return {ORIGIN_KEY: json.dumps(told).encode()}

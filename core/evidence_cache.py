"""Evidence that was computed once, kept by what it depends on, so that no run of a workspace computes it again.

The key of a part holds everything that moves a number: weights of base and adapter (their tensors, not their files), the
adapter's scale, precision and kind of device, decoding settings, and every token that is asked. A retrained adapter in
the same folder is another key.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.plan import Part
from core.spec import Settings
from core.store import EVIDENCE_SCHEMA, write_table

ENGINE_VERSION = 1
"""Raised when the engine computes anything differently; older cache entries are then never found again."""


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

    def __init__(self, folder: Path, settings: Settings, tokenizer: str, stop_ids: frozenset[int]) -> None:
        """Use (and make, on the first write) the folder.

        Args:
            folder: of the workspace.
            settings: of the run.
            tokenizer: the fingerprint of tokenizer and chat template.
            stop_ids: the tokens at which generation ends.
        """
        self.folder = folder
        decoding = settings.model_dump(include={"max_new_tokens", "temperature", "top_p", "stop", "seed"}, mode="json")
        self._shared: dict[str, Any] = {
            "engine": ENGINE_VERSION,
            "tokenizer": tokenizer,
            "decoding": decoding,
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
        """Return the part's evidence under the variant's present name; None if it is not there or unreadable."""
        try:
            table = pq.ParquetFile(self._path(variant, part)).read().cast(EVIDENCE_SCHEMA)
        except (OSError, pa.ArrowException):
            return None
        column = table.schema.get_field_index("variant")
        return table.set_column(column, "variant", pa.array([name] * table.num_rows, pa.string()))

    def put(self, variant: VariantIdentity, part: Part, table: pa.Table) -> None:
        """Keep the part's evidence."""
        write_table(self._path(variant, part), table)

"""Searches the texts of a task: held in memory once they were read, since reading them takes far longer than looking through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.example_texts import read_arrow, search
from core.store import Run

MOST_BYTES = 400_000_000
"""Of text that is held in memory; of more than that every search reads the files."""
_TEXTS = (
    "SELECT id, lower(id) AS text FROM examples WHERE task = $task "
    "UNION ALL SELECT id, lower(prompt) FROM examples WHERE task = $task "
    "UNION ALL SELECT id, lower(json_extract_string(reference, '$')) FROM examples WHERE task = $task "
    "UNION ALL SELECT example_id, lower(text) FROM evidence WHERE task = $task"
)


@dataclass(frozen=True)
class SearchTexts:
    """Every text of a task's examples, in lower case."""

    run: Run
    task: str
    names: pa.Array
    """The ids, each once."""
    of: np.ndarray
    """int (texts,): the place in ``names`` of the example that a text belongs to."""
    texts: pa.ChunkedArray | None
    """None where they are too large to be held."""

    def find(self, text: str) -> frozenset[str]:
        """Return the ids of examples that have ``text`` in id, prompt, reference or an output, upper and lower case alike."""
        if self.texts is None:
            return search(self.run, self.task, text)
        hits = pc.match_substring(self.texts, pattern=text.strip().lower())  # type: ignore[attr-defined]
        found = np.unique(self.of[hits.fill_null(False).to_numpy()])
        return frozenset(self.names.take(pa.array(found)).to_pylist())


def read_search_texts(run: Run, task: str) -> SearchTexts:
    """Read the texts of a task, if they can be held."""
    parameters = {"task": task}
    size = read_arrow(run, f"SELECT coalesce(sum(strlen(text)), 0) AS n FROM ({_TEXTS})", parameters)["n"][0].as_py()
    if size > MOST_BYTES:
        return SearchTexts(run, task, pa.array([], pa.string()), np.zeros(0, dtype=np.int64), None)
    table = read_arrow(run, _TEXTS, parameters)
    coded = table["id"].combine_chunks().dictionary_encode()
    return SearchTexts(run, task, coded.dictionary, coded.indices.to_numpy(), table["text"])

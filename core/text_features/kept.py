"""The languages of answers, kept in ``derived/``: a detector reads a few thousand texts a second, and every one once is enough."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.profile.languages import CHARACTERS_DETECTED, LEAST_LETTERS, LEAST_PROBABILITY, detect_language
from core.example_texts import read_frame
from core.kept_arrays import load_arrays, save_arrays
from core.store import Run
from core.text_features.rows import ANSWERS

_FORMAT = 1


@dataclass(frozen=True)
class AnswerLanguages:
    """The language of every answer of a task, in the order of `core.text_features.rows.AnswerRows`."""

    names: tuple[str, ...]
    """ISO 639-1, or undetermined."""
    codes: np.ndarray
    """int32 (answers,): the place of each answer's in ``names``."""

    def counts(self) -> dict[str, int]:
        """Return how many answers are in each language, most first; ties in the order of the answers."""
        counts = np.bincount(self.codes, minlength=len(self.names))
        order = np.argsort(-counts, kind="stable")
        return {self.names[place]: int(counts[place]) for place in order if counts[place]}

    def among(self, name: str) -> np.ndarray:
        """Return which answers are in a language, bool (answers,)."""
        return self.codes == (self.names.index(name) if name in self.names else -1)


def answer_languages(run: Run, task: str, evidence_hash: str | None = None) -> AnswerLanguages:
    """Return the language of every answer of a task, from ``derived/`` if it is there, else detected and kept.

    Args:
        run: finished or not.
        task: of the run.
        evidence_hash: see `core.derived.StatisticsReader`; None while the run is not finished, of which nothing is kept.
    """
    path = None if evidence_hash is None else _path(run, task, evidence_hash)
    kept = None if path is None else load_arrays(path)
    if kept is not None and isinstance(kept.words, list) and kept.arrays.keys() == {"codes"}:
        return AnswerLanguages(tuple(kept.words), kept.arrays["codes"].astype(np.int32))
    made = _detected(run, task)
    if path is not None:
        save_arrays(path, list(made.names), {"codes": made.codes.astype(np.uint16)})
    return made


def _detected(run: Run, task: str) -> AnswerLanguages:
    sql = f"SELECT left(text, {CHARACTERS_DETECTED}) AS text {ANSWERS}"
    codes, texts = pd.factorize(read_frame(run, sql, {"task": task})["text"])
    numbers: dict[str, int] = {}
    of_text = [numbers.setdefault(detect_language(str(text)), len(numbers)) for text in texts]
    return AnswerLanguages(
        tuple(numbers), np.array(of_text, dtype=np.int32)[codes] if len(codes) else codes.astype(np.int32)
    )


def _path(run: Run, task: str, evidence_hash: str) -> Path:
    detector = [version("py3langid"), CHARACTERS_DETECTED, LEAST_LETTERS, LEAST_PROBABILITY]
    identity = [_FORMAT, evidence_hash, task, detector]
    key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()
    return run.folder / "derived" / f"languages-{task}-{key[:24]}.npz"

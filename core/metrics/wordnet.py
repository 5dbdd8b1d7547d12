"""Finds Princeton's WordNet on this disk, for METEOR's synonyms; nothing is ever fetched (docs/meteor.md says how to)."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from core.paths import cache_folder

NLTK_DATA = "nltk_data"
"""The folder within lorascope's cache that is searched first; it is laid out as nltk's own: ``corpora/wordnet``."""


class Synonyms(Protocol):
    """What METEOR asks of WordNet, and what stands in for it."""

    @property
    def name(self) -> str:
        """``wordnet-3.0`` or ``none``, for signatures."""
        ...

    def synsets(self, word: str) -> Sequence[Any]:
        """Return the synsets of a word, each with ``lemmas()`` that have a ``name()``."""
        ...


class NoSynonyms:
    """Stands in for WordNet where it is not installed: words match as they are and by their stems."""

    name = "none"

    def synsets(self, word: str) -> Sequence[Any]:
        """Return no synset."""
        return ()


@dataclass
class WordNet:
    """A WordNet of this disk. Its files are read by one thread at a time: nltk's reader seeks in shared streams."""

    name: str
    reader: Any
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: dict[str, Sequence[Any]] = field(default_factory=dict)

    def synsets(self, word: str) -> Sequence[Any]:
        """Return the synsets of a word of any part of speech."""
        with self._lock:
            if word not in self._known:
                self._known[word] = self.reader.synsets(word)
            return self._known[word]


def find_wordnet() -> WordNet | None:
    """Return WordNet as it lies in lorascope's cache folder or in one of nltk's data folders, or None."""
    import nltk.data

    own = str(cache_folder() / NLTK_DATA)
    if own not in nltk.data.path:  # nltk reads nothing outside the folders of this list
        nltk.data.path.insert(0, own)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of folders that nltk refuses; the signature says that there are no synonyms
        try:
            place: Any = nltk.data.find("corpora/wordnet")
        except LookupError:
            try:
                place = nltk.data.find("corpora/wordnet.zip/wordnet/")
            except LookupError:
                return None
    return _load(f"{place.zipfile.filename}/wordnet/" if hasattr(place, "zipfile") else str(place))


def data_folders() -> list[Path]:
    """Return lorascope's own folder and then those that nltk searches (``nltk.data.path``), without importing nltk."""
    named = [folder for folder in os.environ.get("NLTK_DATA", "").split(os.pathsep) if folder]
    prefixes = [Path(sys.prefix) / name for name in ("", "share", "lib")]
    shared = [Path("/usr") / name for name in ("share", "local/share", "lib", "local/lib")]
    parents = [Path(os.path.expanduser("~")), *prefixes, *shared]
    return [cache_folder() / NLTK_DATA, *map(Path, named), *(parent / NLTK_DATA for parent in parents)]


def wordnet_mark() -> str:
    """Return what tells one WordNet of this disk from another, its size, or ``none``; nltk, seconds to import, is not needed."""
    names = ("wordnet/data.noun", "wordnet.zip")
    for place in (folder / "corpora" / name for folder in data_folders() for name in names):
        try:
            return str(place.stat().st_size)
        except OSError:
            continue
    return "none"


@cache
def _load(place: str) -> WordNet | None:
    """Return the WordNet of a folder or archive; None where a file of it is missing or broken, which is said."""
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "multilingual functions are not available": none is used
            reader = WordNetCorpusReader(place, omw_reader=None)
            return WordNet(f"wordnet-{reader.get_version()}", reader)
    except (OSError, LookupError, ValueError, AssertionError) as error:
        warnings.warn(f"{place}: WordNet cannot be read ({error}); METEOR goes without synonyms.", stacklevel=3)
        return None

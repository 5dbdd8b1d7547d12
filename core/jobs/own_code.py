"""Loads the code of a user's own metric, in a worker alone, and says where a fault in it lies.

What is executed is the very text whose hash was trusted: compiled files are neither read nor written.
"""

from __future__ import annotations

import hashlib
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from core.own.files import OwnFile

_PACKAGE = "lorascope_own"
_LONGEST = 300


class Fault(Exception):
    """Something is wrong with a user's metric; the message is the sentence for the reader."""


@contextmanager
def faults_of(own: OwnFile) -> Iterator[None]:
    """Turn whatever a metric raises, an exit included, into a `Fault` that names its file and line."""
    try:
        yield
    except Fault:
        raise
    except BaseException as error:
        traceback.print_exc()  # for the log; the reader gets a sentence
        raise Fault(fault_sentence(error, own)) from error


def fault_sentence(error: BaseException, own: OwnFile) -> str:
    """Return ``metrics/politeness.py, line 7: ZeroDivisionError: division by zero``: the last line of the user's own."""
    place = own.shown
    files = {str(path): path for path in own.files}
    if isinstance(error, SyntaxError) and error.filename in files:
        place = f"{_shown(own, files[error.filename])}, line {error.lineno}"
    else:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
        if frames:
            place = f"{_shown(own, files[frames[-1].filename])}, line {frames[-1].lineno}"
    told = "".join(letter if letter.isprintable() else " " for letter in str(error).strip().partition("\n")[0])
    if len(told) > _LONGEST:
        told = told[: _LONGEST - 1] + "…"
    return f"{place}: {type(error).__name__}" + (f": {told}" if told else "")


def load_code(own: OwnFile, workspace: Path, trusted: Mapping[str, str]) -> ModuleType:
    """Execute a metric's file and return its module; files beside it in a folder of its own can be imported relatively.

    Args:
        own: the metric.
        workspace: the folder that paths of ``trusted`` are relative to.
        trusted: the sha256 of each file that may run.

    Raises:
        Fault: a file is not as it was trusted, or fails when it is executed.
    """
    hashes = {str(workspace / name): digest for name, digest in trusted.items()}

    class Loader(_TrustedLoader):
        """Of the files of this metric."""

        trusted = hashes

    package = ModuleType(_PACKAGE)
    package.__path__ = [str(own.path.parent)] if len(own.files) > 1 else []
    sys.modules[_PACKAGE] = package
    sys.meta_path.insert(0, _Finder(Loader))
    name = f"{_PACKAGE}.main"
    spec = spec_from_file_location(name, own.path, loader=Loader(name, str(own.path)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    with faults_of(own):
        spec.loader.exec_module(module)
    return module


class _TrustedLoader(SourceFileLoader):
    """Compiles a source file, after a look at its hash; never a compiled one that lies about."""

    trusted: Mapping[str, str] = {}

    def get_code(self, fullname: str) -> CodeType:
        """Return the code of a module.

        Raises:
            Fault: its file is not as it was trusted.
        """
        path = self.get_filename(fullname)
        source = Path(path).read_bytes()
        if self.trusted.get(path) != hashlib.sha256(source).hexdigest():
            raise Fault(f"{Path(path).name} has changed since it was trusted; look at it, then run: lorascope trust")
        return self.source_to_code(source, path)


class _Finder:
    """Finds what a metric in a folder of its own imports from there."""

    def __init__(self, loader: type[SourceFileLoader]) -> None:
        self._loader = loader

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module of the package, from its source."""
        if not fullname.startswith(f"{_PACKAGE}."):
            return None
        found = (FileFinder(folder, (self._loader, [".py"])).find_spec(fullname) for folder in path or ())
        return next((spec for spec in found if spec is not None), None)


def _shown(own: OwnFile, path: Path) -> str:
    return (Path(own.shown).parent / path.relative_to(own.path.parent)).as_posix()

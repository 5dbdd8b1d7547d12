"""Make a workspace out of what a training run left behind: a base, a folder of adapters and a data file.

`propose` looks and writes nothing; `Proposal.write` writes workspace.yaml and, where rows have to be flattened, a data file
beside it. Command line (`lorascope init`) and page use the same two steps.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from core.adapters.facts import CONFIG
from core.data.guess import GuessedData, guess_tasks
from core.data.rows import read_placed_rows
from core.errors import InputError
from core.records import BASELINE
from core.spec import AdapterRef, DatasetSpec, ModelRef, ModelSet, WorkspaceSpec
from core.store import write_atomically
from core.workspace import CACHE_PREFIX, FILE_NAME, write_workspace

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")
_COMMENTS = {
    "models": (
        "What is compared: the base with each adapter, against the base alone (the baseline).\n"
        "Paths are relative to this file; a Hub id works as well."
    ),
    "datasets": "Data to evaluate on: rows that no adapter was trained on. `train` names the training file, `tags` fields to slice by.",
    "tasks": "What is asked of every model. {field} in a prompt is a field of the row; `reference` is the field with the right answer.",
    "settings": "How answers are made; see the documentation for the rest.",
}


@dataclass(frozen=True)
class Proposal:
    """A workspace that could be written."""

    folder: Path
    spec: WorkspaceSpec
    derived: tuple[Path, bytes] | None
    """A data file with flat fields that the tasks need, and its content."""
    notes: tuple[str, ...]
    """What a person should know or check, each a sentence."""

    def write(self) -> Path:
        """Write the files and return the path of workspace.yaml; nothing that is there is overwritten.

        Raises:
            InputError: workspace.yaml or a different data file of the same name is there already.
        """
        target = self.folder / FILE_NAME
        if target.exists():
            raise InputError(
                f"{target} is there already and was not touched. Edit it, or choose another folder with --workspace."
            )
        if self.derived:
            path, content = self.derived
            if path.exists() and path.read_bytes() != content:
                raise InputError(
                    f"{path} is there already with other content and was not touched. Move it away, or rename the data file."
                )
            try:
                write_atomically(path, content)
            except OSError as error:
                raise InputError(f"{path}: cannot be written ({error.strerror}).") from None
        return write_workspace(self.folder, self.spec, _COMMENTS)


def propose(base: str, adapters: Path, data: Path, folder: Path) -> Proposal:
    """Return the workspace in ``folder`` that fits a base (folder, Hub id or ``cache:NAME``), adapters and a data file.

    Raises:
        InputError: the base's folder, an adapter or the data file is missing, or the rows have no known form.
    """
    folder = folder.expanduser().resolve()
    found = find_adapters(adapters)
    guessed = guess_tasks(data, read_placed_rows(data))
    name = _plain_name(data.name.split(".")[0], "data")
    notes = list(guessed.notes)
    derived = None
    data_path = _relative(data, folder)
    if guessed.flat_rows is not None:
        path = folder / "data" / f"{name}.eval.jsonl"
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in guessed.flat_rows]
        derived, data_path = (path, "".join(lines).encode()), _relative(path, folder)
        notes.append(
            f"The tasks need flat fields, so {len(lines)} rows were written to {data_path} ({', '.join(guessed.fields)})."
        )
    spec = WorkspaceSpec(
        models=ModelSet(
            base=ModelRef(path=_base_path(base, folder)),
            adapters={key: AdapterRef(path=_relative(path, folder)) for key, path in found.items()},
        ),
        datasets={name: _dataset(data_path, guessed)},
        tasks={task: spec.model_copy(update={"dataset": name}) for task, spec in guessed.tasks.items()},
    )
    notes.append(
        f"If the adapters were trained on {data.name}, give rows that they have not seen: otherwise memory is measured."
    )
    return Proposal(folder, spec, derived, tuple(notes))


def _dataset(path: str, guessed: GuessedData) -> DatasetSpec:
    return DatasetSpec(path=path, language=guessed.language, tags=guessed.tags)


def find_adapters(folder: Path) -> dict[str, Path]:
    """Return the adapters under ``folder`` by a name made of their path; checkpoints only where no adapter is above them.

    Raises:
        InputError: there is no such folder, or no adapter in it.
    """
    folder = folder.expanduser()
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; expected one with adapters (folders with {CONFIG}).")
    homes = []
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if CONFIG in files:
            homes.append(Path(root))
    whole = {home for home in homes if not _CHECKPOINT.fullmatch(home.name)}
    kept = [home for home in homes if home in whole or home.parent not in whole]
    if not kept:
        raise InputError(
            f"{folder}: found no adapter in it or below: expected folders with {CONFIG}, as PEFT's save_pretrained writes."
        )
    kept.sort(key=lambda home: [_numbers_apart(part) for part in home.parts])
    named: dict[str, Path] = {}
    for home in kept:
        parts = home.relative_to(folder).parts or (folder.resolve().name,)
        name = stem = _plain_name("-".join(parts), "adapter")
        number = 2
        while name in named or name == BASELINE:
            name, number = f"{stem}-{number}", number + 1
        named[name] = home
    return named


def _numbers_apart(text: str) -> list[tuple[int, str]]:
    """Sort ``checkpoint-90`` before ``checkpoint-100``."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]


def _plain_name(text: str, fallback: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", text).strip("-._+")[:70] or fallback


def _base_path(base: str, folder: Path) -> str:
    if base.startswith(CACHE_PREFIX):
        return base
    path = Path(base).expanduser()
    if path.is_dir():
        return _relative(path, folder)
    if _HUB_ID.fullmatch(base):
        return base
    raise InputError(
        f"{base}: there is no such folder; expected the base model's folder (config.json, *.safetensors) or a Hub id."
    )


def _relative(path: Path, folder: Path) -> str:
    """Return a path for the workspace file: relative where it lies inside the folder, otherwise absolute."""
    path = path.expanduser().resolve()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)

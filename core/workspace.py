"""The folder a user works in: what its workspace.yaml says, where its models lie, and which runs it holds.

Reading a workspace opens no dataset and no weights, and imports no torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml

from core.errors import InputError, nearest
from core.paths import cached_model
from core.spec import AdapterRef, ModelRef, WorkspaceSpec
from core.store import Run
from core.workspace_errors import parse_workspace

FILE_NAME = "workspace.yaml"
RUNS_FOLDER = "runs"
CACHE_PREFIX = "cache:"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_CACHE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True)
class BrokenRun:
    """A folder under runs/ that cannot be read as a run."""

    folder: Path
    reason: str


@dataclass(frozen=True)
class Workspace:
    """A workspace that was read. Runs are looked up afresh with every call: they come and go."""

    folder: Path
    spec: WorkspaceSpec
    path: Path
    """Of the file that ``spec`` was read from."""
    only_run: Path | None = None
    """Set when the folder is a single run that was copied here: it can be viewed, and nothing else lies beside it."""

    def resolve(self, path: str) -> Path:
        """Return where a path of the workspace file lies: relative to the folder, ``~``, absolute, or ``cache:NAME``.

        Raises:
            InputError: the name after ``cache:`` is not a plain name.
        """
        if path.startswith(CACHE_PREFIX):
            name = path.removeprefix(CACHE_PREFIX)
            if not _CACHE_NAME.fullmatch(name):
                raise InputError(
                    f"{self.path}: found {path!r}; after 'cache:' stands one plain name, such as cache:smollm2-135m."
                )
            return cached_model(name)
        return self.folder / Path(path).expanduser()

    def model_location(self, ref: ModelRef | AdapterRef | str) -> Path | str:
        """Return the folder of a model, or its Hub id as it stands when there is no such folder.

        ``org/name`` counts as a Hub id only where neither it nor the folder ``org`` exists: a misspelt local path should
        be answered as such and not asked of the network.
        """
        path = ref if isinstance(ref, str) else ref.path
        found = self.resolve(path)
        if found.exists() or not _HUB_ID.fullmatch(path) or (self.folder / path.split("/")[0]).exists():
            return found
        return path

    def adapter_folder(self, name: str) -> Path:
        """Return the folder of an adapter that the workspace names.

        Raises:
            InputError: there is no adapter of this name, or no folder where it should be.
        """
        adapters = self.spec.models.adapters
        if name not in adapters:
            listed = ", ".join(adapters) or "none"
            raise InputError(
                f"{self.path}: there is no adapter {name!r}{nearest(name, adapters)}; there are: {listed}."
            )
        folder = self.model_location(adapters[name])
        if isinstance(folder, str) or not folder.is_dir():
            raise InputError(
                f"{self.path}: models.adapters.{name}.path: found no folder {self.resolve(adapters[name].path)}; expected the folder "
                "that holds adapter_config.json. Correct the path, or copy the adapter there."
            )
        return folder

    @property
    def runs_folder(self) -> Path:
        """Where runs are kept; it need not exist yet."""
        return self.only_run.parent if self.only_run else self.folder / RUNS_FOLDER

    def _run_folders(self) -> list[Path]:
        if self.only_run:
            return [self.only_run]
        if not self.runs_folder.is_dir():
            return []
        folders = (path for path in self.runs_folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        return sorted(path for path in folders if any(path.iterdir()))

    def _read_runs(self) -> tuple[list[Run], list[BrokenRun]]:
        runs, broken = [], []
        for folder in self._run_folders():
            try:
                run = Run(folder)
                _ = run.spec
            except (InputError, OSError) as error:
                broken.append(BrokenRun(folder, str(error)))
            else:
                runs.append(run)
        runs.sort(key=lambda run: (run.spec.created, run.id), reverse=True)
        return runs, broken

    def runs(self) -> list[Run]:
        """Return the runs, newest first; folders that cannot be read are left to `broken_runs`."""
        return self._read_runs()[0]

    def broken_runs(self) -> list[BrokenRun]:
        """Return the folders under runs/ that cannot be read, each with the reason; empty folders do not count."""
        return self._read_runs()[1]

    def run(self, name: str) -> Run:
        """Return the run with this id, or the only one whose id starts so.

        Raises:
            InputError: no run, or several, or a broken one.
        """
        folders = {folder.name: folder for folder in self._run_folders()}
        if name in folders:
            return Run(folders[name])
        matches = [folder for other, folder in folders.items() if name and other.startswith(name)]
        if len(matches) == 1:
            return Run(matches[0])
        if matches:
            listed = ", ".join(folder.name for folder in matches)
            raise InputError(f"{self.runs_folder}: several runs start with {name!r}: {listed}. Give more letters.")
        listed = ", ".join(folders) or "none yet; make one with: lorascope evaluate"
        raise InputError(f"{self.runs_folder}: there is no run {name!r}{nearest(name, folders)}. Runs here: {listed}.")

    def new_run_folder(self, prefix: str = "") -> Path:
        """Make and return an empty folder for a run, named by UTC time; ``prefix`` goes before (``demo-``).

        Raises:
            InputError: the runs folder cannot be written.
        """
        stem = f"{prefix}{datetime.now(UTC):%Y%m%d-%H%M%S}"
        try:
            self.runs_folder.mkdir(parents=True, exist_ok=True)
            for number in range(1, 1000):
                folder = self.runs_folder / (stem if number == 1 else f"{stem}-{number}")
                try:
                    folder.mkdir()
                except FileExistsError:  # another run of the same second: mkdir is what decides who has the name
                    continue
                return folder
        except OSError as error:
            raise InputError(
                f"{self.runs_folder}: no folder can be made for the run ({error.strerror}). Free some space or make it writable."
            ) from None
        raise InputError(f"{self.runs_folder}: a thousand runs were made in this second; wait a moment.")


def load_workspace(folder: Path) -> Workspace:
    """Read a workspace: a folder with workspace.yaml (or that file itself), or a run's folder that was copied alone.

    Raises:
        InputError: there is no workspace, or its file has mistakes: file, line, key, what was found and what was expected.
    """
    folder = Path(folder).expanduser()
    path = folder if folder.is_file() else folder / FILE_NAME
    folder = path.parent.resolve()
    if path.is_file():
        return Workspace(folder, parse_workspace(path), folder / path.name)
    if (folder / "spec.json").is_file():
        run = Run(folder).spec
        spec = WorkspaceSpec(
            models=run.models, datasets=run.datasets, tasks=run.clean_tasks, settings=run.settings,
            composites=run.composites, forgetting=run.forgetting,
        )  # fmt: skip
        return Workspace(folder, spec, folder / "spec.json", only_run=folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; expected a workspace, a folder with {FILE_NAME}.")
    raise InputError(
        f"{folder}: found no {FILE_NAME}. Go to a workspace or name one with --workspace DIR; a new one is made by: "
        "lorascope init --base PATH --adapters DIR --data FILE"
    )


class _Dumper(yaml.SafeDumper):
    """Prompts of several lines are written as they read."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def workspace_yaml(spec: WorkspaceSpec, comments: Mapping[str, str] | None = None) -> str:
    """Return a workspace file's text: what differs from the defaults, with a comment above each top-level key."""
    content = {"models": {}, "datasets": {}, "tasks": {}} | spec.model_dump(mode="json", exclude_defaults=True)
    pieces = []
    for key, value in content.items():
        comment = "".join(f"# {line}\n" for line in (comments or {}).get(key, "").splitlines())
        pieces.append(comment + yaml.dump({key: value}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))
    return "\n".join(pieces)


def write_workspace(folder: Path, spec: WorkspaceSpec, comments: Mapping[str, str] | None = None) -> Path:
    """Write workspace.yaml into ``folder`` and return its path; a file that is there stays as it is.

    Raises:
        InputError: the folder has a workspace.yaml already, or cannot be written.
    """
    path = folder / FILE_NAME
    text = workspace_yaml(spec, comments)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(
            f"{path} is there already and was not touched. Edit it, or choose another folder with --workspace."
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}).") from None
    return path

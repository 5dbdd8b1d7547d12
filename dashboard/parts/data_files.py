"""Which data files can be looked at: those that the workspace names, and those that were dropped on the page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from core.data.uploads import Upload, find_upload, keep_upload
from core.errors import InputError
from core.workspace import Workspace
from dashboard import state
from dashboard.parts.url_choices import UrlChoices

FILE, AGAINST, AS = "file", "against", "as"
_DROPPED = "dropped:"


@dataclass(frozen=True)
class DataFile:
    """One file that can be chosen."""

    key: str
    """In the URL: ``train:tickets``, ``eval:tickets``, ``dropped:ID``."""
    label: str
    path: Path
    use: Literal["train", "eval", "dropped"]
    dataset: str | None = None
    """Of the workspace file."""

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.name

    def plain(self, error: Exception) -> str:
        """Return an error's message without the place in the cache where a dropped file is kept."""
        return str(error).replace(str(self.path), self.name) if self.use == "dropped" else str(error)


def known_files(workspace: Workspace | None, asked: Sequence[str | None]) -> list[DataFile]:
    """Return the files that can be chosen: training files first, then evaluation files, then what was dropped.

    Args:
        workspace: None where there is none: dropped files alone.
        asked: keys from the URL; a dropped file that another session left there is found by its key.
    """
    trains, evals = [], []
    for name, dataset in workspace.spec.datasets.items() if workspace is not None else ():
        assert workspace is not None
        if dataset.train is not None:
            trains.append(
                DataFile(
                    f"train:{name}",
                    f"{name}, training: {dataset.train}",
                    workspace.resolve(dataset.train),
                    "train",
                    name,
                )
            )
        evals.append(
            DataFile(
                f"eval:{name}", f"{name}, evaluation: {dataset.path}", workspace.resolve(dataset.path), "eval", name
            )
        )
    ids = [*state.dropped(), *(key.removeprefix(_DROPPED) for key in asked if key and key.startswith(_DROPPED))]
    found = [upload for name in dict.fromkeys(ids) if (upload := find_upload(name)) is not None]
    return [*trains, *evals, *map(_dropped_file, found)]


def _dropped_file(upload: Upload) -> DataFile:
    return DataFile(f"{_DROPPED}{upload.id}", f"dropped: {upload.name}", upload.path, "dropped")


def partner(file: DataFile, files: Sequence[DataFile], choices: UrlChoices) -> DataFile | None:
    """Return the file that this one stands beside: the one that was chosen, else the other half of its data set."""
    others = {other.key: other for other in files if other.key != file.key}
    if (chosen := choices.one(AGAINST, list(others))) is not None:
        return others[chosen]
    return next(
        (other for other in others.values() if other.dataset is not None and other.dataset == file.dataset), None
    )


def is_evaluation(file: DataFile, partner: DataFile | None, choices: UrlChoices) -> bool:
    """Tell whether a file is looked at as an evaluation file: by the workspace, beside a training file, or by choice."""
    if partner is not None and (chosen := choices.one(AS, ["train", "eval"])) is not None:
        return chosen == "eval"
    return file.use == "eval" or (file.use == "dropped" and partner is not None and partner.use == "train")


def drop_area(choices: UrlChoices) -> None:
    """Draw the place where files are dropped; a dropped file is the one that is looked at next."""
    turn = state.drops()
    key = f"data-drop-{turn}"

    def dropped() -> None:
        _take([*(st.session_state.get(key) or [])], choices)

    st.file_uploader("Or drop one here", accept_multiple_files=True, key=key, on_change=dropped)


def size_limit() -> str:
    """Return what is said about the size of dropped files."""
    limit = int(st.get_option("server.maxUploadSize") or 0)
    return (
        f"Up to {limit:,} MB can be dropped; a larger file is named in workspace.yaml or given to `lorascope inspect FILE`. "
        "Dropped files stay on this machine."
    )


def take_up_drop(choices: UrlChoices) -> None:
    """Look at what was dropped last, also where another click came between."""
    if (drop := state.last_drop()) is not None:
        for name, value in drop.choices.items():
            choices.put(name, value)


def say_what_was_dropped() -> None:
    """Draw what is to be said about the last drop, once."""
    if (drop := state.last_drop()) is not None and drop.note:
        st.html(f'<div class="ls-note" role="status"><b>Dropped</b><span>{html.escape(drop.note)}</span></div>')


def _take(files: list, choices: UrlChoices) -> None:  # Streamlit names the type of these in a private module
    kept: list[Upload] = []
    refused = ""
    for file in files:
        try:
            kept.append(keep_upload(file.name, file))
        except InputError as error:
            refused = str(error)
    asked: dict[str, str | None] = {}
    if kept:
        forget_places(choices)
        other = next((one for one in kept[1:] if one.id != kept[0].id), None)
        asked = {FILE: f"{_DROPPED}{kept[0].id}", AGAINST: f"{_DROPPED}{other.id}" if other else None}
    state.remember_dropped([one.id for one in kept], state.Drop(asked, _note(kept, refused)))
    take_up_drop(choices)


def _note(kept: Sequence[Upload], refused: str) -> str:
    names = [one.name for one in kept]
    if len(names) < 2:
        return refused
    more = f" The others ({len(names) - 2}) can be chosen above." if len(names) > 2 else ""
    return (
        f"{len(names)} files were dropped at once, and one is looked at at a time: {names[0]} is shown; {names[1]} stands beside "
        f"it under Compare and under Duplicates and leakage.{more} {refused}".strip()
    )


def forget_places(choices: UrlChoices) -> None:
    """Take out of the URL what belongs to one file: its open line and its filters; to be called when another is chosen."""
    state.forget_drop()
    for name in ("line", "lines", "find", "code", "over", AGAINST):
        choices.put(name, None)

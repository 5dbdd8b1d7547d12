"""Whose chat template a run is asked with, and how an adapter's differs from its base's. No model is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.data.chat_template import read_template, tokenizer_config
from core.data.no_tokenizer import NoTokenizer
from core.data.prompt import PromptRenderer
from core.errors import InputError, nearest
from core.records import BASELINE
from core.spec import ModelSet, TaskSpec
from core.workspace import Workspace


def renderer_of(workspace: Workspace, models: ModelSet, base: Path) -> PromptRenderer:
    """Return the tokenizer of a base with the chat template that all variants are asked with.

    A served base needs none on this disk: what stands for it has no tokens.

    Raises:
        InputError: there is no tokenizer, or ``models.template`` names nothing that has a template.
    """
    if BASELINE in models.served and not (base / "tokenizer.json").is_file():
        return NoTokenizer(base)
    return PromptRenderer(base, chosen_template(workspace, models))


def chosen_template(workspace: Workspace, models: ModelSet) -> str | None:
    """Return the source of the template that ``models.template`` names; None where it names none.

    Raises:
        InputError: there is no such adapter, folder or file, or it has no template.
    """
    name = models.template
    if name is None:
        return None
    adapters = workspace.spec.models.adapters
    place = workspace.adapter_folder(name) if name in adapters else workspace.resolve(name)
    where = f"{workspace.path}: models.template"
    if place.is_file():
        try:
            return place.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{where}: {place} is not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    if not place.is_dir():
        known = f"; adapters are: {', '.join(adapters)}" if adapters else ""
        raise InputError(
            f"{where}: found {name!r}{nearest(name, adapters)}, expected an adapter's name, or a folder or file with a chat "
            f"template{known}."
        )
    source = folder_template(place)
    if source is None:
        raise InputError(
            f"{where}: {place} has no chat template (chat_template.jinja, or the key chat_template of tokenizer_config.json)."
        )
    return source


def folder_template(folder: Path) -> str | None:
    """Return the source of the chat template in a folder of a model or adapter; None where there is none.

    Raises:
        InputError: a file of it cannot be read.
    """
    return read_template(folder, tokenizer_config(folder))


def check_template(workspace: Workspace, models: ModelSet, tasks: Mapping[str, TaskSpec]) -> None:
    """Check that there is a chat template where a task needs one, as far as files on this disk tell.

    Raises:
        InputError: there is none; the message says what to do.
    """
    asked = [name for name, task in tasks.items() if not task.is_plain and not task.imported]
    base = workspace.model_location(models.base)
    if not asked or chosen_template(workspace, models) is not None:
        return
    if not isinstance(base, Path) or not (base / "tokenizer.json").is_file() or folder_template(base) is not None:
        return
    have = [name for name in models.adapters if _adapter_template(workspace, name) is not None]
    offer = f", or take an adapter's for all variants: template: {have[0]} under models" if have else ""
    raise InputError(
        f"{workspace.path}: task {asked[0]} needs a chat template, and the tokenizer in {base} has none. Give its prompt to the model "
        f"as it is with template: none in the task{offer}."
    )


def _adapter_template(workspace: Workspace, name: str) -> str | None:
    try:
        return folder_template(workspace.adapter_folder(name))
    except InputError:
        return None

"""Fetch a model from the Hugging Face Hub: weights as safetensors and data files alone, never code or pickles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download

from core.errors import InputError

_WANTED = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]


def fetch(repository: str, report: Callable[..., Any], *, key: str, revision: str | None = None) -> Path:
    """Return the local folder of a Hub repository, downloading what is not in the Hub's own cache.

    ``key`` is where the workspace names it (``models.base``); ``report`` takes state and message.

    Raises:
        InputError: it cannot be had: no such repository, no right to read it, or no network.
    """
    report(state="loading", message=f"Fetching {repository} from the Hugging Face Hub")
    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=_WANTED))
    except Exception as error:  # huggingface_hub has a dozen kinds, all of them the user's network, name or token
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"{key}.path: {repository!r} is no folder here, and the Hugging Face Hub did not give it: {reason}. "
            "Correct the name, log in with `hf auth login`, or give a local folder."
        ) from None

"""The token that a Ray cluster may ask of whoever joins it (Ray 2.60 and later).

Ray looks for a token by itself where it starts a cluster or finds the one of this machine, and not where an address is given.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from core.cluster import LOCAL, ClusterChoice

MODE, TOKEN, TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
"""Ray's own variables of the environment."""
ASK_SECONDS = 120.0


def token_settings(choice: ClusterChoice) -> Mapping[str, str]:
    """Return what has to be in the environment before Ray is imported; nothing where the user has said it or Ray finds it.

    A cluster of our own has a token of its own, which is gone with the run: Ray would write one into the user's home.
    """
    if os.environ.get(MODE):
        return {}
    if choice.address == LOCAL:
        return {MODE: "token"} if _is_given() else {MODE: "token", TOKEN: uuid4().hex}
    if choice.host_and_port is None or not (_is_given() or (Path.home() / ".ray" / "auth_token").is_file()):
        return {}
    return {MODE: "token"} if _asks_for_token(choice.address) else {}


def _is_given() -> bool:
    return bool(os.environ.get(TOKEN) or os.environ.get(TOKEN_PATH))


def _asks_for_token(address: str) -> bool:
    """Tell whether a cluster refuses who shows no token; in a process of its own, since Ray reads its settings once."""
    ask = [sys.executable, "-P", "-m", "ray.scripts.scripts", "status", "--address", address]
    try:
        told = subprocess.run(
            ask, env=os.environ | {MODE: "disabled"}, capture_output=True, text=True, timeout=ASK_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False  # joining it will say what is amiss
    return told.returncode != 0 and "AuthenticationError" in told.stderr

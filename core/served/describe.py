"""What a server says of itself: the nearest thing to a hash of weights that nobody here can read.

It is a promise and no proof: a server can change the model behind a name without saying so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from core.model_set import ServedRef
from core.served.client import Client, Refused

_MODEL_KEYS = ("id", "owned_by", "root", "parent", "max_model_len", "meta", "context_length")
"""Of an entry of /models; ``created`` and ``permission`` are drawn anew with every answer by some servers."""
_BESIDE: Mapping[str, tuple[str, ...]] = {
    "/props": ("model_alias", "model_path", "build_info", "chat_template"),  # llama.cpp
    "/version": ("version",),  # vLLM
    "/info": ("model_id", "model_sha", "model_dtype", "version", "sha"),  # TGI
}
_LONGEST = 20_000


async def describe_served(client: Client, ref: ServedRef) -> dict[str, Any]:
    """Return what is kept of a served variant in environment.json: where it is, what it says of itself, and a hash of both.

    Raises:
        Refused: no server answers, or it does not hold an adapter that is asked for by its number.
        RunError: it refuses the key or sends elsewhere.
    """
    says: dict[str, Any] = {}
    listed = await client.get("/models")
    entries = listed.get("data") if isinstance(listed, dict) else None
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("id") == ref.model:
            says["/models"] = _kept(entry, _MODEL_KEYS)
    for path, keys in _BESIDE.items():
        found = await client.get(path, beside=True)
        if isinstance(found, dict) and (kept := _kept(found, keys)):
            says[path] = kept
    if ref.lora:
        held = await client.get("/lora-adapters", beside=True)
        listed = [one for one in (held if isinstance(held, list) else []) if isinstance(one, dict)]
        says["/lora-adapters"] = [_kept(one, ("id", "path")) for one in listed]
        if lacking := {one.id for one in ref.lora} - {one.get("id") for one in listed}:
            # A server that knows no adapters by request ignores the wish, and would answer as the base.
            raise Refused(f"it lists no adapter with the id {min(lacking)} at /lora-adapters, and `lora` asks for it")
    told = {"url": client.server.url, "api": client.server.api, **ref.model_dump(mode="json", exclude={"model_alias"})}
    content = json.dumps([told, says], sort_keys=True)
    return {**told, "says": says, "fingerprint": hashlib.sha256(content.encode()).hexdigest()}


def _kept(found: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Return some keys; what is too long to be read by people stands there as its hash."""
    kept = {key: found[key] for key in keys if found.get(key) is not None}
    for key, value in kept.items():
        text = json.dumps(value, sort_keys=True)
        if len(text) > _LONGEST or key == "chat_template":
            kept[key] = f"sha256 {hashlib.sha256(text.encode()).hexdigest()}"
    return kept

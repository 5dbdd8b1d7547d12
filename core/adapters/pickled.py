"""Read the settings in ``training_args.bin`` without unpickling it (`core.adapters.instructions`): nothing is built or called."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.adapters.instructions import Made, would_make
from core.errors import InputError

FILE = "training_args.bin"
_LIMIT_BYTES = 8_000_000
_FAMILIAR = (
    "transformers", "trl", "peft", "accelerate", "torch", "llamafactory", "unsloth", "axolotl", "swift", "setfit", "sentence_transformers",
    "collections", "pathlib", "datetime", "enum", "copyreg", "copy_reg", "numpy", "__main__",
)  # fmt: skip
"""Packages whose classes a trainer's arguments are made of; a call of anything else is worth a warning."""
_HARMLESS = frozenset(
    f"{module}.{name}"
    for module in ("builtins", "__builtin__")
    for name in ("set", "frozenset", "list", "dict", "object", "bytearray")
) | {"_codecs.encode"}
"""What plain values are made of."""
_SECRET = ("token", "password", "secret", "api_key")


@dataclass(frozen=True)
class PickledSettings:
    """What a file of arguments holds."""

    values: dict[str, Any]
    """Numbers, texts, flags and flat lists of these, by name; what is anything else, or a secret, is left out."""
    warnings: tuple[str, ...] = ()
    """What looks odd, each a sentence."""


def read_pickled_settings(path: Path) -> PickledSettings:
    """Return the arguments that ``torch.save(args, path)`` left in a file, in torch's zip form or its older plain one.

    Raises:
        InputError: the file is too large, damaged, or holds something else than a trainer's arguments.
    """
    called: set[str] = set()
    try:
        for made, names in would_make(_pickle_bytes(path)):
            called |= names
            state = made.state if isinstance(made, Made) else made
            if isinstance(state, dict) and ("output_dir" in state or "learning_rate" in state):
                return PickledSettings(_settings(state), _strange(path.name, called))
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, RuntimeError,
            NotImplementedError, EOFError) as error:  # fmt: skip
        raise InputError(f"{path.name} is damaged ({error}); its settings are left out.") from None
    told = " ".join(_strange(path.name, called))
    raise InputError(told or f"{path.name} holds no arguments of a trainer; it is left out.")


def _pickle_bytes(path: Path) -> bytes:
    if path.stat().st_size > _LIMIT_BYTES:
        raise ValueError(f"{path.stat().st_size:,} bytes, where a few thousand were expected")
    content = path.read_bytes()
    if not content.startswith(b"PK\x03\x04"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        member = next(
            info for info in [*archive.infolist(), None] if info is None or info.filename.endswith("data.pkl")
        )
        if member is None or member.file_size > _LIMIT_BYTES:
            raise ValueError("no data.pkl of a usual size in it")
        return archive.read(member)


def _settings(state: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: _plain(value) for name, value in state.items() if not name.startswith("_")}
    return {name: value for name, value in plain.items() if value is not None and not _is_secret(name)}


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET) and not name.lower().endswith(("tokens", "tokens_seen"))


def _plain(value: Any) -> Any:
    """Return a value as JSON could hold it; an enumeration's member by its value; None for all else."""
    if (
        isinstance(value, Made)
        and value.state is None
        and isinstance(value.arguments, tuple)
        and _is_familiar(value.name)
    ):
        only = value.arguments[0] if len(value.arguments) == 1 else None
        value = only if isinstance(only, str | int) else None
    if isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else None
    if isinstance(value, list) and all(isinstance(inner, bool | int | float | str) for inner in value):
        return value or None
    return None


def _is_familiar(name: str) -> bool:
    return name.partition(".")[0] in _FAMILIAR


def _strange(name: str, called: set[str]) -> tuple[str, ...]:
    strange = sorted(one for one in called if not _is_familiar(one) and one not in _HARMLESS)
    if not strange:
        return ()
    listed = ", ".join(strange[:3])
    return (
        f"{name} would call {listed} when it is loaded, which a trainer's arguments do not need. It was not loaded here; do not load it "
        "elsewhere.",
    )

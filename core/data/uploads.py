"""Files that were dropped on a page: kept in the cache folder under the hash of their bytes, found again by it, never run."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import InputError
from core.paths import cache_folder, forget_old

DAYS_KEPT = 30
_ID = re.compile(r"[0-9a-f]{24}")
_LONGEST_NAME = 200
"""Bytes; file systems take 255."""
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Upload:
    """One file that was dropped."""

    id: str
    """The first 24 digits of the SHA-256 of its bytes and name."""
    path: Path

    @property
    def name(self) -> str:
        """The file's name, without a folder."""
        return self.path.name


def keep_upload(name: str, stream: BinaryIO) -> Upload:
    """Write a dropped file to the cache folder and return it; dropped again, it is the same one.

    Args:
        name: as the browser gives it; only its last part is used, without characters that a file name should not have.
        stream: its bytes.

    Raises:
        InputError: it cannot be written.
    """
    plain = plain_name(name)
    rooms = cache_folder() / "uploads"
    try:
        rooms.mkdir(parents=True, exist_ok=True)
        forget_old(rooms, DAYS_KEPT)
        with tempfile.NamedTemporaryFile(dir=rooms, delete=False) as coming:
            digest = hashlib.sha256(plain.encode() + b"\0")
            while block := stream.read(_BLOCK):
                digest.update(block)
                coming.write(block)
        upload = Upload(digest.hexdigest()[:24], rooms / digest.hexdigest()[:24] / plain)
        upload.path.parent.mkdir(exist_ok=True)
        if upload.path.is_file():
            os.unlink(coming.name)  # what was found in it stays true: its time must not change
            os.utime(upload.path.parent)
        else:
            os.replace(coming.name, upload.path)
    except OSError as error:
        raise InputError(
            f"{rooms}: the file {plain!r} cannot be kept ({error.strerror or error}). Free some space."
        ) from None
    return upload


def find_upload(upload_id: str) -> Upload | None:
    """Return a file that was dropped before; None where there is none, or no longer."""
    if not _ID.fullmatch(upload_id):
        return None
    folder = cache_folder() / "uploads" / upload_id
    files = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    return Upload(upload_id, files[0]) if len(files) == 1 else None


def plain_name(name: str) -> str:
    """Return the last part of a path, without control characters and leading dots, cut from the front to 200 bytes."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(one for one in last if one.isprintable()).encode("utf-8", "ignore")
    return shown[-_LONGEST_NAME:].decode("utf-8", "ignore").lstrip(".") or "dropped"

"""Checks and cleans what people write: names of raters, guidelines, comments; and texts of models before they are stored."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from core.errors import InputError

LONGEST_NAME = 80
LONGEST_COMMENT = 10_000
LONGEST_GUIDELINES = 100_000
_ACTIVE = re.compile(
    r"<\s*/?\s*(script|iframe|object|embed|style|link|meta|form|base|svg|math)\b|<[^>]*\son\w+\s*=|(?:java|vb)script\s*:|data\s*:\s*text/html",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """Return a text that every store can hold: a NUL or half a surrogate pair becomes U+FFFD, all else stays as it is."""
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", text)


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def check_name(name: str) -> str:
    """Return a rater's name as it is kept: composed (NFC), without spaces around it. Markup and emoji are letters like others.

    Raises:
        InputError: it is empty, longer than `LONGEST_NAME` characters, or holds control characters.
    """
    kept = unicodedata.normalize("NFC", clean(name)).strip()
    if not kept:
        raise InputError("Found no name. Write the name or initials by which your ratings are to be known.")
    if len(kept) > LONGEST_NAME:
        raise InputError(
            f"Found a name of {len(kept):,} characters, expected at most {LONGEST_NAME}. Write a shorter one."
        )
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in kept):
        raise InputError("Found a control character or a line break in the name. Write it on one line.")
    return kept


def name_key(name: str) -> str:
    """Return what two names of one person have in common: case, width and repeated spaces do not matter."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def check_comment(text: str | None, what: str = "comment") -> str:
    """Return a comment or reason as it is stored.

    Raises:
        InputError: it is longer than `LONGEST_COMMENT` characters.
    """
    kept = clean(text or "").strip()
    if len(kept) > LONGEST_COMMENT:
        raise InputError(
            f"Found a {what} of {len(kept):,} characters, expected at most {LONGEST_COMMENT:,}. Shorten it."
        )
    return kept


def check_guidelines(text: str) -> str:
    """Return guidelines as they are stored.

    Raises:
        InputError: they are too long, or hold HTML that a browser could run.
    """
    kept = clean(text).strip()
    if len(kept) > LONGEST_GUIDELINES:
        raise InputError(f"Guidelines: found {len(kept):,} characters, expected at most {LONGEST_GUIDELINES:,}.")
    if (match := _ACTIVE.search(kept)) is not None:
        line = kept.count("\n", 0, match.start()) + 1
        raise InputError(
            f"Guidelines, line {line}: found {match.group()[:40]!r}, which a browser could run. Guidelines are Markdown; "
            "take scripts, frames and event attributes out."
        )
    return kept

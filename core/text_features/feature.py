"""What can be asked of an answer's text, and what a reader may type for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import pyarrow as pa
import pyarrow.compute as pc

from core.errors import InputError, nearest

FeatureKind = Literal["contains", "regex", "length", "list", "heading", "refusal", "language"]
PATTERN_CHARACTERS = 10_000
"""Only so much of an answer is searched for a pattern."""
LONGEST_PATTERN = 200
KINDS: dict[FeatureKind, str] = {
    "contains": "Contains words",
    "regex": "Matches a pattern",
    "length": "Is at least so long",
    "list": "Has a list",
    "heading": "Has a heading",
    "refusal": "Refuses",
    "language": "Is in a language",
}
"""Each kind with its name on a screen."""
RULES: dict[FeatureKind, str] = {
    "contains": "The text occurs in the answer as it is typed, upper and lower case alike.",
    "regex": f"A regular expression (RE2's syntax) matches within the first {PATTERN_CHARACTERS:,} characters; (?i) ignores case.",
    "length": "The answer has at least so many characters, spaces included.",
    "list": "Two or more lines begin with a bullet (-, *, +, •) or a number with . or ).",
    "heading": "A line begins with one to six # and a space, or is bold as a whole.",
    "refusal": "A phrase of refusal (English, German, French, Spanish, Chinese) is among the first 200 characters.",
    "language": "The language that a detector finds in the first 400 characters; undetermined under 12 letters.",
}
"""What each kind looks for, as a sentence."""


@dataclass(frozen=True)
class TextFeature:
    """One question to every answer; made by `feature_from`, which checks it."""

    kind: FeatureKind
    argument: str = ""
    """What is looked for, a number of characters, or a language's code; empty for kinds that need nothing."""

    @property
    def label(self) -> str:
        """The feature as a phrase that follows a variant's name: ``contains 'sorry'``."""
        return {
            "contains": f"contains {self.argument!r}",
            "regex": f"matches {self.argument}",
            "length": f"has at least {self.argument} characters",
            "list": "has a list",
            "heading": "has a heading",
            "refusal": "refuses",
            "language": f"is in {self.argument}",
        }[self.kind]


def feature_from(kind: str, argument: str = "") -> TextFeature:
    """Return the feature that a reader asks for.

    Args:
        kind: one of `KINDS`.
        argument: what was typed; left out where the kind needs nothing.

    Raises:
        InputError: there is no such kind, or what was typed is nothing to look for.
    """
    if kind not in KINDS:
        raise InputError(
            f"feature: there is no kind {kind!r}{nearest(kind, KINDS)}; expected one of {', '.join(KINDS)}."
        )
    known = cast(FeatureKind, kind)
    if known in ("list", "heading", "refusal"):
        return TextFeature(known)
    if not argument.strip():
        raise InputError(f"{KINDS[known]}: found nothing to look for. Type it, or choose another feature.")
    if known == "length":
        return TextFeature(known, str(_characters(argument)))
    if known == "regex":
        _check_pattern(argument)
    return TextFeature(known, argument.strip() if known == "language" else argument)


def _check_pattern(pattern: str) -> None:
    if len(pattern) > LONGEST_PATTERN:
        raise InputError(
            f"Pattern: found {len(pattern):,} characters, expected at most {LONGEST_PATTERN}. Look for less at a time."
        )
    try:
        pc.match_substring_regex(pa.array([""]), pattern=pattern)  # type: ignore[attr-defined]
    except (pa.ArrowInvalid, UnicodeEncodeError) as error:
        reason = str(error).removeprefix("Invalid regular expression: ")
        raise InputError(
            f"Pattern: {pattern!r} is not a regular expression that can be searched ({reason}). Mend it: a backslash before "
            "( [ . * + ? makes the sign itself, and looking ahead or back is not possible."
        ) from None


def _characters(argument: str) -> int:
    text = argument.strip().replace(",", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0):
        raise InputError(f"Length: found {argument!r}, expected a whole number of characters above 0, such as 200.")
    return int(text)

"""The tokenizer that an adapter or a checkpoint ships, held against the base's, whose tokens every variant is asked by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOKENIZER = "tokenizer.json"
_CUTTING = ("normalizer", "pre_tokenizer", "post_processor")
_FEW = 0.01
"""The share of the base's tokens that another tokenizer may lack and still be the same one with names changed."""


@dataclass(frozen=True)
class TokenizerChange:
    """How a shipped tokenizer differs from the base's."""

    added: tuple[str, ...]
    """Tokens that the base's does not have."""
    clash: str | None
    """Why its numbers mean other tokens, as the end of a sentence; None where they mean the same."""
    cuts_otherwise: bool
    """Whether it has the same tokens but may cut a text into others."""


def tokenizer_change(folder: Path, base: Path) -> TokenizerChange | None:
    """Return how the tokenizer in ``folder`` differs from that of ``base``; None where it is the same or there is none."""
    theirs, ours = _content(folder / TOKENIZER), _content(base / TOKENIZER)
    if theirs is None or ours is None or theirs == ours:
        return None
    their_ids, our_ids = _ids(theirs), _ids(ours)
    added = sorted((text for text in their_ids if text not in our_ids), key=lambda text: their_ids[text])
    cutting = [_cutting(one) for one in (theirs, ours)]
    change = TokenizerChange(tuple(added), _clash(their_ids, our_ids), cutting[0] != cutting[1])
    return change if change.added or change.clash or change.cuts_otherwise else None


def _clash(theirs: Mapping[str, int], ours: Mapping[str, int]) -> str | None:
    moved = next((text for text, number in ours.items() if theirs.get(text, number) != number), None)
    if moved is not None:
        return f"its number {theirs[moved]:,} is {moved!r}, which is number {ours[moved]:,} of the base's"
    gone = [text for text in ours if text not in theirs]
    if len(gone) > max(_FEW * len(ours), 1):
        return f"it lacks {len(gone):,} of the base's {len(ours):,} tokens"
    return None


def added_tokens_sentence(added: Iterable[str]) -> str:
    """Return what tokens that an adapter's own tokenizer adds mean for its results."""
    listed = list(added)
    some = ", ".join(repr(text[:40]) for text in listed[:3]) + (
        f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    )
    return (
        f"Its own tokenizer adds {some}. Prompts are cut by the base's tokenizer, the same for every variant, to which such a token is "
        "ordinary text; an answer that ends with one ends at the length limit. Where the adapter needs them, give the base the tokenizer "
        "and the embeddings of the adapter's training."
    )


def _content(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # a tokenizer that cannot be read is told where it is used
        return None
    return found if isinstance(found, dict) else None


def _model(content: Mapping[str, Any]) -> Mapping[str, Any]:
    found = content.get("model")
    return found if isinstance(found, dict) else {}


def _ids(content: Mapping[str, Any]) -> dict[str, int]:
    """Return token to number; a unigram model lists its tokens in order, the others map them."""
    vocabulary = _model(content).get("vocab")
    found: dict[str, int] = {}
    if isinstance(vocabulary, dict):
        found = {text: number for text, number in vocabulary.items() if isinstance(number, int)}
    elif isinstance(vocabulary, list):
        found = {str(entry[0]): number for number, entry in enumerate(vocabulary) if isinstance(entry, list) and entry}
    for token in content.get("added_tokens") or ():
        if isinstance(token, dict) and isinstance(token.get("id"), int):
            found[str(token.get("content"))] = token["id"]
    return found


def _cutting(content: Mapping[str, Any]) -> list[Any]:
    return [*(content.get(key) for key in _CUTTING), _model(content).get("merges")]

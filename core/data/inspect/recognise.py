"""Say which form the rows of a file have, how sure that is and why, and which stage of training they suit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from core.data.inspect.flaws import quoted
from core.data.inspect.forms import check_for, form_of
from core.data.inspect.records import FormatGuess

Row = dict[str, Any]
SAMPLED_ROWS = 1000
LONG_TEXT = 1000
"""Texts whose median is at least this many characters, without markers of a template, are taken for plain text."""

_MARKERS = (
    "<|im_start|>", "[INST]", "<|start_header_id|>", "<start_of_turn>", "<|user|>", "<|assistant|>", "<|start|>", "<｜User｜>",
    "### Instruction", "### Response", "### Human", "### Assistant", "<s>Human", "<|turn>",
)  # fmt: skip
_SPEAKERS = re.compile(r"^(?:human|user|question)\s?:.*^(?:assistant|gpt|bot|answer)\s?:", re.I | re.M | re.S)
_SPEAKERS_WITHIN = 4000
_FAMILIES = ("messages", "conversations", "chosen", "prompt", "instruction", "text")
"""Fields of which each starts a form of its own: a row with two of them could be read in two ways."""
_CONVERSATIONS = ("messages", "tool-calls", "sharegpt")
_TUNING, _PREFERENCE = "supervised fine-tuning", "preference"
_STAGES: Mapping[str, tuple[str, str]] = {
    "messages": (_TUNING, "Conversations with the assistant's answers: supervised fine-tuning learns to give them."),
    "tool-calls": (_TUNING, "Conversations with calls of tools: supervised fine-tuning with a template that renders tools."),
    "sharegpt": (_TUNING, "Conversations in ShareGPT's names: supervised fine-tuning; TRL renames them itself."),
    "alpaca": (_TUNING, "Instructions with their outputs: supervised fine-tuning, after a conversion to a form that TRL reads."),
    "instruction-output": (_TUNING, "Pairs of a request and its answer: supervised fine-tuning, after a conversion."),
    "prompt-completion": (_TUNING, "Prompts with their completions: supervised fine-tuning, with the loss on the completion alone."),
    "prompt-only": (_PREFERENCE, "Prompts without answers: online preference optimisation (GRPO, RLOO, online DPO), not fine-tuning."),
    "preference": (_PREFERENCE, "A chosen and a rejected answer to each prompt: DPO, or a reward model."),
    "preference-implicit": (_PREFERENCE, "A chosen and a rejected conversation with one beginning: DPO, or a reward model."),
    "unpaired-preference": (_PREFERENCE, "Answers labelled as wanted or not, one by one: KTO."),
    "stepwise": (_PREFERENCE, "Steps labelled as right or wrong: a process reward model."),
    "unread": ("unknown", "Where no row can be read, nothing can be said of what they suit: mend the faults first."),
    "unknown": ("unknown", "No trainer reads these rows. An evaluation file may have fields of its own."),
}  # fmt: skip


def recognise(rows: Sequence[Row], *, unread: int = 0) -> FormatGuess:
    """Return the form that most rows of a sample have.

    Args:
        rows: the first rows of the file.
        unread: how many places of the sample held no row that could be read.
    """
    forms = Counter(form_of(row) for row in rows)
    if forms["tool-calls"]:
        forms["tool-calls"] += forms.pop("messages", 0)
    if not rows or set(forms) == {"unknown"}:
        stage, reason = _STAGES["unknown" if rows else "unread"]
        fields = Counter(key for row in rows for key in row).most_common(5)
        why = (
            f"the rows have the fields {', '.join(quoted(key) for key, _ in fields)}"
            if fields
            else "no row could be read"
        )
        return FormatGuess("unknown", 0.0, f"{why[0].upper()}{why[1:]}.", stage, reason)
    name, count = max(((form, n) for form, n in forms.items() if form != "unknown"), key=lambda pair: pair[1])
    of_form = [row for row in rows if form_of(row) in (name, "messages" if name == "tool-calls" else name)]
    total = len(rows) + unread
    why = f"{count:,} of {total:,} sampled rows have the fields of this form"
    sound = sum(not check_for(name, strict=False)(row) for row in of_form)
    why += f", and {sound:,} of these hold to its rules."
    rivals = sum(sum(key in row for key in _FAMILIES) - ("prompt" in row and "chosen" in row) > 1 for row in of_form)
    if rivals:
        why += f" {rivals:,} of them also have a field that starts another form."
    confidence = count / total * (1 - 0.3 * rivals / count)
    listed = sum(_is_conversational(row) for row in of_form) * 2 > len(of_form)
    conversational = listed or name in _CONVERSATIONS
    if name == "text":
        return _text(of_form, confidence, why)
    stage, reason = _STAGES[name]
    return FormatGuess(name, round(confidence, 3), why, stage, reason, conversational)


def _text(rows: Sequence[Row], confidence: float, why: str) -> FormatGuess:
    texts = [text for row in rows if isinstance(text := row["text"], str)]
    seen = Counter(marker for text in texts if (marker := _marker(text)))
    marked = sum(seen.values()) / len(texts) if texts else 0.0
    length = median([len(text) for text in texts] or [0])
    both = "`text` serves pre-training and supervised fine-tuning (instructions already rendered) alike. "
    facts = f"{marked:.0%} of the sampled rows have markers of a chat template"
    facts += f" (most often {seen.most_common(1)[0][0]})" if seen else ""
    facts += f", and half of the rows have at most {length:,.0f} characters"
    if marked >= 0.5:
        return FormatGuess("text", round(confidence, 3), why, _TUNING, f"{both}The markers decide: {facts}.")
    if marked < 0.05 and length >= LONG_TEXT:
        return FormatGuess(
            "plain-text", round(confidence * 0.9, 3), why, "pre-training", f"{both}The lengths decide: {facts}."
        )
    reason = (
        f"{both}Nothing decides here: {facts}. Markers would speak for fine-tuning, long plain text for pre-training."
    )
    return FormatGuess("text", round(confidence, 3), why, f"pre-training or {_TUNING}", reason)


def _marker(text: str) -> str | None:
    found = next((marker for marker in _MARKERS if marker in text), None)
    return found or ("User: ... Assistant:" if _SPEAKERS.search(text[:_SPEAKERS_WITHIN]) else None)


def _is_conversational(row: Row) -> bool:
    return any(
        isinstance(row.get(key), list) for key in ("messages", "conversations", "prompt", "completion", "chosen")
    )

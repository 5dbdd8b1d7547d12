"""Reads what a server answered: a text with its finish, and log-probabilities where they are really there."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Literal

from core.errors import RunError
from core.model_set import ServedRef
from core.records import Generation
from core.served.client import Malformed, Refused

_HALF_PAIR = re.compile("[\ud800-\udfff]")
_ROUNDING = 1e-3
"""Nats by which a log-probability may lie above 0: servers round."""

Finish = Literal["eos", "stop", "length"]


def checked_choice(found: dict[str, Any], ref: ServedRef) -> dict[str, Any]:
    """Return the only choice of an answer.

    Raises:
        Malformed: there is none.
        RunError: another model answered than the one that was asked.
    """
    told = found.get("model")
    if isinstance(told, str) and told and told not in (ref.model, *ref.model_alias):
        raise RunError(
            f"models.served: {ref.model!r} was asked at server {ref.server!r}, and {told[:100]!r} answered: its answers are not those "
            "of the variant. Correct `model`, or add the name to `model_alias` if it is the same model."
        )
    choices = found.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Malformed("the answer has no choices")
    return choices[0]


def read_chat(found: dict[str, Any], ref: ServedRef) -> Generation:
    """Return the generation of a chat completion; without log-probabilities its list of them is empty."""
    choice = checked_choice(found, ref)
    message = choice.get("message")
    text = message.get("content") if isinstance(message, dict) else None
    finish = finish_of(choice)
    if not isinstance(text, str):
        if finish == "length":
            raise Refused("the longest answer was used up before its text began (by reasoning)", is_question=True)
        raise Malformed("the answer has no content")
    return _generation(found, choice, text, finish)


def read_completion(found: dict[str, Any], ref: ServedRef) -> Generation:
    """Return the generation of a completion."""
    choice = checked_choice(found, ref)
    text = choice.get("text")
    if not isinstance(text, str):
        raise Malformed("the answer has no text")
    return _generation(found, choice, text, finish_of(choice))


def read_echo(
    found: dict[str, Any], ref: ServedRef, n_prompt: int, n_all: int
) -> tuple[tuple[float, ...], tuple[bool, ...]] | None:
    """Return log-probabilities of the echoed tokens after the first ``n_prompt``, and whether each was the likeliest.

    None where the server gave none: it ignored the request for them, or gave another number than ``n_all`` echoed tokens (and at
    most one new one).
    """
    block = checked_choice(found, ref).get("logprobs")
    if not isinstance(block, dict):
        return None
    listed, tops = block.get("token_logprobs"), block.get("top_logprobs")
    if not isinstance(listed, list) or not isinstance(tops, list) or len(listed) != len(tops):
        return None
    if len(listed) not in (n_all, n_all + 1) or _count(found, "prompt_tokens") not in (0, n_all):
        return None
    logprobs = numbers(listed[n_prompt:n_all])
    best = [max(top.values(), default=None) if _is_table(top) else None for top in tops[n_prompt:n_all]]
    if logprobs is None or None in best:
        return None
    return logprobs, tuple(
        value >= other - 1e-6 for value, other in zip(logprobs, best, strict=True) if other is not None
    )


def finish_of(choice: dict[str, Any]) -> Finish:
    """Return why an answer ended, in lorascope's words."""
    told, stopped_by = choice.get("finish_reason"), choice.get("stop_reason")
    if told == "length":
        return "length"
    if told in ("stop", "eos", "eos_token", "end_turn", "stop_sequence"):
        return "stop" if isinstance(stopped_by, str) or told == "stop_sequence" else "eos"
    if told == "content_filter":
        raise Refused("the server's filter withheld the answer", is_question=True)
    if told in ("tool_calls", "function_call"):
        raise Refused("the model called a tool instead of answering", is_question=True)
    raise Malformed("the answer does not say why it ended: it may be half of one")


def numbers(listed: Sequence[Any]) -> tuple[float, ...] | None:
    """Return log-probabilities, or None where one of them is none."""
    for value in listed:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
            or value > _ROUNDING
        ):
            return None
    return tuple(min(0.0, float(value)) for value in listed) if listed else None


def whole(text: str) -> str:
    """Return a text with U+FFFD for halves of surrogate pairs, which have no UTF-8 form."""
    return _HALF_PAIR.sub("\N{REPLACEMENT CHARACTER}", text)


def _is_table(top: Any) -> bool:
    return isinstance(top, dict) and numbers(list(top.values())) is not None


def _count(found: dict[str, Any], key: str) -> int:
    """Return one of the counts of a server's usage; 0 where it does not say."""
    usage = found.get("usage")
    count = usage.get(key) if isinstance(usage, dict) else None
    return count if isinstance(count, int) and 0 <= count < 2**31 else 0


def _generation(found: dict[str, Any], choice: dict[str, Any], text: str, finish: Finish) -> Generation:
    """Return a generation with the tokens that the server names: a list of its own (vLLM), or one with each log-probability."""
    block = choice.get("logprobs")
    block = block if isinstance(block, dict) else {}
    entries, listed, ids = block.get("content"), block.get("token_logprobs"), choice.get("token_ids")
    if isinstance(entries, list):
        told = [entry if isinstance(entry, dict) else {} for entry in entries]
        listed = [entry.get("logprob") for entry in told]
        ids = ids or [entry.get("id") for entry in told]
    count = _count(found, "completion_tokens")
    if isinstance(listed, list) and count and len(listed) != count:
        listed, ids = None, None  # llama.cpp leaves out tokens that are parts of a letter: which ones, nobody knows
    logprobs = numbers(listed) if isinstance(listed, list) else None
    return Generation(whole(text), finish, _count(found, "prompt_tokens"), _token_ids(ids), logprobs or ())


def _token_ids(ids: Any) -> tuple[int, ...]:
    if isinstance(ids, list) and all(isinstance(one, int) and 0 <= one < 2**31 for one in ids):
        return tuple(ids)
    return ()

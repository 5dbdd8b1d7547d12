"""Finds outputs by which a rater could tell who wrote them: the names of models, makers and of the study's own variants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import regex

KNOWN_NAMES = (
    "ChatGPT", "GPT-2", "GPT-3", "GPT-3.5", "GPT-4", "GPT-4o", "GPT-5", "OpenAI", "Claude", "Anthropic", "Gemini", "Gemma",
    "DeepMind", "LLaMA", "Llama-2", "Llama-3", "Vicuna", "Mistral", "Mixtral", "Qwen", "Tongyi", "DeepSeek",
    "SmolLM", "SmolLM2", "SmolLM3", "Falcon-7B", "Phi-2", "Phi-3", "Phi-4", "Yi-34B", "Baichuan", "ChatGLM", "InternLM",
    "Hugging Face", "HuggingFace", "Kimi", "Grok", "Nemotron", "OLMo", "StableLM", "Pythia", "通义千问", "文心一言", "智谱", "深度求索",
)  # fmt: skip
"""Makers and models that answers like to name. A word of everyday language is none of them."""
_SELF = (
    r"\b(?:as an? (?:ai|artificial intelligence)(?: language)? (?:model|assistant)|i(?:'|’)?m an? (?:ai|language) model)"
    r"|作为一个?(?:AI|人工智能|语言模型)"
)
_AROUND = 40


@dataclass(frozen=True)
class Leak:
    """An output that says who wrote it, or seems to."""

    task: str
    example_id: str
    variant: str
    """Whose output it is: for the study's owner, not for raters."""
    name: str
    """What was found."""
    excerpt: str
    own: bool
    """Whether it is the name of one of the study's variants or models."""


def scan(outputs: Iterable[tuple[str, str, str, str]], own_names: Sequence[str] = ()) -> list[Leak]:
    """Return the outputs that name a model; the first name in each, the study's own before others.

    Args:
        outputs: task, example id, variant and text of each.
        own_names: variants, adapters and base models of the study. Names of one letter are passed over; as names stand
            between other characters than letters and digits, case aside, ``base`` is not found in ``database``.
    """
    own = _pattern([name for name in own_names if len(name.strip()) > 1])
    known = _pattern(KNOWN_NAMES)
    said = regex.compile(_SELF, regex.IGNORECASE)
    found = []
    for task, example_id, variant, text in outputs:
        for pattern, is_own in ((own, True), (known, False), (said, False)):
            match = pattern.search(text) if pattern is not None else None
            if match is not None:
                excerpt = " ".join(text[max(0, match.start() - _AROUND) : match.end() + _AROUND].split())
                found.append(Leak(task, example_id, variant, match.group(), excerpt, is_own))
                break
    return found


def own_names(variants: Mapping[str, object], bases: Iterable[str]) -> tuple[str, ...]:
    """Return what a study's models are called: its variants, without the run before a slash, and the names of base models."""
    names = [part for variant in variants for part in (variant, variant.rpartition("/")[2])]
    names += [base.rstrip("/").rpartition("/")[2].removeprefix("cache:") for base in bases]
    return tuple(dict.fromkeys(name for name in names if name))


def _pattern(names: Sequence[str]) -> regex.Pattern[str] | None:
    if not names:
        return None
    alternatives = "|".join(_spelt(name) for name in sorted(names, key=len, reverse=True))
    return regex.compile(f"(?:{alternatives})", regex.IGNORECASE)


def _spelt(name: str) -> str:
    """Return a pattern for a name: hyphen, underscore and space are one, and Latin names stand by themselves."""
    spelt = "[-_ ]?".join(regex.escape(part) for part in regex.split(r"[-_\s]+", name) if part) or regex.escape(name)
    before = r"(?<![\p{Latin}\p{N}])" if regex.match(r"[\p{Latin}\p{N}]", name) else ""
    after = r"(?![\p{Latin}\p{N}])" if regex.search(r"[\p{Latin}\p{N}]$", name) else ""
    return before + spelt + after

"""Does an adapter belong to a base? Told from the shapes in both files' headers, before any model is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from core.adapters.chat import template_difference
from core.adapters.facts import CONFIG, AdapterFacts
from core.adapters.kinds import LORA, kind_of, why_not_evaluated
from core.adapters.names import short_name
from core.adapters.vocabulary import added_tokens_sentence, tokenizer_change
from core.errors import InputError
from core.weights import TensorInfo, read_headers, weight_files

_QUANTISED = ("U8", "I8", "I32", "F8_E4M3", "F8_E5M2")


@dataclass(frozen=True)
class Finding:
    """One thing that a check of an adapter found."""

    level: Literal["error", "warning", "ok"]
    code: str
    sentence: str


def check_against_base(facts: AdapterFacts, base_folder: Path) -> list[Finding]:
    """Compare an adapter with the base in ``base_folder``; errors first.

    An error means that results would be meaningless (another base's adapter, one that does nothing); a warning that a
    person should look. Reads the adapter's values once, and of the base its headers alone.
    """
    if (reason := why_not_evaluated(facts)) is not None:
        sentence = f"This adapter, of PEFT type {facts.peft_type}, cannot be evaluated exactly: {reason}."
        return [Finding("error", "kind", sentence)]
    findings = [
        *_value_findings(facts),
        *_tokenizer_findings(facts, base_folder),
        *_template_findings(facts, base_folder),
    ]
    try:
        base = read_headers(weight_files(base_folder))
    except InputError as error:
        findings.append(Finding("warning", "base_unread", f"The base's shapes could not be compared: {error}"))
    else:
        shapes = _shape_findings(facts, base)
        findings += shapes
        if not any(finding.level == "error" for finding in shapes):
            findings += _name_findings(facts, base_folder)
    findings += [Finding("warning", "config", sentence) for sentence in facts.warnings]
    order = {"error": 0, "warning": 1, "ok": 2}
    return sorted(findings, key=lambda finding: order[finding.level])


def _template_findings(facts: AdapterFacts, base_folder: Path) -> list[Finding]:
    try:
        difference = template_difference(facts.folder, base_folder)
    except InputError as error:
        return [
            Finding("warning", "chat_template", f"Its chat template could not be compared with the base's: {error}")
        ]
    if difference is None:
        return []
    level, sentence = difference.finding
    return [Finding(level, "chat_template", sentence)]


def _shape_findings(facts: AdapterFacts, base: Mapping[str, TensorInfo]) -> list[Finding]:
    if kind_of(facts) != LORA:
        whole = [_whole_tensor(name, info, base) for name, info in facts.tensors.items()]
        sentence = f"Its sizes are held against the base's when it is loaded (PEFT type {facts.peft_type})."
        return [*(finding for finding in whole if finding is not None), Finding("ok", "shapes_later", sentence)]
    missing: list[str] = []
    wrong: list[str] = []
    unchecked = 0
    # Layers that are replicated, and parameters that are targeted by name, are in no place of the base's file of their own.
    elsewhere = bool(facts.config.get("layer_replication") or facts.config.get("target_parameters"))
    # an embedding's rows are its inputs, and GPT-2's linear layers (fan_in_fan_out) are stored the same way round
    all_transposed = bool(facts.config.get("fan_in_fan_out"))
    for module, sides in facts.pairs.items():
        weight = base_weight(module, base)
        transposed = all_transposed or module in facts.embeddings
        if elsewhere:
            unchecked += 1
        elif weight is None:
            missing.append(module)
        elif weight.dtype in _QUANTISED or len(weight.shape) != 2:
            unchecked += 1
        elif told := _misfit(sides, weight.shape, transposed):
            wrong.append(f"{module} ({told})")
    if missing or wrong:
        parts = []
        if missing:
            parts.append(f"the base has no {_some(missing)}")
        if wrong:
            parts.append(f"sizes differ at {_some(wrong)}")
        return [Finding("error", "other_base", f"Made for another base: {'; '.join(parts)}.")]
    findings = [_whole_tensor(name, info, base) for name, info in facts.tensors.items() if ".lora_" not in name]
    if unchecked:
        sentence = f"The sizes of {unchecked} modules could not be compared: the base holds them quantised, or under other names."
        findings.append(Finding("warning", "unchecked", sentence))
    if unchecked < len(facts.pairs):
        findings.append(
            Finding(
                "ok",
                "shapes",
                f"All {len(facts.pairs) - unchecked} adapted modules are in the base, with fitting sizes.",
            )
        )
    return [finding for finding in findings if finding is not None]


def base_weight(module: str, base: Mapping[str, TensorInfo]) -> TensorInfo | None:
    """Return the base's weight for a module path; checkpoints leave out or add a prefix such as ``model.``."""
    name = f"{module}.weight"
    if name in base:
        return base[name]
    tail = name.partition(".")[2]
    for other, info in base.items():
        if other.endswith(f".{name}") or (tail.count(".") > 1 and other == tail):
            return info
    if module.rpartition(".")[2] == "lm_head":  # tied to the input embeddings, so not stored twice
        return next(
            (info for other, info in base.items() if other.endswith(("embed_tokens.weight", "wte.weight"))), None
        )
    return None


def _misfit(sides: Mapping[str, TensorInfo], weight: tuple[int, ...], transposed: bool) -> str | None:
    """Return what does not fit, or None. A is (r, in) and B (out, r) for a weight (out, in), or (in, out) if transposed."""
    if "A" not in sides or "B" not in sides:
        return f"lora_{'A' if 'B' in sides else 'B'} is missing"
    a, b = sides["A"].shape, sides["B"].shape
    if len(a) != 2 or len(b) != 2 or a[0] != b[1]:
        return f"lora_A {list(a)} and lora_B {list(b)} do not multiply"
    changed = (a[1], b[0]) if transposed else (b[0], a[1])
    if changed == weight:
        return None
    return f"the adapter changes {changed[0]} x {changed[1]}, the base has {weight[0]} x {weight[1]}"


def _whole_tensor(name: str, info: TensorInfo, base: Mapping[str, TensorInfo]) -> Finding | None:
    """Judge a tensor that the adapter ships whole (``modules_to_save``): most often resized embeddings."""
    module = name.removeprefix("base_model.model.").removesuffix(".weight").removesuffix(".base_layer")
    weight = base_weight(module, base)
    if weight is None or weight.shape == info.shape:
        return None
    sentence = f"The adapter ships its own {module} {list(info.shape)} in place of the base's {list(weight.shape)}."
    resized = len(info.shape) == 2 and len(weight.shape) == 2 and info.shape[1] == weight.shape[1]
    return (
        Finding("warning", "resized", sentence)
        if resized
        else Finding("error", "other_base", f"Made for another base: {sentence}")
    )


def _tokenizer_findings(facts: AdapterFacts, base_folder: Path) -> list[Finding]:
    change = tokenizer_change(facts.folder, base_folder)
    if change is None:
        return []
    if change.clash is not None:
        sentence = f"Trained with another tokenizer than the base's: {change.clash}. What it learned of a token, it learned of another."
        return [Finding("error", "other_tokenizer", sentence)]
    if change.added:
        return [Finding("warning", "added_tokens", added_tokens_sentence(change.added))]
    sentence = (
        "Its own tokenizer has the base's tokens but may cut text into others; prompts are cut by the base's, the same for every "
        "variant."
    )
    return [Finding("warning", "other_cuts", sentence)]


def _value_findings(facts: AdapterFacts) -> list[Finding]:
    zero: list[str] = []
    for name, info in facts.tensors.items():
        if not all(np.isfinite(values).all() for values in info.values()):
            return [
                Finding(
                    "error",
                    "not_finite",
                    f"The adapter holds infinite or undefined numbers (first in {name}): its training diverged.",
                )
            ]
    for module, sides in facts.pairs.items():
        if "B" in sides and _all_zero(sides["B"]):
            zero.append(module)
    if kind_of(facts) != LORA:
        return [Finding("ok", "finite", "All its numbers are finite.")]
    if len(zero) == len(facts.pairs) and all(".lora_" in name for name in facts.tensors):
        sentence = (
            "Loaded but does nothing: every lora_B is zero, as before the first training step. The training did not reach "
            "these weights, or an untrained adapter was saved."
        )
        return [Finding("error", "does_nothing", sentence)]
    if zero:
        sentence = (
            f"lora_B is zero in {len(zero)} of {len(facts.pairs)} modules, which therefore do nothing: {_some(zero)}."
        )
        return [Finding("warning", "partly_zero", sentence)]
    return [Finding("ok", "trained", "No lora_B is zero: every adapted module was trained.")]


def _all_zero(info: TensorInfo) -> bool:
    values = list(info.values())
    return bool(values) and not any(piece.any() for piece in values)


def _name_findings(facts: AdapterFacts, base_folder: Path) -> list[Finding]:
    if not facts.base_name:
        return [Finding("warning", "base_unnamed", f"{CONFIG} does not name the base that the adapter was trained on.")]
    theirs = short_name(facts.base_name)
    ours = {short_name(str(base_folder)), *_names_in_config(base_folder)}
    if theirs in ours:
        return [Finding("ok", "base_name", f"The adapter names this base: {facts.base_name}.")]
    sentence = (
        f"The adapter says that it was trained on {facts.base_name}; the base here is {base_folder.name}. All sizes fit, so it may "
        "be the same model under another name, or another version of it: make sure."
    )
    return [Finding("warning", "base_name", sentence)]


def _names_in_config(folder: Path) -> set[str]:
    try:
        name = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("_name_or_path")
    except (OSError, ValueError, AttributeError):
        return set()
    return {short_name(name)} if name else set()


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:2]) + (f" and {len(listed) - 2} more" if len(listed) > 2 else "")

"""A made-up result of one variant, with texts that no target may stumble over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.push.content import VariantResult
from tests.core.report.made import HOSTILE

TEXTS = {name: text for name, text in HOSTILE.items() if name != "long"} | {"surrogate": "a\ud800b", "nul": "a\0b"}


def made_result(**changes: Any) -> VariantResult:
    """Return it, with some fields changed."""
    whole = VariantResult(
        "sample", "qv-r8", "baseline", "0123456789abcdef" * 2,
        {"r": 8, "lora_alpha": 16.5, "use_dora": False, "target_modules": "q_proj, v_proj"} | {f"text {n}": t for n, t in TEXTS.items()},
        {"reply/rouge_l": 0.25, "reply/rouge_l.low": 0.125, "category/f1_per_class/website problem": 0.5},
        {"lorascope.run": "sample", "lorascope.reference": "baseline", "lorascope.without.reply/bleu": HOSTILE["script"]},
        {"report.html": b"<p>report</p>", "verdicts.csv": b"a,b\r\n"},
    )  # fmt: skip
    return replace(whole, **changes)

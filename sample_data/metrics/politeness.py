"""The share of replies that open with a greeting and end with a closing, in English or Chinese."""

import re

LABEL = "Politeness"
UNIT = "share"
KINDS = ("generation",)

GREETING = re.compile(r"\s*(dear|hello|hi|thank you|thanks|您好|你好|尊敬的|感谢|谢谢)", re.IGNORECASE)
CLOSING = re.compile(r"(fernhill team|regards|sincerely|yours|客服团队|此致|敬上)[\s.,!。！]*$", re.IGNORECASE)


def statistics(predictions, references):
    """Return (polite, 1) for each reply."""
    return [(bool(GREETING.match(text) and CLOSING.search(text)), 1) for text in predictions]


def value(sums):
    """Return the polite replies over all replies."""
    return sums[..., 0] / sums[..., 1]

"""Texts, and what perturbs them, for tests of the perturbations."""

from __future__ import annotations

from core.data.perturb import get_perturbation
from core.data.perturb.perturbation import Asked, seeded

ENGLISH = "Hello, I'd like to return 3 pots (order FH-88213); one cost 12.50 and it's cracked. Please tell me how!"
CHINESE = "我在3月5日买的望远镜坏了，请问可以退款吗？它一共花了649元。"
ASKED = Asked("en", "classification", ("red", "blue", "green"), "red")


def changed(name: str, text: str, asked: Asked = ASKED, *, seed: int = 0, example: str = "e1") -> str:
    return get_perturbation(name).apply(text, asked, seeded(seed, name, example, 0, "text"))


def asked(language: str | None) -> Asked:
    return Asked(language, ASKED.kind, ASKED.options, ASKED.reference)

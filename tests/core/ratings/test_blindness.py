"""Outputs by which a rater could tell who wrote them."""

from __future__ import annotations

import pytest

from core.ratings.blindness import own_names, scan


def found(text: str, *own: str) -> tuple[str, bool] | None:
    leaks = scan([("reply", "e1", "lora", text)], own)
    return (leaks[0].name, leaks[0].own) if leaks else None


@pytest.mark.parametrize(
    ("text", "name"),
    [("I am ChatGPT, how can I help?", "ChatGPT"), ("made by OpenAI.", "OpenAI"), ("我是通义千问", "通义千问"), ("Qwen2.5 here", None),
     ("I'm Qwen!", "Qwen"), ("As an AI language model, I cannot", "As an AI language model"), ("作为一个AI语言模型", "作为一个AI"),
     ("gpt 4 said", "gpt 4"), ("a claudette", None), ("the quokka sat", None), ("Mistral wind", "Mistral")],
)  # fmt: skip
def test_models_and_makers(text: str, name: str | None) -> None:
    assert found(text) == (None if name is None else (name, False))


@pytest.mark.parametrize(
    ("text", "name"),
    [("this is the baseline", "baseline"), ("QV_R8 speaking", "QV_R8"), ("qvr8", "qvr8"), ("from database", None), ("xqv-r8", None),
     ("the base", "base"), ("我是qv-r8。", "qv-r8")],
)  # fmt: skip
def test_the_studys_own_names_stand_by_themselves(text: str, name: str | None) -> None:
    assert found(text, "baseline", "qv-r8", "base", "b") == (None if name is None else (name, True))


def test_own_names_come_first_and_the_excerpt_is_short() -> None:
    (leak,) = scan([("t", "e", "v", "x " * 500 + "ChatGPT and my-lora" + " y" * 500)], ["my-lora"])
    assert leak.own and leak.name == "my-lora" and len(leak.excerpt) < 120


def test_names_of_a_study() -> None:
    assert own_names({"run1/qv-r8": 0, "baseline": 0}, ["models/SmolLM2-135M/", "cache:smol"]) == (
        "run1/qv-r8", "qv-r8", "baseline", "SmolLM2-135M", "smol",
    )  # fmt: skip

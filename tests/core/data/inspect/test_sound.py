"""Rows counted in bulk are counted as rows counted one by one."""

from __future__ import annotations

from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.inspect import sound
from core.data.inspect.roles import ROLES, order_flaws
from core.data.inspect.sound import SoundConversations, SoundTexts, in_turn
from core.data.inspect.tally import Tally
from tests.core.data.inspect.files import assistant, chat, system, user


class _Message(msgspec.Struct):
    role: str
    content: str


class _Row(msgspec.Struct):
    messages: list[_Message] = []
    text: str = ""


CHATS = [
    chat(),
    chat(system("Be brief."), user(""), assistant("é" * 5000)),
    chat(system(""), *[user("你好"), assistant("x")] * 2),
    chat(*[user("a"), assistant("bc")] * 40),
    chat(system("s" * 600), *[user(), assistant()] * 3),
]
OUT_OF_ORDER = [chat(assistant()), chat(user()), {"messages": []}, chat(user(), system(), assistant())]


@pytest.mark.parametrize("n", range(7))
def test_there_is_one_order_of_roles_that_has_no_flaw(n: int) -> None:
    sound_orders = [roles for roles in product(ROLES, repeat=n) if roles and not order_flaws(roles)]
    assert sound_orders == ([in_turn(n)] if n > 1 else [])


@given(rows=st.lists(st.sampled_from(CHATS + OUT_OF_ORDER), max_size=12), held=st.sampled_from([0, 7, 100]))
@settings(max_examples=80, deadline=None)
def test_conversations_in_bulk_are_those_one_by_one(rows: list[Any], held: int) -> None:
    alone = Tally()
    for row in rows:
        if row in CHATS:
            alone.add_row(row, "messages", conversational=True)
    bulk = SoundConversations()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sound, "HELD", held)
        taken = [len(bulk.take(msgspec.convert(rows[at : at + 3], list[_Row]))) for at in range(0, len(rows), 3)]
    counted = bulk.counted()
    assert sum(taken) == alone.rows
    counted.rows, counted.fields = alone.rows, alone.fields
    assert counted == alone


@given(texts=st.lists(st.sampled_from(["a", "", " \n", "你好", "x" * 9000]), max_size=9))
@settings(max_examples=40, deadline=None)
def test_texts_in_bulk_are_those_one_by_one(texts: list[str]) -> None:
    alone = Tally()
    for text in filter(str.strip, texts):
        alone.add_row({"text": text}, "text", conversational=False)
    bulk = SoundTexts()
    assert [row.text for row in bulk.take([_Row(text=text) for text in texts])] == [*filter(str.strip, texts)]
    counted = bulk.counted()
    assert (counted.lengths, counted.length_sum, counted.shortest, counted.longest, counted.characters()) == (
        alone.lengths, alone.length_sum, alone.shortest, alone.longest, alone.characters(),
    )  # fmt: skip

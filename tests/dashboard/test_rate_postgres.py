"""A team's database that goes while somebody rates: the answer stays on the desk and is sent again, as one action."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.ratings import RatingStore, actions, join
from dashboard.parts.rate_desk import Desk, item_key
from tests.core.ratings.postgres import WANTED, Server, programs
from tests.core.ratings.studies import Clock, make_study


def test_an_answer_outlives_postgresql(tmp_path: Path) -> None:
    found = programs()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(WANTED)
        pytest.skip(WANTED)
    server = Server(found)
    try:
        store = RatingStore(server.url, clock=Clock()).prepare()
        study = make_study(store, tmp_path, n=6)
        desk = Desk(study, join(study, "Ana"))
        item = desk.screen().item
        assert item is not None
        sent = {
            "item": item_key(item),
            "kind": "rate",
            "values": {"preference": "right"},
            "comment": "kept",
            "token": "1",
        }
        server.stop()
        desk.take(sent)
        held = desk.screen()
        assert held.item == item and held.unsent is not None and held.unsent.comment == "kept"
        assert (
            "The store of ratings: the database cannot be reached" in held.trouble and "send it again" in held.trouble
        )
        server.start()
        for _ in range(2):
            desk.take(sent)
        after = desk.screen()
        assert after.trouble == "" and after.item is not None and after.item.assignment_id != item.assignment_id
        assert list(actions(study)["value"]) == ["right"]
        store.engine.dispose()
    finally:
        server.remove()

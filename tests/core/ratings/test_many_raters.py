"""Twenty raters at once, and raters whose process is killed: no action is lost, none is doubled, nobody is refused."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from core.ratings import Criterion, RatingStore, actions, items, join, next_item, open_study
from core.ratings.sides import SIDE_BLOCK
from core.ratings.tables import ASSIGNMENTS
from tests.core.ratings.studies import answer, make_study
from tests.core.ratings.workers import Told, fast_clock, rate, rate_until_killed

N_RATERS, OVERLAP = 20, 2
CRITERIA = tuple(Criterion(name=name, label=name) for name in "abcdefgh")
N_ACTIONS = 10_000
FORK = multiprocessing.get_context("fork")


@pytest.fixture(params=["sqlite", "postgresql"])
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres_url")
        return
    # In memory where that can be: what is tested is who waits for whom, and not the disk.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield f"sqlite:///{folder}/ratings.sqlite"


@pytest.mark.slow
def test_twenty_raters_ten_thousand_actions(shared_url: str, tmp_path: Path) -> None:
    store = RatingStore(shared_url, clock=fast_clock).prepare()
    n_examples = -(-N_ACTIONS // len(CRITERIA) // OVERLAP // 2)
    study = make_study(
        store,
        tmp_path,
        n=n_examples,
        mode="score",
        raters=N_RATERS,
        overlap=OVERLAP,
        criteria=CRITERIA,
        reserve_minutes=1440,
    )
    store.engine.dispose()  # forked processes must not inherit a connection
    told = run_raters(shared_url, study.id)
    assert [one.failures for one in told] == [[]] * N_RATERS, "nobody met a lock, and nothing had to be sent again"
    frame = actions(study)
    sent = [action for one in told for action in one.stored]
    assert len(frame) == len(sent) == n_examples * 2 * OVERLAP * len(CRITERIA) >= N_ACTIONS and set(
        frame["action_id"]
    ) == set(sent)
    assert sum(one.repeated for one in told) > 0 and frame["current"].all()
    assert not frame.duplicated(["rater", "item_id", "criterion"]).any()
    assert (frame.groupby("item_id")["rater"].nunique() == OVERLAP).all() and frame["item_id"].nunique() == len(
        items(study)
    )
    store.engine.dispose()


def run_raters(url: str, study_id: str) -> list[Told]:
    pipes = [FORK.Pipe(duplex=False) for _ in range(N_RATERS)]
    workers = [
        FORK.Process(target=rate, args=(url, study_id, f"rater {number}", number, pipes[number][1]))
        for number in range(N_RATERS)
    ]
    for worker, (_, sender) in zip(workers, pipes, strict=True):
        worker.start()
        sender.close()
    told = [receiver.recv() for receiver, _ in pipes]
    for worker in workers:
        worker.join()
    return told


def test_a_killed_rater_loses_nothing_that_was_confirmed(store: RatingStore, store_url: str, tmp_path: Path) -> None:
    study = make_study(store, tmp_path, n=40)
    store.engine.dispose()
    confirmed: list[str] = []
    for kills in range(3):
        receiver, sender = FORK.Pipe(duplex=False)
        worker = FORK.Process(target=rate_until_killed, args=(store_url, study.id, sender))
        worker.start()
        sender.close()
        for _ in range(5 + kills):
            confirmed += receiver.recv()
        os.kill(worker.pid or 0, signal.SIGKILL)
        worker.join()
        while receiver.poll():
            try:
                confirmed += receiver.recv() or ()
            except EOFError:
                break
    again = open_study(RatingStore(store_url, clock=fast_clock), study.id)
    frame = actions(again)
    assert set(confirmed) <= set(frame["action_id"]) and len(frame) <= len(confirmed) + 3
    assert not frame.duplicated(["item_id"]).any()
    rater = join(again, "Ana")
    with again.store.reading() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        left = connection.execute(select(ASSIGNMENTS).where(ASSIGNMENTS.c.open.is_(True))).all()
    assert len(left) <= 1
    item = next_item(again, rater)
    if left:
        assert getattr(item, "assignment_id", None) == left[0].id, "what was on screen is on screen again"
    while hasattr(item, "outputs"):
        answer(again, rater, item)
        item = next_item(again, rater)
    whole = actions(again)
    assert len(whole) == 40 and whole["item_id"].is_unique
    for start in range(0, 40, SIDE_BLOCK):
        assert (whole["variant_left"][start : start + SIDE_BLOCK] == "lora").sum() == SIDE_BLOCK // 2
    again.store.engine.dispose()

"""Who is given what: coverage, reservations, sides, repeats, gold. Simulated studies of many raters, and single steps."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from core.errors import InputError
from core.ratings import (
    Done,
    GoldItem,
    Rater,
    RatingItem,
    RatingStore,
    Study,
    actions,
    items,
    join,
    next_item,
    progress,
    skip,
    undo,
)
from core.ratings.records import REPEAT_GAP
from core.ratings.sides import SIDE_BLOCK
from core.ratings.tables import ASSIGNMENTS
from tests.core.ratings.studies import Clock, answer, make_study, rate_all, shown

EXAMPLES = 8


def simulate(study: Study, n_raters: int, order: random.Random, leave: float = 0.0) -> list[list[RatingItem]]:
    """Let raters take turns at random until nothing is left for anybody; some leave with an item on screen."""
    raters = {number: join(study, f"rater {number}") for number in range(n_raters)}
    seen: list[list[RatingItem]] = [[] for _ in range(n_raters)]
    while raters:
        number = order.choice(list(raters))
        item = next_item(study, raters[number])
        if isinstance(item, Done) or order.random() < leave:
            del raters[number]
            continue
        answer(study, raters[number], item)
        seen[number].append(item)
        check_coverage(study)
    return seen


def check_coverage(study: Study) -> None:
    frame = actions(study, current_only=True)
    own = frame[~frame[["practice", "gold", "repeat"]].any(axis=1)]
    assert not own.duplicated(["rater", "item_id"]).any()
    table = items(study)
    counts = table[~table["identical"]].set_index("item_id")["needed"].to_frame()
    counts["n"] = own["item_id"].value_counts()
    counts["n"] = counts["n"].fillna(0)
    with study.store.reading() as connection:
        on_screen = select(ASSIGNMENTS.c.item_id).where(ASSIGNMENTS.c.open.is_(True), ASSIGNMENTS.c.purpose == "item")
        for item_id in connection.execute(on_screen).scalars():  # of raters who left
            counts.loc[item_id, "n"] += 1
    assert (counts["n"] <= counts["needed"]).all(), "never more often than asked"
    assert counts["n"].max() - counts["n"].min() <= 1 or counts["needed"].max() > 2


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    n=st.integers(3, 9), n_raters=st.integers(2, 3), overlap=st.integers(1, 2), seed=st.integers(0, 10_000),
    repeat_share=st.sampled_from([0.0, 0.34]), leave=st.sampled_from([0.0, 0.05]),
)  # fmt: skip
def test_any_order_of_raters_covers_evenly(
    n: int, n_raters: int, overlap: int, seed: int, repeat_share: float, leave: float
) -> None:
    with TemporaryDirectory() as folder:
        store = RatingStore(f"sqlite:///{folder}/r.sqlite", clock=Clock()).prepare()
        study = make_study(
            store, Path(folder), n=n, raters=n_raters, overlap=overlap, seed=seed, repeat_share=repeat_share
        )
        simulate(study, n_raters, random.Random(seed), leave)
        frame = actions(study)
        if not leave:
            own = frame[~frame["repeat"]]
            assert (own["item_id"].value_counts() == overlap).all() and own["item_id"].nunique() == n
        check_sides(frame)


def check_sides(frame) -> None:  # noqa: ANN001
    own = frame[~frame["repeat"]]
    for _, rows in own.groupby("rater"):
        rows = rows.sort_values("position")
        assert list(rows["position"]) == list(range(len(rows)))
        for start in range(0, len(rows) - SIDE_BLOCK + 1, SIDE_BLOCK):
            assert (rows["variant_left"].iloc[start : start + SIDE_BLOCK] == "lora").sum() == SIDE_BLOCK // 2
    first = own.set_index("assignment_id")
    for row in frame[frame["repeat"]].itertuples():
        before = first.loc[row.repeat_of]
        assert (row.variant_left, row.variant_right) == (before["variant_right"], before["variant_left"])
        assert (row.hash_left, row.hash_right) == (before["hash_right"], before["hash_left"]) and row.rater == before[
            "rater"
        ]


def test_repeats_come_back_later_swapped_and_once(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path, n=40, repeat_share=0.125)
    rater = join(study, "Ana")
    rate_all(study, rater)
    frame = actions(study)
    assert len(frame) == 45 and frame["repeat"].sum() == 5 and frame[frame["repeat"]]["item_id"].is_unique
    check_sides(frame)
    at = {row.assignment_id: place for place, row in enumerate(frame.itertuples())}
    gaps = [at[row.assignment_id] - at[row.repeat_of] for row in frame[frame["repeat"]].itertuples()]
    assert sorted(gaps)[1] > REPEAT_GAP and min(gaps) > 3, "only the last can come sooner, when the list is at its end"
    assert progress(study, rater).rater_done == 45


def test_scores_and_rankings_have_repeats_and_balanced_orders(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path, n=9, adapters=("one", "two"), mode="rank", repeat_share=0.34)
    rate_all(study, join(study, "Ana"))
    frame = actions(study)
    own = frame[~frame["repeat"]].set_index("assignment_id")
    for place in range(3):
        assert Counter(shown[place] for shown in own["shown"]) == {"baseline": 3, "one": 3, "two": 3}
    assert frame["repeat"].any()
    for row in frame[frame["repeat"]].itertuples():
        assert row.shown == tuple(reversed(own.loc[row.repeat_of]["shown"]))


def test_a_reload_shows_the_same(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path)
    rater = join(study, "Ana")
    item = shown(study, rater)
    assert [next_item(study, rater) for _ in range(3)] == [item] * 3
    assert shown(study, join(study, "ana")) == item
    assert shown(study, join(study, "Ben")).assignment_id != item.assignment_id


def test_two_raters_are_not_given_one_item(store: RatingStore, tmp_path: Path, clock: Clock) -> None:
    study = make_study(store, tmp_path, n=2, reserve_minutes=5)
    ana, ben, cem = (join(study, name) for name in ("Ana", "Ben", "Cem"))
    first, second = shown(study, ana), shown(study, ben)
    assert set(first.outputs) != set(second.outputs)
    waiting = next_item(study, cem)
    assert isinstance(waiting, Done) and waiting.state == "waiting" and "Come back in 5 minutes" in waiting.message
    answer(study, ben, second)
    clock.pass_minutes(6)
    third = shown(study, cem)
    assert set(third.outputs) == set(first.outputs), "the reservation is over"
    answer(study, cem, third)
    done = next_item(study, ana)
    assert isinstance(done, Done) and done.state == "finished"
    assert answer(study, ana, first).outcome == "stored", "an answer that comes late is kept all the same"
    assert len(actions(study)) == 3


def test_a_reservation_is_renewed_where_nobody_else_has_it(store: RatingStore, tmp_path: Path, clock: Clock) -> None:
    study = make_study(store, tmp_path, n=2, reserve_minutes=5)
    ana = join(study, "Ana")
    item = shown(study, ana)
    clock.pass_minutes(60)
    again = shown(study, ana)
    assert (again.assignment_id, again.outputs) == (item.assignment_id, item.outputs) and again.shown_at > item.shown_at
    answer(study, ana, again)
    assert actions(study)["seconds"].iloc[0] < 60, "the hour away is not time on the item"


def test_a_clock_that_goes_back_blocks_nothing(store: RatingStore, tmp_path: Path, clock: Clock) -> None:
    study = make_study(store, tmp_path, n=2)
    ana, ben = join(study, "Ana"), join(study, "Ben")
    first = shown(study, ana)
    clock.pass_minutes(-120)
    assert answer(study, ana, first).outcome == "stored"
    left = shown(study, ana)
    clock.pass_minutes(-120)
    taken = next_item(study, ben)
    assert isinstance(taken, RatingItem) and set(taken.outputs) == set(left.outputs), (
        "a reservation from the future has no force"
    )
    answer(study, ben, taken)
    clock.pass_minutes(-120)
    item = undo(study, ana)
    assert item is not None and answer(study, ana, item, "tie").outcome == "stored"
    frame = actions(study)
    assert list(frame["number"]) == sorted(frame["number"]) and list(frame[frame["current"]]["value"]) == [
        "left",
        "tie",
    ]
    assert frame["seconds"].isna().sum() >= 1, "a time that ran backwards is no time"


def test_gold_is_mixed_in_and_not_to_be_told_apart(lite: RatingStore, tmp_path: Path) -> None:
    gold = tuple(GoldItem(prompt=f"{n}?", outputs=(f"good {n}", f"bad {n}")) for n in range(3))
    study = make_study(lite, tmp_path, n=30, gold=gold, raters=2, overlap=2)
    places: dict[str, list[int]] = defaultdict(list)
    for name in ("Ana", "Ben"):
        seen = rate_all(study, join(study, name))
        places[name] = [place for place, item in enumerate(seen) if item.prompt.endswith("?")]
        assert len(seen) == 33 and len(places[name]) == 3 and {item.practice for item in seen} == {False}
    assert all(place < 30 for name in places for place in places[name]) and places["Ana"] != places["Ben"]
    frame = actions(study)
    left_is_good = (frame["variant_left"] == "gold:1").astype(object).where(frame["gold"], None)
    assert [value for value in frame["correct"] if value is not None] == [
        value for value in left_is_good if value is not None
    ]


def test_more_gold_than_items_still_ends(lite: RatingStore, tmp_path: Path) -> None:
    gold = tuple(GoldItem(prompt=f"{n}?", outputs=("good", "bad")) for n in range(5))
    assert len(rate_all(make_study(lite, tmp_path, n=2, gold=gold), join(open_first(lite), "Ana"))) == 7


def open_first(store: RatingStore) -> Study:
    from core.ratings import list_studies, open_study

    return open_study(store, list_studies(store)[0].id)


def test_a_skipped_item_goes_to_somebody_else(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path, n=1)
    ana, ben = join(study, "Ana"), join(study, "Ben")
    assert skip(study, ana, shown(study, ana), "text is broken").outcome == "stored"
    assert isinstance(next_item(study, ana), Done)
    assert progress(study, ana).rater_skipped == 1 and progress(study).answered == 0
    assert len(rate_all(study, ben)) == 1 and progress(study).answered == 1


def test_strangers_are_refused(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path)
    for step in (next_item, undo):
        with pytest.raises(InputError, match="'Eve' is not a rater of study"):
            step(study, Rater("nobody", "Eve", 1))


def test_progress_counts_and_times(store: RatingStore, tmp_path: Path, clock: Clock) -> None:
    study = make_study(store, tmp_path, n=6, identical=(0,), raters=2, overlap=2)
    ana, ben = join(study, "Ana"), join(study, "Ben")
    before = progress(study, ana)
    assert (before.n_items, before.n_identical, before.asked, before.answered, before.n_raters) == (5, 1, 10, 0, 2)
    assert before.rater_left == 5 and before.seconds_each is None and before.seconds_left is None
    rate_all(study, ana, 2)
    assert progress(study, ana).seconds_each is None
    rate_all(study, ana, 1)
    after = progress(study, ana)
    assert after.rater_done == 3 and after.rater_left == 2 and after.answered == 3
    assert after.seconds_each is not None and after.seconds_left == pytest.approx(2 * after.seconds_each)
    assert progress(study, ben).rater_left == 5 and "lora" not in repr(after)

"""Who computes what next: everything once, the longest first, variants seldom changed, what got lost again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.jobs.cluster.queue import WorkQueue
from core.plan import Batch, Part


def part(index: int, tokens: int) -> Part:
    return Part(index, (Batch("score", (), tokens),))


SIZES = st.lists(st.lists(st.integers(1, 1000), max_size=12), min_size=1, max_size=4)


def work_of(sizes: list[list[int]]) -> dict[str, list[Part]]:
    return {f"v{k}": [part(i, tokens) for i, tokens in enumerate(some)] for k, some in enumerate(sizes)}


@given(sizes=SIZES, workers=st.integers(1, 5), dies_at=st.integers(0, 20))
def test_every_part_is_done_once_even_if_a_worker_dies(sizes: list[list[int]], workers: int, dies_at: int) -> None:
    work = work_of(sizes)
    queue = WorkQueue(work)
    done, held, step = [], {worker: [] for worker in range(workers)}, 0
    while True:
        for worker, shares in held.items():
            while len(shares) < 2 and (share := queue.take(worker)):
                shares.append(share)
        busy = [worker for worker, shares in held.items() if shares]
        if not busy:
            break
        if step == dies_at:
            queue.give_back(busy[0], held[busy[0]])
            held[busy[0]] = []
        else:
            done.append(held[busy[-1]].pop(0))
        step += 1
    assert len(queue) == 0
    assert sorted((s.variant, s.part.index) for s in done) == [(v, p.index) for v, parts in work.items() for p in parts]


def test_the_longest_part_is_handed_out_first() -> None:
    queue = WorkQueue({"v": [part(0, 5), part(1, 50), part(2, 20), part(3, 50)]})
    assert [share.part.index for share in iter(lambda: queue.take(0), None)] == [1, 3, 2, 0]


def test_a_worker_stays_with_its_variant_then_helps_where_most_is_left() -> None:
    queue = WorkQueue({"a": [part(i, 10) for i in range(3)], "b": [part(i, 10) for i in range(5)], "c": [part(0, 12)]})
    first, *others = [queue.take(0), *(queue.take(1) for _ in range(5))]
    assert first is not None and first.variant == "b"
    assert [share.variant for share in others if share] == ["a", "a", "a", "b", "b"]


def test_what_got_lost_is_handed_out_next() -> None:
    queue = WorkQueue({"v": [part(i, 10 - i) for i in range(4)]})
    lost = [share for share in (queue.take(0), queue.take(0)) if share]
    queue.give_back(0, lost)
    assert [queue.take(1), queue.take(1)] == lost

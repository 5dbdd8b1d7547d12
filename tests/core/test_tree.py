"""The token tree: shared once, and each token sees its ancestors alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.tree import TokenTree

SEQUENCES = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=8)


def test_shared_beginnings_are_stored_once() -> None:
    tree = TokenTree()
    first = tree.add([5, 6, 7])
    second = tree.add([5, 6, 8])
    assert first[:2] == second[:2]
    assert first[2] != second[2]
    assert len(tree) == 4
    assert tree.depths == [0, 1, 2, 2]


@given(SEQUENCES)
def test_a_path_of_the_tree_is_the_sequence_and_sees_itself_alone(sequences: list[list[int]]) -> None:
    tree = TokenTree()
    paths = [tree.add(sequence) for sequence in sequences]
    visible = tree.visible()
    for sequence, path in zip(sequences, paths, strict=True):
        assert [tree.tokens[node] for node in path] == sequence
        assert [tree.depths[node] for node in path] == list(range(len(sequence)))
        assert set(visible[path[-1]].nonzero()[0]) == set(path)
    assert len(tree) == len({tuple(s[:k]) for s in sequences for k in range(1, len(s) + 1)})

"""The token tree: shared once, and each token sees its ancestors alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.tree import ROOT, Header, TokenTree, shared_header

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


def whole(tree: TokenTree, node: int) -> list[int]:
    """Return the tokens from the very beginning, the header's included, to a node."""
    found, anchor = [], tree.anchors[node]
    while node != ROOT:
        found.append(tree.tokens[node])
        node = tree.parents[node]
    header = [tree.header.tokens[k] for k in tree.header.path(anchor)] if tree.header else []
    return [*header, *found[::-1]]


@given(st.lists(SEQUENCES, min_size=1, max_size=6), st.integers(1, 30))
def test_below_a_header_every_prompt_is_itself(rows: list[list[list[int]]], most: int) -> None:
    header = shared_header(rows, most=most)
    if header is not None:
        assert len(header) <= most
        assert all(parent < node for node, parent in enumerate(header.parents))
    for prompts in rows:
        tree = TokenTree(header)
        for prompt in prompts:
            last = tree.add(prompt)[-1]
            assert whole(tree, last) == prompt
            assert tree.depths[last] == len(prompt) - 1
            longer = tree.add([9, 8], last)
            assert whole(tree, longer[-1]) == [*prompt, 9, 8]
            assert tree.depths[longer[-1]] == len(prompt) + 1


def test_the_header_is_what_many_rows_begin_with() -> None:
    rows = [[[1, 2, 3, 4, k]] for k in range(10, 30)] + [[[1, 2, 7, 7, 7]]]
    header = shared_header(rows, most=100)
    assert header == Header((1, 2, 3, 4), (ROOT, 0, 1, 2))
    assert header.walk([1, 2, 3, 9]) == (2, 3)
    assert header.walk([5]) == (ROOT, 0)
    assert shared_header(rows, most=2) == Header((1, 2), (ROOT, 0))
    assert shared_header([[[1, 2]], [[3, 4]]], most=100) is None


def test_the_last_token_of_a_prompt_is_asked_for_and_no_part_of_the_header() -> None:
    header = shared_header([[[1, 2, 3]], [[1, 2, 3]], [[1, 2]]], most=100)
    assert header == Header((1, 2), (ROOT, 0))
    assert len(TokenTree(header).add([1, 2])) == 1

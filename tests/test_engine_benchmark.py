"""The workloads of the engine's benchmark are cut to measure, and its figures are what they say."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from benchmarks.engine import Benchmark, _cost
from benchmarks.engine_limit import arithmetic
from benchmarks.engine_work import make_rows
from core.data.prompt import PromptRenderer
from tests.tiny import make_base


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("engine-benchmark") / "base")


def test_prompts_share_a_header_and_have_the_lengths_that_are_said(base: Path) -> None:
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    rows = make_rows(base, 12, seed=3)
    assert rows == make_rows(base, 12, seed=3) != make_rows(base, 12, seed=4)
    header = rows[0]["prompt"][:39]  # forty tokens of one letter each, the first a space that is not there
    assert all(row["prompt"].startswith(header) for row in rows)
    lengths = [len(tokenizer.encode(row["prompt"]).ids) for row in rows]
    assert all(39 + 30 <= length <= 40 + 250 for length in lengths)
    assert len(set(lengths)) > 6
    for row in rows:
        assert len(set(row["options"])) == 5
        assert row["right"] in row["options"]
        assert all(2 <= len(tokenizer.encode(f" {option}").ids) <= 6 for option in row["options"])


def test_answers_end_where_a_sentence_does(base: Path, tmp_path: Path) -> None:
    benchmark = made(base, tmp_path)
    ends = PromptRenderer(benchmark.model).stop_ids
    assert PromptRenderer(base).stop_ids < ends
    assert Tokenizer.from_file(str(base / "tokenizer.json")).encode(".").ids[-1] in ends


def test_the_needed_arithmetic_counts_what_is_shared_once(base: Path, tmp_path: Path) -> None:
    benchmark = made(base, tmp_path)
    benchmark.rows = [
        {"prompt": "abcd", "reference": "xy", "options": ["x", "xy"]}, {"prompt": "abce", "reference": "xy", "options": ["x"]}
    ]  # fmt: skip
    body = 2 * (2 * 32 * 8 * (4 + 2) + 3 * 32 * 64)
    output = 32 * PromptRenderer(base).tokenizer.get_vocab_size()
    # abc, then d and e, and below each the continuation but for its last token: a space, and x
    assert arithmetic(benchmark, "likelihood") == 2.0 * (body * (5 + 2 * 2) + output * (2 * 3))
    assert arithmetic(benchmark, "choice") == 2.0 * (body * (5 + 2 + 1) + output * (2 + 3 + 2))
    assert arithmetic(benchmark, "answer") == 2.0 * (body * 5 + output * 2)


def test_each_process_loads_and_does_its_variants() -> None:
    one = {"seconds": {"load": [2.0, 3.0], "choice": [10.0, 19.0]}, "peak": 100, "ready": 40}
    two = {"seconds": {"load": [3.0, 4.0], "choice": [11.0, 20.0]}, "peak": 90, "ready": 10}
    assert _cost([one, two], "choice") == {"wall": 26.0, "cpu": 46.0, "above": 80}


def made(base: Path, folder: Path) -> Benchmark:
    options = Namespace(
        model=base, adapters=[], prompts=2, seed=0, counts="0", device="cpu", dtype="float32", skip="", json=True
    )
    return Benchmark(options, folder)

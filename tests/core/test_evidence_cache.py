"""The store of evidence: what its key holds and what it does not, and what of it comes back."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import evidence_cache
from core.evidence_cache import EvidenceCache, VariantIdentity
from core.evidence_entries import list_entries, older_than
from core.plan import Batch, Part
from core.records import Evidence, OptionScores
from core.requests import Continuation, GenerateRequest, ScoreRequest
from core.spec import Settings
from core.store import EVIDENCE_SCHEMA, evidence_table

IDENTITY = VariantIdentity("base/config", "adapter/config", 1.0, "float32", "cpu")
SETTINGS = Settings(max_new_tokens=8, dtype="float32", device="cpu")
STOP = frozenset({2})
ANSWERS = (Continuation("red", (5, 2), (0, 3), 3), Continuation("blue", (6, 2), (0, 4), 4))
PART = Part(
    0,
    (
        Batch("score", ((ScoreRequest("colour", "e1", "", "options", (1, 4), ANSWERS),),), 6),
        Batch("generate", ((GenerateRequest("reply", "e1", "", (1, 4, 7)),),), 11),
    ),
)


def cache_in(
    folder: Path, settings: Settings = SETTINGS, tokenizer: str = "t", stop: frozenset[int] = STOP
) -> EvidenceCache:
    return EvidenceCache(folder, settings, tokenizer, stop, base_name="models/base")


def scores(name: str = "lora", task: str = "colour") -> pa.Table:
    return evidence_table(
        [Evidence(task, name, "e1", "", option_scores=OptionScores(("red", "blue"), (-1.0, -2.0), (2, 2), (3, 4)))]
    )


def other_part(change: str) -> Part:
    """Return the part with one thing that is asked changed."""
    asked, batch = PART.batches[0].requests[0], PART.batches[0]
    assert isinstance(asked, ScoreRequest)
    first = asked.continuations[0]
    changed = {
        "prompt": replace(asked, prompt=(1, 4, 4)),
        "option": replace(asked, continuations=(replace(first, ids=(9, 2)), *asked.continuations[1:])),
        "fewer options": replace(asked, continuations=asked.continuations[:1]),
        "kind": replace(asked, kind="likelihood"),
        "example": replace(asked, example_id="e2"),
        "task": replace(asked, task="other"),
        "item": replace(asked, item="tag"),
    }
    if change == "own temperature":
        asks = replace(PART.batches[1].requests[0], temperature=0.5)
        return replace(PART, batches=(batch, replace(PART.batches[1], rows=((asks,),))))
    if change == "batching":
        return replace(PART, batches=PART.batches[::-1])
    return replace(PART, batches=(replace(batch, rows=((changed[change],),)), *PART.batches[1:]))


OTHER_IDENTITIES = {
    "base weights or config": replace(IDENTITY, base="other/config"),
    "adapter weights or config": replace(IDENTITY, adapter="other/config"),
    "no adapter": replace(IDENTITY, adapter=None),
    "scale": replace(IDENTITY, scale=0.5),
    "precision": replace(IDENTITY, dtype="bfloat16"),
    "kind of device": replace(IDENTITY, device="cuda"),
}
OTHER_SETTINGS = {
    "longest answer": {"max_new_tokens": 9},
    "temperature": {"temperature": 0.7},
    "top p": {"top_p": 0.9},
    "stop strings": {"stop": ("\n",)},
    "seed": {"seed": 1},
}
OTHER_PARTS = (
    "prompt", "option", "fewer options", "kind", "example", "task", "item", "own temperature", "batching",
)  # fmt: skip


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    cache_in(folder).put(IDENTITY, PART, scores())
    return folder


@pytest.mark.parametrize("change", OTHER_IDENTITIES)
def test_another_model_is_another_key(filled: Path, change: str) -> None:
    assert cache_in(filled).has(IDENTITY, PART)
    assert not cache_in(filled).has(OTHER_IDENTITIES[change], PART)


@pytest.mark.parametrize("change", OTHER_SETTINGS)
def test_other_decoding_is_another_key(filled: Path, change: str) -> None:
    settings = Settings.model_validate(SETTINGS.model_dump() | OTHER_SETTINGS[change])
    assert not cache_in(filled, settings).has(IDENTITY, PART)


@pytest.mark.parametrize("change", OTHER_PARTS)
def test_another_request_is_another_key(filled: Path, change: str) -> None:
    assert not cache_in(filled).has(IDENTITY, other_part(change))


def test_another_tokenizer_template_stop_token_or_engine_is_another_key(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not cache_in(filled, tokenizer="u").has(IDENTITY, PART)
    assert not cache_in(filled, stop=frozenset({2, 3})).has(IDENTITY, PART)
    monkeypatch.setattr(evidence_cache, "ENGINE_VERSION", evidence_cache.ENGINE_VERSION + 1)
    assert not cache_in(filled).has(IDENTITY, PART)


@given(
    st.tuples(
        st.sampled_from([IDENTITY, *OTHER_IDENTITIES.values()]),
        st.sampled_from([{}, *OTHER_SETTINGS.values()]),
        st.sampled_from([PART, *map(other_part, OTHER_PARTS)]),
        st.sampled_from(["t", "u"]),
    ),
    st.tuples(
        st.sampled_from([IDENTITY, *OTHER_IDENTITIES.values()]),
        st.sampled_from([{}, *OTHER_SETTINGS.values()]),
        st.sampled_from([PART, *map(other_part, OTHER_PARTS)]),
        st.sampled_from(["t", "u"]),
    ),
)
def test_two_keys_are_the_same_only_if_all_is_the_same(one: tuple, other: tuple) -> None:
    def path(identity: VariantIdentity, change: dict, part: Part, tokenizer: str) -> Path:
        settings = Settings.model_validate(SETTINGS.model_dump() | change)
        return cache_in(Path("x"), settings, tokenizer)._path(identity, part)

    assert (path(*one) == path(*other)) == (one == other)


def test_names_and_what_moves_no_number_are_no_part_of_the_key(filled: Path) -> None:
    calm = Settings.model_validate(
        SETTINGS.model_dump() | {"probe": False, "batch_tokens": 512, "device": "auto", "dtype": "auto"}
    )
    renamed = EvidenceCache(filled, calm, "t", STOP, base_name="another name")
    found = renamed.get(IDENTITY, replace(PART, index=7), "new name")
    assert found is not None
    assert found["variant"].to_pylist() == ["new name"]
    assert found.drop_columns(["variant"]).equals(scores().drop_columns(["variant"]))


def test_the_key_of_what_was_kept_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_cache, "ENGINE_VERSION", 1)
    asked = cast("Part", SimpleNamespace(fingerprint="f" * 64))
    assert cache_in(Path("x"))._path(IDENTITY, asked) == Path(
        "x/4f/4f015fd832b87069d15691933ddf68eb0f67313b0b04a457090c51c0e32e0cef.parquet"
    )


def test_what_is_kept_comes_back_without_what_it_says_of_itself(filled: Path) -> None:
    found = cache_in(filled).get(IDENTITY, PART, "lora")
    assert found is not None
    assert found.equals(scores())
    assert found.schema.equals(EVIDENCE_SCHEMA, check_metadata=True)


def test_an_entry_says_what_it_is_of(filled: Path) -> None:
    (entry,) = list_entries(filled)
    assert entry.origin is not None
    assert (entry.origin.variant, entry.origin.base_name, entry.origin.tasks) == ("lora", "models/base", ("colour",))
    assert entry.origin.key["identity"] == vars(IDENTITY)
    assert entry.origin.asked == 2
    assert entry.n_bytes == (filled / entry.shelf / entry.name).stat().st_size


def test_to_find_an_entry_is_to_use_it(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    cache.put(IDENTITY, PART, scores())
    path = cache._path(IDENTITY, PART)
    os.utime(path, (1, 1))
    assert older_than(list_entries(tmp_path), 3600)
    assert cache.get(IDENTITY, PART, "lora") is not None
    assert not older_than(list_entries(tmp_path), 3600)


def test_a_damaged_entry_is_not_found_and_written_anew(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    cache.put(IDENTITY, PART, scores())
    path = cache._path(IDENTITY, PART)
    path.write_bytes(path.read_bytes()[:-20])
    assert cache.get(IDENTITY, PART, "lora") is None
    assert list_entries(tmp_path)[0].origin is None
    cache.put(IDENTITY, PART, scores())
    assert cache.get(IDENTITY, PART, "lora") is not None


def test_a_cache_that_cannot_be_written_is_said_once_and_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    said: list[str] = []
    cache = EvidenceCache(tmp_path / "taken", SETTINGS, "t", STOP, warn=said.append)
    cache.put(IDENTITY, PART, scores())
    cache.put(replace(IDENTITY, scale=2.0), PART, scores())
    assert len(said) == 1 and "the evidence cache cannot be written" in said[0]
    assert cache.get(IDENTITY, PART, "lora") is None

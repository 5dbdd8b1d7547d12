"""What lies in the evidence cache: what each entry says of itself, which are taken away, and that nothing else ever is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core import evidence_cache
from core.errors import InputError
from core.evidence_cache import VariantIdentity, decoding_of, settings_text
from core.evidence_entries import beyond, group_entries, list_entries, not_of, older_than, read_origin, remove
from core.spec import Settings
from core.store import write_table
from tests.core.test_evidence_cache import IDENTITY, PART, SETTINGS, cache_in, other_part, scores


def kept(folder: Path) -> list[VariantIdentity]:
    """Keep four entries of two adapters, used one second after the other."""
    found = [replace(IDENTITY, adapter=name) for name in ("a", "a", "b", "b")]
    for number, identity in enumerate(found):
        part = other_part("prompt") if number % 2 else PART
        cache = cache_in(folder)
        cache.put(identity, part, scores(f"lora-{identity.adapter}"))
        os.utime(cache._path(identity, part), (1000 + number, 1000 + number))
    return found


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    kept(tmp_path)
    entries = list_entries(tmp_path)
    assert [entry.used for entry in entries] == [1000, 1001, 1002, 1003]
    total = sum(entry.n_bytes for entry in entries)
    assert beyond(entries, total) == []
    assert beyond(entries, total - 1) == entries[:1]
    assert [entry.used for entry in beyond(entries, 0)] == [1003, 1002, 1001, 1000]
    assert older_than(entries, 100, now=1101.5) == entries[:2]
    freed = remove(tmp_path, beyond(entries, total - 1))
    assert freed == entries[0].n_bytes
    assert list_entries(tmp_path) == entries[1:]


def test_a_clock_that_was_set_back_makes_nothing_old(tmp_path: Path) -> None:
    kept(tmp_path)
    entries = list_entries(tmp_path)
    assert [entry.age(now=0) for entry in entries] == [0, 0, 0, 0]
    assert older_than(entries, 0, now=500) == []


def test_entries_of_one_model_are_one_group_and_unknown_ones_come_last(tmp_path: Path) -> None:
    kept(tmp_path)
    unknown = tmp_path / "ab" / f"{'ab' * 32}.parquet"
    write_table(unknown, scores())
    groups = group_entries(list_entries(tmp_path))
    assert [(group.origin.variant if group.origin else None, len(group.entries)) for group in groups] == [
        ("lora-b", 2), ("lora-a", 2), (None, 1),
    ]  # fmt: skip


def test_what_no_run_has_is_told_by_model_and_settings(tmp_path: Path) -> None:
    identities = kept(tmp_path)
    write_table(tmp_path / "ab" / f"{'ab' * 32}.parquet", scores())
    entries = list_entries(tmp_path)

    def told(identity: VariantIdentity, settings: Settings = SETTINGS, tokenizer: str = "t") -> str:
        return settings_text({"identity": vars(identity), "tokenizer": tokenizer, "decoding": decoding_of(settings)})

    both = {told(one) for one in identities}
    assert not_of(entries, both) == []
    assert [entry.origin.variant for entry in not_of(entries, {told(identities[0])}) if entry.origin] == ["lora-b"] * 2
    assert len(not_of(entries, {told(one, tokenizer="u") for one in identities})) == 4
    warm = Settings.model_validate(SETTINGS.model_dump() | {"temperature": 1.0})
    assert len(not_of(entries, {told(one, warm) for one in identities})) == 4


def test_what_another_engine_computed_is_found_by_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identities = kept(tmp_path)
    monkeypatch.setattr("core.evidence_entries.ENGINE_VERSION", evidence_cache.ENGINE_VERSION + 1)
    kept_by = {
        settings_text({"identity": vars(one), "tokenizer": "t", "decoding": decoding_of(SETTINGS)})
        for one in identities
    }
    assert len(not_of(list_entries(tmp_path), kept_by)) == 4


@pytest.mark.parametrize(
    "told",
    [b"{", b"[]", b"null", b"\xff\xfe", b'{"identity": 1, "engine": 1, "tokenizer": "t", "decoding": {}, "stop": []}', b'{"asked": NaN}'],
)  # fmt: skip
def test_an_entry_that_talks_nonsense_is_of_unknown_origin(tmp_path: Path, told: bytes) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(scores().replace_schema_metadata({evidence_cache.ORIGIN_KEY: told}), path)
    assert read_origin(path) is None


def test_only_the_caches_own_files_are_touched_and_no_link_is_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "w" / "evidence", tmp_path / "outside"
    kept(folder)
    outside.mkdir()
    names = [f"{letter * 64}.parquet" for letter in "cd"]
    for name in names:
        write_table(outside / name, scores())
    (folder / "cc").symlink_to(outside, target_is_directory=True)
    (folder / "dd").mkdir()
    (folder / "dd" / names[1]).symlink_to(outside / names[1])
    for other in ("notes.txt", "dd/readme.md", "dd/short.parquet"):
        (folder / other).write_text("mine")
    entries = list_entries(folder)
    assert len(entries) == 4
    linked = [replace(entries[0], shelf="cc", name=names[0])]
    remove(folder, [*entries, *linked])
    assert list_entries(folder) == []
    assert all((outside / name).is_file() for name in names)
    assert all((folder / other).is_file() for other in ("notes.txt", "dd/readme.md", "dd/short.parquet"))


def test_behind_a_folder_that_is_a_link_nothing_is_deleted(tmp_path: Path) -> None:
    kept(tmp_path / "real")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real", target_is_directory=True)
    with pytest.raises(InputError, match="this is a link; nothing is deleted behind it"):
        remove(link, list_entries(link))
    assert len(list_entries(tmp_path / "real")) == 4


def test_what_a_killed_process_left_unfinished_goes_after_an_hour(tmp_path: Path) -> None:
    kept(tmp_path)
    shelf = next(tmp_path.iterdir())
    old, new = (shelf / f".{'e' * 64}.parquet-{name}" for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (1000, 1000))
    assert remove(tmp_path, []) == 4
    assert not old.exists() and new.exists()
    assert len(list_entries(tmp_path)) == 4


def test_an_entry_that_is_gone_already_frees_nothing(tmp_path: Path) -> None:
    kept(tmp_path)
    entries = list_entries(tmp_path)
    assert remove(tmp_path, entries) > 0
    assert remove(tmp_path, entries) == 0
    assert list_entries(tmp_path / "never made") == []

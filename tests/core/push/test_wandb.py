"""What was written for Weights & Biases: the offline file, read record by record through its own protocol."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.core.push.made import TEXTS, made_result

pytest.importorskip("wandb", reason="the extra wandb is not installed")

from core.push.wandb import push  # noqa: E402

_HEADER, _BLOCK, _FIRST = 7, 32_768, 7
"""Bytes of a record's header, of a block, and of the file's own header: LevelDB's log format."""


def records(path: Path) -> Iterator[Any]:
    """Yield the records of an offline file; the library itself reads it in its compiled part alone."""
    messages: Any = import_module("wandb.proto.wandb_internal_pb2")
    data, at, whole = path.read_bytes(), _FIRST, b""
    while at + _HEADER <= len(data):
        left = _BLOCK - at % _BLOCK
        if left < _HEADER:
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        whole, at = whole + data[at + _HEADER : at + _HEADER + length], at + _HEADER + length
        if kind in (1, 4):  # whole, or the last piece
            record = messages.Record()
            record.ParseFromString(whole)
            yield record
            whole = b""


def of_kind(folder: str, kind: str) -> list[Any]:
    (path,) = Path(folder).glob("*.wandb")
    return [getattr(one, kind) for one in records(path) if one.WhichOneof("record_type") == kind]


def values(updates: Any) -> dict[str, Any]:
    return {one.key: json.loads(one.value_json) for one in updates if one.key}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wandb")


def test_a_variant_is_an_offline_run_with_everything_written_once(folder: Path) -> None:
    result = made_result()
    (pushed,) = push([result], str(folder), "support-desk")
    assert pushed.change == "new" and Path(pushed.where).parent == folder / "wandb"
    (run,) = of_kind(pushed.where, "run")
    assert (run.run_id, run.project, run.display_name) == (result.key, "support-desk", "sample: qv-r8")
    assert run.run_group == "sample"
    config = values(run.config.update)
    assert (config["r"], config["lora_alpha"], config["use_dora"]) == (8, 16.5, False)
    assert {name: config[f"text {name}"] for name in TEXTS} == TEXTS | {"surrogate": "a?b", "nul": "ab"}
    assert result.tags.items() <= config.items()
    told = {name: value for one in of_kind(pushed.where, "summary") for name, value in values(one.update).items()}
    assert result.metrics.items() <= told.items()
    assert {one.path for files in of_kind(pushed.where, "files") for one in files.files} == set(result.files)
    assert {name: (Path(pushed.where) / "files" / name).read_bytes() for name in result.files} == result.files
    (again,) = push([result], str(folder), "support-desk")
    assert (again.change, again.where) == ("unchanged", pushed.where)
    (other,) = push([made_result(metrics={})], str(folder), "support-desk")
    assert (other.change, other.where) == ("kept", pushed.where)
    assert len(list((folder / "wandb").glob("offline-run-*"))) == 1

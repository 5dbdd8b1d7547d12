"""training_args.bin is read and never loaded: a planted bomb does not go off."""

from __future__ import annotations

import io
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from core.adapters.pickled import read_pickled_settings
from core.errors import InputError


class Strategy(StrEnum):
    """As transformers writes its choices."""

    STEPS = "steps"


class Arguments:
    """Stands in for transformers' TrainingArguments."""

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)


class Bomb:
    """Would write a file when it is loaded."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


ARGUMENTS = {
    "output_dir": "out", "learning_rate": 2e-4, "num_train_epochs": 3, "bf16": True, "warmup_steps": 10, "seed": -7, "max_steps": 2**40,
    "eval_strategy": Strategy.STEPS, "lr_scheduler_type": "cosine", "report_to": ["wandb", "mlflow"], "hub_token": "hf_secret",
    "deepspeed": None, "fsdp_config": {"min": 0}, "label_names": [], "include_tokens_seen": True, "n": 2.5, "_private": 1,
    "odd": OrderedDict(a=1), "pair": (1, 2), "bytes": b"x", "set": {1, 2},
}  # fmt: skip
READ = {
    "output_dir": "out", "learning_rate": 2e-4, "num_train_epochs": 3, "bf16": True, "warmup_steps": 10, "seed": -7, "max_steps": 2**40,
    "eval_strategy": "steps", "lr_scheduler_type": "cosine", "report_to": ["wandb", "mlflow"], "include_tokens_seen": True, "n": 2.5,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _of_a_trainers_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stand-ins come from a package that trainers' arguments come from."""
    package = ModuleType("trl")
    for made in (Strategy, Arguments):
        monkeypatch.setattr(made, "__module__", "trl")
        setattr(package, made.__name__, made)
    monkeypatch.setitem(sys.modules, "trl", package)


def _zipped(content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("training_args/data.pkl", content)
        archive.writestr("training_args/version", "3\n")
    return held.getvalue()


def _write(folder: Path, content: bytes) -> Path:
    path = folder / "training_args.bin"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("zipped", [True, False])
def test_every_protocol_is_read(tmp_path: Path, protocol: int, zipped: bool) -> None:
    content = pickle.dumps(Arguments(**ARGUMENTS), protocol)
    found = read_pickled_settings(_write(tmp_path, _zipped(content) if zipped else content))
    values = dict(found.values)
    assert values.pop("label_names", None) is None, "nothing is no setting"
    assert {name: values[name] for name in READ} == READ
    assert set(values) <= set(READ), "no token, no object and nothing private"
    assert found.warnings == ()


def test_torchs_older_form_holds_several_pickles(tmp_path: Path) -> None:
    content = b"".join(
        pickle.dumps(one, 2) for one in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, Arguments(**ARGUMENTS))
    )
    assert read_pickled_settings(_write(tmp_path, content)).values["learning_rate"] == 2e-4


@pytest.mark.parametrize("protocol", range(6))
def test_a_bomb_does_not_go_off_and_is_named(tmp_path: Path, protocol: int) -> None:
    written = tmp_path / "written-by-the-bomb"
    bomb = Bomb(f"touch {written}")
    only = _write(tmp_path, _zipped(pickle.dumps(bomb, protocol)))
    with pytest.raises(InputError, match=r"training_args.bin would call posix.system .* do not load it elsewhere"):
        read_pickled_settings(only)
    within = _write(tmp_path, _zipped(pickle.dumps(Arguments(**ARGUMENTS, trap=bomb), protocol)))
    found = read_pickled_settings(within)
    assert found.values["learning_rate"] == 2e-4 and "trap" not in found.values
    assert "posix.system" in found.warnings[0]
    assert not written.exists()
    pickle.loads(pickle.dumps(bomb, protocol))
    assert written.exists(), "the bomb is one: loaded as pickles are, it writes its file"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "holds no arguments"),
        (b"\x80\x02", "is damaged"),
        (b"no pickle at all", "is damaged"),
        (pickle.dumps([1, 2]), "holds no arguments"),
        (pickle.dumps({"output_dir": "out"})[:-3], "is damaged"),
        (_zipped(b"\x80\x02]q\x00(K\x01e0000."), "is damaged"),
        (b"PK\x03\x04 but no archive", "is damaged"),
        (b"u.", "is damaged"),
        (b"\x80\x04" + b"(" * 1_000_000, "is damaged"),
    ],
)  # fmt: skip
def test_damage_is_told(tmp_path: Path, content: bytes, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        read_pickled_settings(_write(tmp_path, content))


def test_a_file_of_unusual_size_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="9,000,000 bytes, where a few thousand were expected"):
        read_pickled_settings(_write(tmp_path, bytes(9_000_000)))

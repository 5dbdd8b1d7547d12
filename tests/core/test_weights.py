"""safetensors files read by header: hashes of tensors, and files that are broken, truncated or not what they seem."""

from __future__ import annotations

import json
import os
import pickle
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from core import weights
from core.errors import InputError
from core.weights import TensorInfo, read_header, read_headers, tensor_hash, weight_files

TENSORS = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.ones(4, dtype=np.float16)}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CACHE", str(tmp_path / "cache"))


def _save(path: Path, tensors: dict[str, np.ndarray], metadata: dict[str, str] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata)
    return path


def _message(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_header(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_header_and_values(tmp_path: Path) -> None:
    tensors = read_header(_save(tmp_path / "a.safetensors", TENSORS, {"format": "pt"}))
    assert {name: (info.dtype, info.shape, info.n_bytes) for name, info in tensors.items()} == {
        "a": ("F16", (4,), 8), "b": ("F32", (2, 3), 24),
    }  # fmt: skip
    for name, info in tensors.items():
        np.testing.assert_array_equal(np.concatenate(list(info.values())), TENSORS[name].ravel())


def test_bfloat16_values(tmp_path: Path) -> None:
    exact = np.array([0.0, -0.0, 1.5, -2.0, np.inf], dtype=np.float32)
    raw = (exact.view(np.uint32) >> 16).astype(np.uint16).tobytes()
    header = json.dumps({"x": {"dtype": "BF16", "shape": [5], "data_offsets": [0, 10]}}).encode()
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + raw)
    np.testing.assert_array_equal(np.concatenate(list(read_header(path)["x"].values())), exact)


def test_the_hash_is_of_the_tensors_and_not_of_the_files(tmp_path: Path) -> None:
    whole = _save(tmp_path / "whole/model.safetensors", TENSORS)
    marked = _save(tmp_path / "marked/model.safetensors", TENSORS, {"made": "elsewhere"})
    shards = [_save(tmp_path / f"shards/{name}.safetensors", {name: value}) for name, value in TENSORS.items()]
    assert whole.read_bytes() != marked.read_bytes()
    expected = tensor_hash([whole])
    assert tensor_hash([marked]) == expected == tensor_hash(shards) == tensor_hash(shards[::-1])

    renamed = {"c" if name == "b" else name: value for name, value in TENSORS.items()}
    reshaped = TENSORS | {"b": TENSORS["b"].reshape(3, 2)}
    changed = TENSORS | {"b": TENSORS["b"] + 1e-6}
    retyped = TENSORS | {"a": TENSORS["a"].view(np.int16)}
    others = [
        tensor_hash([_save(tmp_path / f"{i}.safetensors", t)])
        for i, t in enumerate((renamed, reshaped, changed, retyped))
    ]
    assert len({expected, *others}) == 5


@pytest.fixture
def remembered(tmp_path: Path) -> Path:
    """A file whose hash is remembered, as a word that is not its hash."""
    path = _save(tmp_path / "model.safetensors", TENSORS)
    time.sleep(2 * weights._TICK_NS / 1e9)
    before = tensor_hash([path])
    memo = tmp_path / "cache/hashes.json"
    content = json.loads(memo.read_text())
    assert list(content.values()) == [before]
    memo.write_text(json.dumps(dict.fromkeys(content, "remembered")))
    return path


def test_the_hash_is_remembered_until_the_file_changes(remembered: Path, tmp_path: Path) -> None:
    assert tensor_hash([remembered]) == "remembered"
    os.utime(remembered, ns=(1, 1))
    before = tensor_hash([remembered])
    assert len(before) == 64
    (tmp_path / "cache/hashes.json").write_text("{broken")
    assert tensor_hash([remembered]) == before


def test_other_weights_of_the_same_size_are_hashed_again_though_their_time_was_set_back(remembered: Path) -> None:
    stat = remembered.stat()
    content = bytearray(remembered.read_bytes())
    content[-1] ^= 1
    with remembered.open("r+b") as file:  # in place: the inode stays
        file.write(content)
    os.utime(remembered, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    now = remembered.stat()
    assert (now.st_size, now.st_mtime_ns, now.st_ino) == (stat.st_size, stat.st_mtime_ns, stat.st_ino)
    assert tensor_hash([remembered]) != "remembered"


def test_another_file_put_in_its_place_is_hashed_again(remembered: Path, tmp_path: Path) -> None:
    stat = remembered.stat()
    other = _save(tmp_path / "other.safetensors", TENSORS)
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    os.replace(other, remembered)
    assert tensor_hash([remembered]) != "remembered"


def test_what_was_known_of_a_file_before_it_changed_is_forgotten(remembered: Path, tmp_path: Path) -> None:
    _save(remembered, TENSORS | {"a": TENSORS["a"] * 2})
    time.sleep(2 * weights._TICK_NS / 1e9)
    found = tensor_hash([remembered])
    assert list(json.loads((tmp_path / "cache/hashes.json").read_text()).values()) == [found]


def test_what_changed_a_moment_ago_or_changes_meanwhile_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _save(tmp_path / "model.safetensors", TENSORS)
    monkeypatch.setattr(weights, "_TICK_NS", 3_600_000_000_000)
    tensor_hash([path])
    assert not (tmp_path / "cache/hashes.json").exists()
    monkeypatch.setattr(weights, "_TICK_NS", -1)

    def change(paths: list[Path]) -> dict[str, TensorInfo]:
        found = read_headers(paths)
        os.utime(path, ns=(1, 1))
        return found

    monkeypatch.setattr(weights, "read_headers", change)
    tensor_hash([path])
    assert not (tmp_path / "cache/hashes.json").exists()


def test_truncated_files_say_how_many_bytes_are_missing(tmp_path: Path) -> None:
    path = _save(tmp_path / "a.safetensors", TENSORS)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    message = _message(path)
    assert "truncated" in message and f"{len(whole):,}" in message and f"{len(whole) - 5:,}" in message
    path.write_bytes(whole[:20])
    assert "the file has 20" in _message(path)
    for broken in (b"", b"abc", b"\xff" * 100, (4).to_bytes(8, "little") + b"oops", (2).to_bytes(8, "little") + b"[]"):
        path.write_bytes(broken)
        _message(path)


def test_sizes_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    header = json.dumps({"x": {"dtype": "F32", "shape": [4], "data_offsets": [0, 8]}}).encode()
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))
    assert "x: 8 bytes do not fit F32 [4]" in _message(path)


class _Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("name", ["adapter_model.bin", "weights.pt", "adapter_model.safetensors"])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_pickle_is_refused_and_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, zipped: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "adapter"
    folder.mkdir()
    if zipped:
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps(_Bomb()))
    else:
        (folder / name).write_bytes(pickle.dumps(_Bomb()))
    with pytest.raises(InputError, match=r"(?s)pickle.*safetensors"):
        read_headers(weight_files(folder, "adapter_model"))
    assert not (tmp_path / "exploded").exists()


def test_weight_files_of_a_sharded_model(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    names = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    for name, file in names.items():
        _save(folder / file, {name: TENSORS[name]})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    assert set(read_headers(weight_files(folder))) == {"a", "b"}
    (folder / "model-2.safetensors").unlink()
    with pytest.raises(InputError, match=r"names model-2\.safetensors, which is not there"):
        weight_files(folder)
    (folder / "model.safetensors.index.json").write_text("[]")
    with pytest.raises(InputError, match="not a safetensors index"):
        weight_files(folder)


def test_no_weights_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found no model\.safetensors"):
        weight_files(tmp_path)
    assert "there is no such file" in _message(tmp_path / "none.safetensors")

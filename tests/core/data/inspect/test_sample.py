"""The sample's broken files: each shows its family of faults, and README's table says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.data.inspect.scan import scan
from core.errors import InputError
from sample_data import build_broken

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "sample_data" / "broken"
README = (ROOT / "sample_data" / "README.md").read_text(encoding="utf-8")
TABLE = {
    cells[1].strip(" `"): cells[3].strip() for line in README.splitlines()
    if line.startswith("| `") and len(cells := line.split("|")) == 5 and (FOLDER / cells[1].strip(" `")).is_file()
}  # fmt: skip


def test_every_file_stands_in_the_table() -> None:
    assert set(TABLE) == {path.name for path in FOLDER.iterdir()} and len(TABLE) >= 20


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir()))
def test_a_file_has_the_faults_that_the_table_says(name: str) -> None:
    said = TABLE[name]
    if said.startswith("refused"):
        with pytest.raises(InputError, match=name):
            scan(FOLDER / name)
    else:
        assert ", ".join(f"`{code}`" for code in sorted(scan(FOLDER / name).fault_counts)) == said


def test_the_files_are_those_that_the_script_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_broken, "FOLDER", tmp_path)
    build_broken.build()
    assert {path.name for path in tmp_path.iterdir()} == set(TABLE)
    for path in tmp_path.iterdir():
        if path.suffix in (".jsonl", ".json", ".csv"):
            assert path.read_bytes() == (FOLDER / path.name).read_bytes(), path.name

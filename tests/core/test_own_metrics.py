"""A user's own metrics as files: found and read without being run, trusted by their owner alone, named in a workspace."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.cli.trust import command
from core.errors import InputError
from core.own.files import find_own_metrics, own_file, read_declaration
from core.trust import is_trusted, record_path, revoke, trust, why_untrusted
from core.workspace import load_workspace
from tests.core.own_runs import SHARE_OF_A, WORKSPACE

FUNCTIONS = "\ndef statistics(predictions, references): ...\n\ndef value(sums): ...\n"


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORASCOPE_CONFIG", str(tmp_path / "config"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "w" / "metrics").mkdir(parents=True)
    (tmp_path / "w" / "metrics" / "mine.py").write_text(SHARE_OF_A)
    (tmp_path / "w" / "workspace.yaml").write_text(WORKSPACE.format(kind="generation", metrics="[mine]"))
    return tmp_path / "w"


def declared(folder: Path, code: str):
    (folder / "metrics" / "mine.py").write_text(code)
    own = own_file(folder, "mine")
    assert own is not None
    return read_declaration(own)


def test_files_and_folders_are_found_by_name(folder: Path) -> None:
    package = folder / "metrics" / "deep"
    package.mkdir()
    (package / "deep.py").write_text(SHARE_OF_A)
    (package / "words.txt").write_text("a")
    (folder / "metrics" / "notes.txt").write_text("x")
    (folder / "metrics" / "no metric.py").write_text("x")
    os.symlink(package, folder / "metrics" / "linked")
    found = find_own_metrics(folder)
    assert {name: one.shown for name, one in found.items()} == {
        "mine": "metrics/mine.py",
        "deep": "metrics/deep/deep.py",
    }
    assert [path.name for path in found["deep"].files] == ["deep.py", "words.txt"]
    before = found["deep"].fingerprint
    (package / "words.txt").write_text("b")
    assert find_own_metrics(folder)["deep"].fingerprint != before, "what lies beside the file moves the number too"
    assert find_own_metrics(folder / "nowhere") == {}


def test_what_a_file_says_of_itself_is_read_without_running_it(folder: Path, tmp_path: Path) -> None:
    code = f"open({str(tmp_path / 'ran')!r}, 'w')\nLABEL = 'House style'\nHIGHER_IS_BETTER: bool = False\nUNIT = 'points'\n"
    found = declared(folder, code + "KINDS = ['generation']\n" + FUNCTIONS)
    assert (found.label, found.higher_is_better, found.unit, found.kinds) == (
        "House style", False, "points", ("generation",),
    )  # fmt: skip
    assert not (tmp_path / "ran").exists()
    plain = declared(folder, FUNCTIONS)
    assert (plain.label, plain.higher_is_better, plain.unit) == ("mine", True, "number")
    assert "generation" in plain.kinds and "likelihood" not in plain.kinds
    assert declared(folder, "import evaluate\nclass Mine(evaluate.Metric): ...\n").label == "mine"


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("x = 1\ndef value(sums: ...\n", r"^metrics/mine.py, line 2: .*; expected Python\.$"),
        ("def value(sums): ...\n", r"^metrics/mine.py: found no function `statistics`; expected the functions"),
        ("", r"found no function `statistics` and `value`"),
        ("UNIT = 'shares'" + FUNCTIONS, r"line 1: UNIT: found 'shares' \(did you mean 'share'\?\), expected one of share, "),
        ("\nLABEL = 3" + FUNCTIONS, r"line 2: LABEL: found 3, expected a short text\.$"),
        ("LABEL = 'a' + name()" + FUNCTIONS, r"line 1: LABEL: found something that has to be computed; expected the value itself"),
        ("HIGHER_IS_BETTER = 'yes'" + FUNCTIONS, r"HIGHER_IS_BETTER: found 'yes', expected True or False"),
        ("KINDS = ('generations',)" + FUNCTIONS, r"KINDS: found \('generations',\), expected some of generation, classification"),
        ("KINDS = 'likelihood'" + FUNCTIONS, r"KINDS: found 'likelihood', expected some of"),
        ("UNIT = ['share']" + FUNCTIONS, r"UNIT: found \['share'\], expected one of"),
        ("x = '\0'\n", r"metrics/mine.py"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_metric_is_said_with_its_line(folder: Path, code: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        declared(folder, code)


def test_trust_is_of_the_files_as_they_are_and_lies_outside_the_workspace(folder: Path) -> None:
    own = own_file(folder, "mine")
    assert own is not None
    assert is_trusted(folder).state == "untrusted"
    assert trust(folder).state == "trusted"
    assert folder not in record_path().parents
    assert json.loads(record_path().read_text()).keys() == {str(folder.resolve())}
    assert why_untrusted(folder, own) is None
    (folder / "metrics" / "another.py").write_text("x = 1")
    state = is_trusted(folder)
    assert (state.state, state.changed, state.untrusted) == ("changed", (), ("metrics/another.py",))
    assert why_untrusted(folder, own) is None, "another file does not take it away"
    (folder / "metrics" / "mine.py").write_text(SHARE_OF_A + "\n")
    assert is_trusted(folder).changed == ("metrics/mine.py",)
    assert "metrics/mine.py has changed since it was" in (why_untrusted(folder, own) or "")
    assert trust(folder).state == "trusted"
    assert revoke(folder) and not revoke(folder)
    assert is_trusted(folder).state == "untrusted"


def test_a_copy_of_a_workspace_is_not_trusted_and_a_link_to_it_is(folder: Path, tmp_path: Path) -> None:
    trust(folder)
    os.symlink(folder, tmp_path / "link")
    assert is_trusted(tmp_path / "link").state == "trusted"
    os.rename(folder, tmp_path / "moved")
    assert is_trusted(tmp_path / "moved").state == "untrusted"


def test_a_damaged_record_is_said_and_trusts_nothing(folder: Path) -> None:
    trust(folder)
    for content in ("{", "[]", '{"x": 1}', "\udcff"):
        record_path().write_bytes(content.encode(errors="surrogateescape"))
        with pytest.raises(InputError, match=r"trust\.json"):
            is_trusted(folder)
    with pytest.raises(InputError, match="nothing to trust"):
        trust(folder.parent)


def test_the_command_trusts_shows_and_revokes(folder: Path) -> None:
    def said(*words: str) -> str:
        done = CliRunner().invoke(command, [*words, "--workspace", str(folder)])
        assert done.exit_code == 0, done.output
        return done.output

    assert said("--show") == "metrics/mine.py: not trusted\n"
    assert said() == "metrics/mine.py: trusted\n"
    (folder / "metrics" / "mine.py").write_text("x = 1")
    assert said("--show") == "metrics/mine.py: changed since it was trusted\n"
    (folder / "workspace.yaml").write_text("broken: [")
    assert said("--revoke") == "No code of it runs any more.\n"
    assert said("--revoke") == "It was not trusted.\n"
    (folder / "metrics" / "mine.py").unlink()
    assert said("--show") == "There is no code in its metrics/ folder.\n"
    (folder / "workspace.yaml").unlink()
    refused = CliRunner().invoke(command, ["--workspace", str(folder)])
    assert isinstance(refused.exception, InputError) and "found no workspace.yaml" in str(refused.exception)


def test_a_workspace_may_name_its_own_metrics(folder: Path) -> None:
    assert load_workspace(folder).spec.tasks["reply"].metrics == ("mine",)


@pytest.mark.parametrize(
    ("name", "code", "kind", "sentence"),
    [
        ("mein", SHARE_OF_A, "generation", r"found 'mein' \(did you mean 'mine'\?\), expected one of: .*, or a file metrics/mein\.py"),
        ("mine", "KINDS = ('ranking',)" + FUNCTIONS, "generation", r"which metrics/mine.py says is for ranking and not for generation"),
        ("mine", SHARE_OF_A, "likelihood", r"says is for .* and not for likelihood"),
        ("../mine", SHARE_OF_A, "generation", r"found '\.\./mine'.*expected one of"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_named_metric_is_said_with_the_workspaces_line(
    folder: Path, name: str, code: str, kind: str, sentence: str
) -> None:
    (folder / "metrics" / "mine.py").write_text(code)
    (folder / "workspace.yaml").write_text(WORKSPACE.format(kind=kind, metrics=f"['{name}']"))
    with pytest.raises(InputError, match=rf"workspace\.yaml, line 11: tasks\.reply\.metrics\.0: .*{sentence}"):
        load_workspace(folder)


@pytest.mark.parametrize("code", ["x = 1", "def value(sums: ..."])
def test_a_broken_file_does_not_keep_the_workspace_from_opening(folder: Path, code: str) -> None:
    (folder / "metrics" / "mine.py").write_text(code)
    (folder / "workspace.yaml").write_text(WORKSPACE.format(kind="generation", metrics="[chrf, mine]"))
    assert load_workspace(folder).spec.tasks["reply"].metrics == ("chrf", "mine")


def test_a_file_must_not_take_a_metrics_name(folder: Path) -> None:
    (folder / "metrics" / "bleu.py").write_text(SHARE_OF_A)
    assert load_workspace(folder), "as long as nobody names it"
    (folder / "workspace.yaml").write_text(WORKSPACE.format(kind="generation", metrics="[bleu]"))
    with pytest.raises(
        InputError, match=r"'bleu', which is lorascope's own metric and metrics/bleu.py too; rename the file"
    ):
        load_workspace(folder)

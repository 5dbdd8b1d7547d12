"""``lorascope inspect``: what it prints, what it writes, and how it exits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.cli.main import COMMANDS, run
from tests.core.data.inspect.files import assistant, chat, system, user, write


def inspected(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    code = run(["inspect", *map(str, arguments), "--json"])
    out = capsys.readouterr()
    return code, json.loads(out.out) if out.out else out.err


BAD = chat(user(), {"role": "assisiant", "content": "Fine."})


def test_the_command_is_listed_before_evaluate() -> None:
    assert COMMANDS.index("inspect") < COMMANDS.index("evaluate")


def test_a_clean_file_exits_with_0_and_says_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = inspected(capsys, write(tmp_path, chat(system(), user(), assistant()), chat()))
    assert code == 0
    assert (found["format"], found["confidence"], found["rows"], found["faults"], found["fault_counts"]) == (
        "messages",
        1.0,
        2,
        [],
        {},
    )
    assert found["encoding"] == "utf-8" and found["stage"] == "supervised fine-tuning"
    assert {
        "duplicates",
        "leakage",
        "lengths",
        "warnings",
        "languages",
        "quality",
        "trainer",
        "turns",
        "sha256",
    } <= found.keys()
    assert found["lengths"]["characters"]["n"] == 2 and found["lengths"]["tokens"] is None and found["leakage"] is None


def test_faults_exit_with_1_and_stand_with_their_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = inspected(capsys, write(tmp_path, chat(), BAD, b"{", BAD))
    assert code == 1
    assert [(fault["line"], fault["code"]) for fault in found["faults"]] == [
        (2, "unknown-role"),
        (3, "invalid-json"),
        (4, "unknown-role"),
    ]
    assert found["fault_counts"] == {"invalid-json": 1, "unknown-role": 2}
    assert found["faults"][0] == {
        "line": 2, "column": None, "code": "unknown-role", "found": "the role 'assisiant'", "repair": "write 'assistant'",
        "expected": "system, user, assistant or tool",
        "message": "messages, message 2: found the role 'assisiant'; expected system, user, assistant or tool.",
    }  # fmt: skip
    assert found["fault_groups"][0] == {"code": "unknown-role", "count": 2, "lines": [2, 4]}


def test_what_cannot_be_read_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.jsonl").touch()
    for arguments, told in (
        ([tmp_path / "none.jsonl"], "no such file"), ([tmp_path / "empty.jsonl"], "is empty"), ([tmp_path], "a folder"),
        ([write(tmp_path, chat()), tmp_path / "empty.jsonl"], "Found 2 files, expected one"),
        ([write(tmp_path, chat()), "--train", tmp_path / "none.jsonl"], "no such file"),
        ([write(tmp_path, chat()), "--tokenizer", tmp_path], "tokenizer.json"),
        ([write(tmp_path, chat()), "--quick", "--train", tmp_path / "x"], "--quick"),
    ):  # fmt: skip
        code, error = inspected(capsys, *arguments)
        assert code == 2 and told in error


def test_strict_holds_to_the_letter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, {"text": "a", "id": 1})
    assert inspected(capsys, path)[0] == 0
    code, found = inspected(capsys, path, "--strict")
    assert code == 1 and found["fault_counts"] == {"extra-keys": 1} and found["strict"] is True


def test_warnings_never_change_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = write(
        tmp_path,
        *[chat(user("Why is the sky over the northern sea so very blue today?"), assistant(""))] * 3,
        name="train.jsonl",
    )
    code, found = inspected(capsys, train, "--train", train)
    assert code == 0
    assert found["warnings"] and found["duplicates"]["exact_rows"] > 0 and sum(found["leakage"]["counts"].values()) > 0


def test_people_read_the_first_line_and_each_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(
        tmp_path, chat(), chat(user("你好"), assistant()), chat({"role": "usr", "content": 3}, assistant()), BAD
    )
    assert run(["inspect", str(path), "--train", str(path)]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[0].startswith("4 rows of conversational SFT (`messages`), 3 faults on 2 lines, ")
    assert "  3: messages, message 1: found the role 'usr'" in out and "A repaired copy would write 'user'." in out
    assert "Format: messages" in out and "Stage: supervised fine-tuning" in out


def test_repair_and_convert_write_copies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out, turned = write(tmp_path, chat(), BAD), tmp_path / "out.jsonl", tmp_path / "turned.jsonl"
    code, found = inspected(capsys, path, "--quick", "--repair", out)
    assert code == 1 and found["repair"]["counts"] == {"unknown-role": 1} and found["repair"]["left"] == {}
    code, found = inspected(capsys, out, "--quick", "--convert", "sharegpt", turned)
    assert code == 0 and found["conversion"]["rows"] == 2
    assert json.loads(turned.read_text().splitlines()[0])["conversations"][0]["from"] == "human"
    assert run(["inspect", str(path), "--quick", "--repair", str(out)]) == 2
    assert "such a file already" in capsys.readouterr().err
    assert run(["inspect", str(out), "--quick", "--convert", "alpaca", str(tmp_path / "again.jsonl")]) == 0
    assert "messages as alpaca" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "{{ 7*7 }}", "__import__('os')", "\u202e\x1b[31m"])
def test_hostile_texts_are_only_texts(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, chat({"role": text, "content": text}, assistant(text)), {text: text})
    code, found = inspected(capsys, path)
    assert code == 1 and found["fault_counts"] == {"unknown-role": 1, "missing-messages": 1}
    assert run(["inspect", str(path)]) == 1
    assert run(["inspect", str(write(tmp_path, {text: text}, name="unknown.jsonl"))]) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\u202e" not in out


KEY = "sk-proj-abcdEFGH1234567890abcdEFGH1234567890"


def test_keys_are_masked_in_everything_that_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----"
    rows = [chat(system(f"Use {one}"), user(f"My key is {one}."), assistant()) for one in (KEY, begun)]
    path = write(tmp_path, *rows, chat({"role": KEY, "content": "x"}), f'{{"messages": {KEY}}}'.encode())
    for arguments in ([], ["--json"], ["--quick"], ["--quick", "--json"]):
        assert run(["inspect", str(path), *arguments, *([] if "--quick" in arguments else ["--train", str(path)])]) == 1
        out = capsys.readouterr().out
        assert KEY not in out and "MIIEpAIBAAKCAQEA7" not in out and "sk-p\u2026 (44 characters)" in out


def test_an_evaluation_file_is_clean_beside_its_training_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    question = "Why is the sky over the northern sea so very blue today, and green at night in winter?"
    train = write(tmp_path, chat(user(question), assistant()), name="train.jsonl")
    path = write(
        tmp_path, {"id": "a", "ticket": question, "urgency": 1}, {"id": "b", "ticket": "x y z v w", "urgency": 2}
    )
    code, found = inspected(capsys, path, "--train", train)
    assert code == 0 and found["faults"] == [] and found["leakage"]["leave_out"] == ["a"]
    told = "Leakage: 1 of 2 rows stand in the training file (1 word for word). Leave out: a."
    assert told in found["warnings"]
    assert run(["inspect", str(path), "--train", str(train)]) == 0
    assert told in capsys.readouterr().out
    assert inspected(capsys, path)[0] == 1


def test_progress_is_drawn_on_a_terminal_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, chat(), chat(user("What else?"), assistant()))
    assert run(["inspect", str(path)]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("core.cli.inspect_text._DRAWN_EVERY_SECONDS", 0.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert run(["inspect", str(path), "--json"]) == 0
    seen = capsys.readouterr()
    assert "reading 100%" in seen.err and "near duplicates: 2 of 2 rows" in seen.err and seen.err.endswith("\r\x1b[K")
    assert json.loads(seen.out)["rows"] == 2

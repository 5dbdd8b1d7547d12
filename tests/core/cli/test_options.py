"""Plain tables and JSON."""

from __future__ import annotations

import math

import pytest

from core.cli.options import print_json, print_table


def test_columns_line_up_where_characters_are_wide(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("a", "b"), [("退款", "1"), ("xyz", "2")])
    assert capsys.readouterr().out == "a     b\n退款  1\nxyz   2\n"


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError):
        print_json({"value": math.nan})
    print_json(["退"])
    assert "退" in capsys.readouterr().out

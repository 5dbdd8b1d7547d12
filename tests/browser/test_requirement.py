"""Where a browser is required its absence is a failure, elsewhere a reason to skip."""

from __future__ import annotations

import pytest

from tests.browser.conftest import give_up


def test_without_a_browser_tests_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "LORASCOPE_REQUIRE_BROWSER"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Chromium"):
        give_up("no Chromium found")


@pytest.mark.parametrize("name", ["CI", "LORASCOPE_REQUIRE_BROWSER"])
def test_where_it_is_required_they_fail(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(pytest.fail.Exception, match="no Chromium"):
        give_up("no Chromium found")

"""The database: what it says when it cannot be used, versions, and PostgreSQL going away in the middle."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, inspect, text, update

from core.errors import InputError, RunError
from core.ratings import RatingStore, actions, join, list_studies, open_store, open_study, store_url, submit
from core.ratings.migrations import MIGRATIONS, migrate, stored_version
from core.ratings.tables import SCHEMA
from tests.core.ratings.postgres import Server
from tests.core.ratings.studies import Clock, answer, make_study, rate_all, shown


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/ratings.sqlite"


def test_sqlite_is_durable(lite: RatingStore) -> None:
    with lite.reading() as connection:
        settings = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert settings == ["wal", 2, 1]


def test_a_workspaces_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LORASCOPE_RATINGS", raising=False)
    assert open_store(tmp_path / "a ws").path == tmp_path / "a ws/studies/ratings.sqlite"
    monkeypatch.setenv("LORASCOPE_RATINGS", "postgresql://u:secret@db/x")
    assert store_url(tmp_path) == "postgresql://u:secret@db/x"
    store = RatingStore(store_url(tmp_path))
    assert store.where == "postgresql+psycopg://u:***@db/x" and store.path is None and store.exists


@pytest.mark.parametrize("url", ["nonsense", "mysql://h/x", "sqlite://", "sqlite:///", "postgresql+asyncpg://h/x", ""])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(InputError, match="expected sqlite:///PATH or postgresql"):
        RatingStore(url)


def test_the_driver_of_postgresql_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InputError, match=r"driver of PostgreSQL is not installed.*pip install 'psycopg\[binary\]'"):
        RatingStore("postgresql://u:secret@db/x")


def test_a_password_is_never_said(tmp_path: Path) -> None:
    store = RatingStore(f"postgresql+psycopg://u:hunter2@/x?host={tmp_path}")
    with pytest.raises(RunError, match="cannot be reached") as error:
        store.prepare()
    assert "hunter2" not in str(error.value)


def test_a_locked_database(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path)
    impatient = RatingStore(sqlite_url(tmp_path), clock=lite.now, lock_seconds=0.1)
    again = open_study(impatient, study.id)
    rater = join(study, "Ana")
    item = shown(study, rater)
    holder = sqlite3.connect(tmp_path / "ratings.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(
            RunError, match=r"held the database locked for too long\. The answer may not be stored: send it again"
        ):
            answer(again, rater, item)
        assert len(actions(again)) == 0, "reading waits for no writer"
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert answer(again, rater, item).outcome == "stored" and len(actions(study)) == 1


def test_a_full_disk(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path)
    rater = join(study, "Ana")
    item = shown(study, rater)

    def limit(connection: Any, _record: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(lite.engine, "connect", limit)
    with pytest.raises(
        RunError, match=r"the disk is full\. Free some space\. The answer may not be stored: send it again"
    ):
        submit(study, rater, item, {"preference": "tie"}, comment="long " * 2000)
    event.remove(lite.engine, "connect", limit)
    assert submit(study, rater, item, {"preference": "tie"}, comment="long " * 2000).outcome == "stored"
    assert len(actions(study)) == 1


def test_a_read_only_database_can_be_read(lite: RatingStore, tmp_path: Path) -> None:
    study = make_study(lite, tmp_path)
    rater = join(study, "Ana")
    rate_all(study, rater, 2)
    item = shown(study, rater)
    store = RatingStore(f"sqlite:///file:{tmp_path}/ratings.sqlite?mode=ro&uri=true", clock=lite.now).prepare()
    opened = open_study(store, study.id)
    assert len(actions(opened)) == 2
    with pytest.raises(InputError, match=r"the database is read-only here .* Make the file and its folder writable"):
        answer(opened, rater, item)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "studies").write_text("a file")
    with pytest.raises(InputError, match="no folder can be made for ratings|cannot be opened"):
        RatingStore(f"sqlite:///{tmp_path}/studies/ratings.sqlite").prepare()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "ratings.sqlite").write_bytes(b"no database at all, " * 100)
    with pytest.raises(InputError, match="this is not a sound SQLite database"):
        RatingStore(sqlite_url(tmp_path)).prepare()


def test_a_newer_version_is_left_alone(store: RatingStore, store_url: str) -> None:
    with store.writing() as connection:
        connection.execute(update(SCHEMA).values(version=len(MIGRATIONS) + 1))
    with pytest.raises(
        InputError, match=r"has version 2; this lorascope knows up to 1\. Nothing was changed\. Update lorascope"
    ):
        RatingStore(store_url).prepare()


def test_migrations_go_on_from_where_a_store_is(store: RatingStore, tmp_path: Path) -> None:
    study = make_study(store, tmp_path)
    done = []

    def second(connection: Any) -> None:
        done.append(2)
        connection.execute(text("ALTER TABLE raters ADD COLUMN colour TEXT"))

    def third(connection: Any) -> None:
        done.append(3)
        connection.execute(text("UPDATE raters SET colour = 'blue'"))

    join(study, "Ana")
    for _ in range(2):
        with store.writing() as connection:
            migrate(connection, "here", [*MIGRATIONS, second, third])
    with store.reading() as connection:
        assert done == [2, 3] and stored_version(connection) == 3
        assert list(connection.execute(text("SELECT name, colour FROM raters"))) == [("Ana", "blue")]


def test_a_step_that_fails_leaves_the_store_as_it_was(store: RatingStore) -> None:
    def broken(connection: Any) -> None:
        connection.execute(text("ALTER TABLE raters ADD COLUMN colour TEXT"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.writing() as connection:
        migrate(connection, "here", [*MIGRATIONS, broken])
    with store.reading() as connection:
        assert stored_version(connection) == 1
        assert "colour" not in [column["name"] for column in inspect(connection).get_columns("raters")]


def test_preparing_again_changes_nothing(store: RatingStore, store_url: str, tmp_path: Path) -> None:
    make_study(store, tmp_path)
    assert len(list_studies(RatingStore(store_url).prepare())) == 1


class Stopping(Clock):
    """Stops the server when it is looked at for the n-th time."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server, self.looks_left = server, -1

    def __call__(self):  # noqa: ANN204
        self.looks_left -= 1
        if self.looks_left == 0:
            self.server.stop()
        return super().__call__()


@pytest.mark.parametrize("looks", [1, 2])
def test_postgresql_gone_in_the_middle_of_an_answer(
    postgres: Server, postgres_url: str, tmp_path: Path, looks: int
) -> None:
    clock = Stopping(postgres)
    store = RatingStore(postgres_url, clock=clock).prepare()
    study = make_study(store, tmp_path)
    rater = join(study, "Ana")
    rate_all(study, rater, 2)
    item = shown(study, rater)
    clock.looks_left = looks
    try:
        for _ in range(2):  # while it goes, and while it is gone
            with pytest.raises(RunError, match=r"cannot be reached .*The answer may not be stored: send it again"):
                answer(study, rater, item, "tie")
    finally:
        postgres.start()
    assert [answer(study, rater, item, "tie").outcome for _ in range(2)] == ["stored", "repeated"]
    assert list(actions(study)["value"]) == ["left", "left", "tie"]
    store.engine.dispose()


def test_postgresql_gone_before_it_said_that_the_answer_is_stored(
    postgres: Server, postgres_url: str, tmp_path: Path
) -> None:
    store = RatingStore(postgres_url, clock=Clock()).prepare()
    study = make_study(store, tmp_path)
    rater = join(study, "Ana")
    item = shown(study, rater)

    def stop_first(_connection: Any) -> None:
        postgres.stop()

    event.listen(store.engine, "commit", stop_first)
    try:
        with pytest.raises(RunError, match="send it again"):
            answer(study, rater, item)
    finally:
        event.remove(store.engine, "commit", stop_first)
        postgres.start()
    assert len(actions(study)) == 0 and answer(study, rater, item).outcome == "stored" and len(actions(study)) == 1
    store.engine.dispose()

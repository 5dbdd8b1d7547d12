"""The database behind human rating: SQLite beside the runs by default, PostgreSQL for a team, through the same code.

A rating is on disk when the call that stores it returns (SQLite: WAL with synchronous FULL). Writers take SQLite's lock at
the beginning of a transaction: one that read first and wrote later would fail under others' writes instead of waiting.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from core.errors import InputError, RunError
from core.ratings.migrations import MIGRATIONS, check_version, migrate, stored_version

STORE_VARIABLE = "LORASCOPE_RATINGS"
"""The environment variable that names a team's database."""
FILE_NAME = "ratings.sqlite"
LOCK_SECONDS = 30.0
"""How long a writer waits for the others."""
_POLL_SECONDS = (0.001, 0.006)
SEND_AGAIN = "The answer may not be stored: send it again. However often it is sent, it is stored once."
TRY_AGAIN = "What was stored before is kept. Try again."


def store_url(workspace: Path) -> str:
    """Return where a workspace's ratings are: `STORE_VARIABLE` if it is set, else a file in the folder studies/."""
    if named := os.environ.get(STORE_VARIABLE):
        return named
    return URL.create("sqlite", database=str(workspace / "studies" / FILE_NAME)).render_as_string(hide_password=False)


def utc_now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


def as_text(moment: datetime) -> str:
    """Return a moment as the store keeps it: of one width, so that texts compare as times do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class RatingStore:
    """A database of studies. Opening it connects to nothing; every operation has a connection of its own."""

    def __init__(
        self, url: str, *, clock: Callable[[], datetime] = utc_now, lock_seconds: float = LOCK_SECONDS
    ) -> None:
        """Prepare the store at a SQLAlchemy URL, ``sqlite:///PATH`` or ``postgresql+psycopg://USER@HOST/NAME``.

        Args:
            url: where it is.
            clock: gives the time of every action.
            lock_seconds: SQLite: how long a writer waits for the others.

        Raises:
            InputError: the URL is none of the two, or the driver of PostgreSQL is not installed.
        """
        self.now = clock
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise InputError(
                f"Found a store {url.partition('@')[0][:40]!r}, expected sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME."
            ) from None
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.where = parsed.render_as_string(hide_password=True)
        self.path = Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None
        self.engine = self._engine(parsed, lock_seconds)

    def _engine(self, url: URL, lock_seconds: float) -> Engine:
        if url.drivername not in ("sqlite", "postgresql+psycopg") or (url.drivername == "sqlite" and not url.database):
            raise InputError(f"{self.where}: expected sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME.")
        try:
            if url.drivername == "sqlite":
                engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": lock_seconds})
                event.listen(engine, "connect", _prepare_sqlite)
                event.listen(engine, "begin", _begin_sqlite)
                return engine
            return create_engine(
                url, pool_pre_ping=True, pool_size=5, max_overflow=15, connect_args={"connect_timeout": 10}
            )
        except (ImportError, NoSuchModuleError):
            raise InputError(
                f"{self.where}: the driver of PostgreSQL is not installed. Install it with: pip install 'psycopg[binary]'"
            ) from None

    @property
    def exists(self) -> bool:
        """Whether there is a database; a team's is taken to be there."""
        return self.path is None or self.path.exists() or str(self.path).startswith("file:")

    @contextmanager
    def writing(self, advice: str = TRY_AGAIN) -> Iterator[Connection]:
        """Give a connection within a transaction that may write; it is committed at the end, or rolled back by an exception.

        Raises:
            InputError: the database is read-only, is no database, or has tables of a newer version.
            RunError: it is locked, full, or cannot be reached; the sentence ends with ``advice``.
        """
        with self._said(advice), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reading, which waits for no writer. Raises as `writing` does."""
        with self._said(TRY_AGAIN), self.engine.connect() as connection:
            yield connection.execution_options(lorascope_reads=True)

    @contextmanager
    def _said(self, advice: str) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise _sentence(self.where, error, advice) from error

    def prepare(self) -> RatingStore:
        """Make the database where there is none, bring its tables up to date, and return the store.

        Raises:
            InputError, RunError: as `writing` does.
        """
        if self.path is not None and not self.exists:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(f"{self.path.parent}: no folder can be made for ratings ({error.strerror}).") from None
        with self.reading() as connection:
            version = stored_version(connection)
        check_version(version, self.where)
        if version < len(MIGRATIONS):
            if self.path is not None:
                self._use_wal()
            with self.writing() as connection:
                migrate(connection, self.where)
        return self

    def _use_wal(self) -> None:
        with self._said(TRY_AGAIN), self.engine.connect() as connection:
            connection.execution_options(lorascope_outside=True).execute(text("PRAGMA journal_mode = WAL"))


def open_store(workspace: Path) -> RatingStore:
    """Return a workspace's rating store, ready to use; made where there is none yet.

    Raises:
        InputError, RunError: as `RatingStore.prepare` does.
    """
    return RatingStore(store_url(workspace)).prepare()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin_sqlite
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("lorascope_outside"):
        return
    if not options.get("lorascope_reads"):
        _wait_for_turn(connection)
        return
    connection.exec_driver_sql("BEGIN")


def _wait_for_turn(connection: Connection) -> None:
    """Begin to write as soon as nobody else does.

    SQLite's own waiting asks ever more seldom, ten times a second at last: among twenty busy writers one was kept out for more
    than 30 seconds. Asked at short and random intervals, all have the same chance.
    """
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    patience = raw.execute("PRAGMA busy_timeout").fetchone()[0]
    until = time.monotonic() + patience / 1000
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while time.monotonic() < until:
            try:
                raw.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break  # said below, by SQLAlchemy
            time.sleep(random.uniform(*_POLL_SECONDS))
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        raw.execute(f"PRAGMA busy_timeout = {patience}")


def _sentence(where: str, error: DBAPIError, advice: str) -> InputError | RunError:
    said = str(error.orig).strip().partition("\n")[0]
    low = said.lower()
    if "locked" in low or "busy" in low:
        return RunError(f"{where}: another program has held the database locked for too long. {advice}")
    if "disk is full" in low or "no space left" in low or "disk full" in low:
        return RunError(f"{where}: the disk is full. Free some space. {advice}")
    if "readonly" in low or "read-only" in low or "permission denied" in low:
        return InputError(
            f"{where}: the database is read-only here ({said}). Make the file and its folder writable, or copy them. {advice}"
        )
    if "not a database" in low or "malformed" in low:
        return InputError(f"{where}: this is not a sound SQLite database ({said}). Restore it from a copy.")
    if "unable to open" in low:
        return InputError(
            f"{where}: the database cannot be opened ({said}). See that its folder exists and is writable."
        )
    if error.connection_invalidated or type(error.orig).__name__ in ("OperationalError", "AdminShutdown"):
        return RunError(f"{where}: the database cannot be reached ({said}). {advice}")
    return RunError(f"{where}: the database refused this ({said}). {advice}")

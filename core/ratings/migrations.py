"""Brings the tables of a rating store to the version that this lorascope writes, one step after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, inspect, select, text, update

from core.errors import InputError
from core.ratings.tables import METADATA, SCHEMA

Migration = Callable[[Connection], None]
_LOCK = 0x6C6F7261
"""Any number that is ours: PostgreSQL's lock, so that two processes do not migrate at once."""


def first_tables(connection: Connection) -> None:
    """Make the tables of version 1, with triggers by which the database refuses to change or delete an action."""
    METADATA.create_all(connection)
    if connection.dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            connection.execute(
                text(
                    f"CREATE TRIGGER actions_no_{event.lower()} BEFORE {event} ON actions "
                    "BEGIN SELECT RAISE(ABORT, 'actions are append-only'); END"
                )
            )
        return
    connection.execute(
        text(
            "CREATE FUNCTION actions_are_append_only() RETURNS trigger AS $$ "
            "BEGIN RAISE EXCEPTION 'actions are append-only'; END $$ LANGUAGE plpgsql"
        )
    )
    connection.execute(
        text(
            "CREATE TRIGGER actions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON actions "
            "FOR EACH STATEMENT EXECUTE FUNCTION actions_are_append_only()"
        )
    )


MIGRATIONS: tuple[Migration, ...] = (first_tables,)
"""Step i brings version i to version i + 1. A step that was released is never changed."""


def migrate(connection: Connection, where: str, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Apply the steps that are missing, within the connection's transaction.

    Raises:
        InputError: the store was written by a newer version.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    version = stored_version(connection)
    check_version(version, where, len(migrations))
    for step in migrations[version:]:
        step(connection)
    if version == 0:
        connection.execute(insert(SCHEMA).values(version=len(migrations)))
    elif version < len(migrations):
        connection.execute(update(SCHEMA).values(version=len(migrations)))


def stored_version(connection: Connection) -> int:
    """Return the version of the tables; 0 where there are none."""
    if not inspect(connection).has_table(SCHEMA.name):
        return 0
    return int(connection.execute(select(SCHEMA.c.version)).scalar() or 0)


def check_version(version: int, where: str, newest: int = len(MIGRATIONS)) -> None:
    """Refuse a store whose tables this lorascope does not know.

    Raises:
        InputError: the store was written by a newer version.
    """
    if version > newest:
        raise InputError(
            f"{where}: the rating store has version {version}; this lorascope knows up to {newest}. Nothing was changed. "
            "Update lorascope to open it: pip install -U lorascope"
        )

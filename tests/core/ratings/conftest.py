"""Stores for the tests of human rating: each test that takes ``store`` runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from core.ratings import RatingStore
from tests.core.ratings.postgres import WANTED, Server, programs
from tests.core.ratings.studies import Clock


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    found = programs()
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(WANTED)
        pytest.skip(WANTED)
    server = Server(found)
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres_url(postgres: Server) -> str:
    """A schema of the test's own: a database of its own would be 300 files."""
    name = f"t{uuid.uuid4().hex}"
    engine = create_engine(postgres.url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    engine.dispose()
    return f"{postgres.url}&options=-csearch_path%3D{name}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/studies/ratings.sqlite"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def store(store_url: str, clock: Clock) -> Iterator[RatingStore]:
    made = RatingStore(store_url, clock=clock).prepare()
    yield made
    made.engine.dispose()


@pytest.fixture
def lite(tmp_path: Path, clock: Clock) -> RatingStore:
    """SQLite alone: for what does not depend on the database."""
    return RatingStore(f"sqlite:///{tmp_path}/ratings.sqlite", clock=clock).prepare()

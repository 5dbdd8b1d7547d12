"""The tables of human rating, as version 1 of the store has them. Times are UTC, ISO 8601 with microseconds, as text."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

SCHEMA = Table("ratings_schema", METADATA, Column("version", Integer, nullable=False))
"""One row: the version of the tables."""

STUDIES = Table(
    "studies",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("created", Text, nullable=False),
    Column("closed", Text),
    Column("plan", JSON, nullable=False),
    Column("runs", JSON, nullable=False),
    Column("variants", JSON, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("key_hash", Text, nullable=False),
    Column("pseudonym_key", Text, nullable=False),
)

GUIDELINES = Table(
    "guidelines",
    METADATA,
    Column("study_id", ForeignKey("studies.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("created", Text, nullable=False),
)

EXAMPLES = Table(
    "study_examples",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("study_id", ForeignKey("studies.id"), nullable=False, index=True),
    Column("task", Text, nullable=False),
    Column("example_id", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("messages", JSON),
    Column("reference", Text),
    Column("tags", JSON, nullable=False),
    Column("language", Text),
    Column("cluster", Text),
    Column("stratum", Text, nullable=False),
)

OUTPUTS = Table(
    "study_outputs",
    METADATA,
    Column("example", ForeignKey("study_examples.id"), primary_key=True),
    Column("variant", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

ITEMS = Table(
    "items",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("study_id", ForeignKey("studies.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("example", ForeignKey("study_examples.id"), nullable=False),
    Column("variants", JSON, nullable=False),
    Column("needed", Integer, nullable=False),
    Column("identical", Boolean, nullable=False),
    Column("accept", JSON),
    UniqueConstraint("study_id", "kind", "place"),
)
"""``kind``: item, gold or practice; ``place``: in the study's random order."""

RATERS = Table(
    "raters",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("study_id", ForeignKey("studies.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("key_hash", Text),
    Column("joined", Text, nullable=False),
    UniqueConstraint("study_id", "name_key"),
    UniqueConstraint("study_id", "number"),
)

ASSIGNMENTS = Table(
    "assignments",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("study_id", ForeignKey("studies.id"), nullable=False, index=True),
    Column("rater_id", ForeignKey("raters.id"), nullable=False),
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("position", Integer),
    Column("shown", JSON, nullable=False),
    Column("repeat_of", ForeignKey("assignments.id")),
    Column("guideline_hash", Text, nullable=False),
    Column("assigned_at", Text, nullable=False),
    Column("shown_at", Text, nullable=False),
    Column("reserved_until", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("answer", Text),
    UniqueConstraint("rater_id", "item_id", "purpose"),
    UniqueConstraint("rater_id", "place"),
    Index("assignments_of_item", "item_id", "purpose"),
)
"""``place``: in the rater's whole list; ``position``: among the study's own items in it, from 0, by which sides are balanced;
``shown``: the variants in the order on screen; ``answer``: the kind of the current answer (rate, skip), null before it."""

ACTIONS = Table(
    "actions",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("study_id", ForeignKey("studies.id"), nullable=False, index=True),
    Column("rater_id", ForeignKey("raters.id"), nullable=False, index=True),
    Column("item_id", ForeignKey("items.id"), nullable=False),
    Column("assignment_id", ForeignKey("assignments.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("criterion", Text, nullable=False),
    Column("value", Text),
    Column("reason", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("variant_left", Text),
    Column("variant_right", Text),
    Column("hash_left", Text),
    Column("hash_right", Text),
    Column("shown", JSON, nullable=False),
    Column("hashes", JSON, nullable=False),
    Column("shown_at", Text, nullable=False),
    Column("submitted_at", Text, nullable=False),
    Column("guideline_hash", Text, nullable=False),
    Column("gold", Boolean, nullable=False),
    Column("repeat", Boolean, nullable=False),
    Column("practice", Boolean, nullable=False),
    Column("supersedes", Text),
    UniqueConstraint("assignment_id", "sequence", "kind", "criterion"),
)
"""Append-only, which the database itself holds (see `core.ratings.migrations`). ``number``: the order in which actions were
stored, which a clock that goes back does not change; the last constraint is what makes an answer that is sent twice one."""

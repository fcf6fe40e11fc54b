"""Tables of output checking beyond the vote: ledger, answers, records, comments, publications."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, String, Table, Text

from hub.adapters.tables import UtcDateTime, metadata

ledger_files = Table(
    "ledger_files",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("row_order", BigInteger, nullable=False, index=True),
    Column("submission", String(200), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("space", String(200), nullable=False, index=True),
    Column("sha256", String(64), nullable=False),
    Column("cells", JSON, nullable=False),
    Column("released_at", UtcDateTime),
)
finding_answers = Table(
    "finding_answers",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("row_order", BigInteger, nullable=False, index=True),
    Column("submission", String(200), nullable=False, index=True),
    Column("checker", String(200), nullable=False),
    Column("position", Integer, nullable=False),
    Column("rule", String(80), nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_at", UtcDateTime, nullable=False),
)
release_records = Table(
    "release_records",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("row_order", BigInteger, nullable=False, index=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("project", String(200), nullable=False, index=True),
    Column("content", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
)
review_comments = Table(
    "review_comments",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("row_order", BigInteger, nullable=False, index=True),
    Column("submission", String(200), nullable=False, index=True),
    Column("author", String(200), nullable=False),
    Column("position", Integer, nullable=False),
    Column("place", JSON, nullable=False),
    Column("text", Text, nullable=False),
    Column("written_at", UtcDateTime, nullable=False),
)
publications = Table(
    "publications",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("row_order", BigInteger, nullable=False, index=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("project", String(200), nullable=False, index=True),
    Column("author", String(200), nullable=False),
    Column("title", Text, nullable=False),
    Column("authors", Text, nullable=False),
    Column("venue", Text, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("releases", JSON, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("supersedes", String(200), unique=True),
    Column("superseded_by", String(200)),
    Column("decided_at", UtcDateTime),
)
publication_votes = Table(
    "publication_votes",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("row_order", BigInteger, nullable=False, index=True),
    Column("publication", String(200), nullable=False, index=True),
    Column("checker", String(200), nullable=False),
    Column("decision", String(20), nullable=False),
    Column("comment", Text, nullable=False),
    Column("voted_at", UtcDateTime, nullable=False),
)

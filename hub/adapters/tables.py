"""Tables of the database. Alembic migrations in `migrations/` create exactly these; a test compares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out, on every database. A naive time raises ValueError."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  # SQLAlchemy's signature
    ) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _key(name: str) -> Column[str]:
    return Column(name, String(200), primary_key=True)


def _order() -> Column[int]:
    """Order in which rows were added."""
    return Column("row_order", BigInteger, nullable=False, index=True)


people = Table(
    "people",
    metadata,
    _key("username"),
    _order(),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("state", String(20), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
projects = Table(
    "projects",
    metadata,
    _key("slug"),
    _order(),
    Column("number", Integer, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("tier", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("members", JSON, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("ended_reason", String(40)),
    Column("request", String(200), index=True),
    Column("request_sha256", String(64)),
    Column("destroy_by", Date),
    Column("retain_until", Date),
    Column("kind", String(40)),
    Column("key_version", Integer, nullable=False),
)
sources = Table(
    "sources",
    metadata,
    _key("name"),
    _order(),
    Column("title", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("dictionary_sha256", String(64), nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("registered_by", String(200), nullable=False),
    Column("variables", JSON, nullable=False),
    Column("open", Boolean, nullable=False),
)
extracts = Table(
    "extracts",
    metadata,
    _key("id"),
    _order(),
    Column("project", String(200), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("plan", JSON, nullable=False),
    Column("manifest", JSON),
    Column("error", Text),
    Column("step", Text),
    Column("progress", Float, nullable=False),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
sessions = Table(
    "sessions",
    metadata,
    _key("id"),
    _order(),
    Column("project", String(200), nullable=False, index=True),
    Column("username", String(200), nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("granted_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("reason", String(40)),
    Column("container", String(80)),
)
submissions = Table(
    "submissions",
    metadata,
    _key("id"),
    _order(),
    Column("number", Integer, nullable=False, unique=True),
    Column("project", String(200), nullable=False, index=True),
    Column("author", String(200), nullable=False),
    Column("session", String(200)),
    Column("state", String(20), nullable=False, index=True),
    Column("form", JSON, nullable=False),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("supersedes", String(200), unique=True),
    Column("superseded_by", String(200)),
    Column("decided_at", UtcDateTime),
    Column("verdict", String(20)),
)
files = Table(
    "submitted_files",
    metadata,
    _key("id"),
    _order(),
    Column("submission", String(200), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("report", JSON, nullable=False),
    Column("canonical_name", Text),
    Column("canonical_size", BigInteger),
    Column("canonical_sha256", String(64)),
    Column("changes", JSON, nullable=False),
)
votes = Table(
    "votes",
    metadata,
    _key("id"),
    _order(),
    Column("submission", String(200), nullable=False, index=True),
    Column("checker", String(200), nullable=False),
    Column("decision", String(20), nullable=False),
    Column("comment", Text, nullable=False),
    Column("voted_at", UtcDateTime, nullable=False),
    Column("confirmed", JSON, nullable=False),
    Column("withheld", JSON, nullable=False),
    UniqueConstraint("submission", "checker"),
)
audit = Table(
    "audit_events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(80), nullable=False),
    Column("object", String(200), nullable=False),
    Column("details", JSON, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Index("ix_audit_events_object", "object"),
)

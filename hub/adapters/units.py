"""Transactions with their audit events, on SQLite (WAL) or PostgreSQL.

Writing units run one after another (SQLite: BEGIN IMMEDIATE; PostgreSQL: an advisory lock), so that
two votes at the same instant, or two audit entries, never interleave. Reads are never blocked.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, select, text

from hub.adapters import tables, tables_checking, tables_requests
from hub.adapters.records import TableRecords
from hub.domain import audit
from hub.domain.audit import AuditEntry, Head
from hub.domain.permissions import Actor
from hub.domain.publications import Publication, PublicationVote
from hub.domain.records import (
    Extract,
    FindingAnswer,
    LedgerFile,
    Person,
    Project,
    ReleaseRecord,
    ReviewComment,
    Session,
    Source,
    Submission,
    SubmittedFile,
    Vote,
)
from hub.domain.requests import DataRequest, RecordedCondition, Remark, RequestAssessment, RequestVersion

_WRITE_LOCK = 0x56495452  # "VITR": the advisory lock of writing units on PostgreSQL


class UnitWithoutEventError(RuntimeError):
    """A writing unit ended without an audit event: a mistake in the program; nothing was committed."""


def open_engine(url: URL) -> Engine:
    """An engine for SQLite (WAL, foreign keys, full synchronisation) or PostgreSQL."""
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=10)
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        mode = "IMMEDIATE" if connection.get_execution_options().get("vitrine_write") else "DEFERRED"
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine


class SqlUnit:
    """A `Unit` on one connection."""

    def __init__(self, connection: Connection, audit_key: bytes) -> None:
        self._connection = connection
        self._audit_key = audit_key
        self.people = TableRecords(connection, tables.people, Person)
        self.projects = TableRecords(connection, tables.projects, Project)
        self.sources = TableRecords(connection, tables.sources, Source)
        self.extracts = TableRecords(connection, tables.extracts, Extract)
        self.sessions = TableRecords(connection, tables.sessions, Session)
        self.submissions = TableRecords(connection, tables.submissions, Submission)
        self.files = TableRecords(connection, tables.files, SubmittedFile)
        self.votes = TableRecords(connection, tables.votes, Vote)
        checking = tables_checking
        self.ledger_files = TableRecords(connection, checking.ledger_files, LedgerFile)
        self.answers = TableRecords(connection, checking.finding_answers, FindingAnswer)
        self.release_records = TableRecords(connection, checking.release_records, ReleaseRecord)
        self.comments = TableRecords(connection, checking.review_comments, ReviewComment)
        self.publications = TableRecords(connection, checking.publications, Publication)
        self.publication_votes = TableRecords(connection, checking.publication_votes, PublicationVote)
        self.requests = TableRecords(connection, tables_requests.requests, DataRequest)
        self.request_versions = TableRecords(connection, tables_requests.request_versions, RequestVersion)
        self.remarks = TableRecords(connection, tables_requests.request_remarks, Remark)
        self.conditions = TableRecords(connection, tables_requests.request_conditions, RecordedCondition)
        self.assessments = TableRecords(connection, tables_requests.assessments, RequestAssessment)
        self.last: Head | None = None

    def record(
        self,
        *,
        by: Actor,
        action: str,
        object: str,
        now: datetime,
        details: Mapping[str, object] | None = None,
    ) -> AuditEntry:
        newest = self._connection.execute(
            select(tables.audit.c.seq, tables.audit.c.digest).order_by(tables.audit.c.seq.desc()).limit(1)
        ).first()
        seq, previous = (newest.seq + 1, newest.digest) if newest else (1, audit.GENESIS)
        fields: dict[str, Any] = {
            "seq": seq,
            "at": now,
            "actor": by.audit_name,
            "action": action,
            "object": object,
            "details": dict(details or {}),
            "previous": previous,
        }
        entry = AuditEntry(**fields, digest=audit.digest(self._audit_key, **fields))
        self._connection.execute(tables.audit.insert().values(**fields, digest=entry.digest))
        self.last = Head(seq, entry.digest)
        return entry

    def events(
        self, *, newest: int | None = None, before: int | None = None, object: str | None = None
    ) -> Iterator[AuditEntry]:
        query = select(tables.audit)
        if object is not None:
            query = query.where(tables.audit.c.object == object)
        if before is not None:
            query = query.where(tables.audit.c.seq < before)
        if newest is None:
            rows = self._connection.execute(query.order_by(tables.audit.c.seq)).mappings()
            for row in rows:
                yield AuditEntry(**row)
            return
        latest = self._connection.execute(query.order_by(tables.audit.c.seq.desc()).limit(newest)).mappings()
        yield from reversed([AuditEntry(**row) for row in latest])


class SqlUnits:
    """`Units` on an engine; the chain's head is kept in a file outside the database."""

    def __init__(self, engine: Engine, *, audit_key: bytes, head_file: Path) -> None:
        self.engine = engine
        self._audit_key = audit_key
        self._head_file = head_file

    @contextmanager
    def write(self) -> Iterator[SqlUnit]:
        with self.engine.connect().execution_options(vitrine_write=True) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITE_LOCK})
            unit = SqlUnit(connection, self._audit_key)
            yield unit
            if unit.last is None:
                raise UnitWithoutEventError("a change without an audit event was refused")
        self._remember(unit.last)

    @contextmanager
    def read(self) -> Iterator[SqlUnit]:
        with self.engine.connect() as connection:
            transaction = connection.begin()
            try:
                yield SqlUnit(connection, self._audit_key)
            finally:
                transaction.rollback()

    def note_progress(self, extract_id: str, *, step: str, share: float, now: datetime) -> None:
        extract = tables.extracts
        with self.engine.connect().execution_options(vitrine_write=True) as connection, connection.begin():
            connection.execute(
                extract.update()
                .where(extract.c.id == extract_id)
                .values(step=step, progress=share, updated_at=now)
            )

    def note_assessing(self, assessment_id: str, *, step: str, share: float, now: datetime) -> None:
        assessment = tables_requests.assessments
        with self.engine.connect().execution_options(vitrine_write=True) as connection, connection.begin():
            connection.execute(
                assessment.update()
                .where(assessment.c.id == assessment_id)
                .values(step=step, progress=share, updated_at=now)
            )

    def head(self) -> Head | None:
        try:
            raw = json.loads(self._head_file.read_text(encoding="utf-8"))
            return Head(int(raw["seq"]), str(raw["digest"]))
        except FileNotFoundError:
            return None

    def _remember(self, head: Head) -> None:
        """Note the chain's end outside the database; a crash before this only leaves an older end."""
        known = self.head()
        if known is not None and known.seq >= head.seq:
            return
        self._head_file.parent.mkdir(parents=True, exist_ok=True)
        aside = self._head_file.with_name(f".head.{os.getpid()}.{head.seq}")
        aside.write_text(json.dumps({"seq": head.seq, "digest": head.digest}), encoding="utf-8")
        aside.replace(self._head_file)

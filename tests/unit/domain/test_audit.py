"""The audit chain: every tampering is named at its first entry."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain import audit
from hub.domain.audit import AuditEntry, Head

KEY = b"k" * 32
START = datetime(2026, 1, 1, tzinfo=UTC)


def chain(length: int) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    previous = audit.GENESIS
    for seq in range(1, length + 1):
        fields = {
            "seq": seq,
            "at": START + timedelta(seconds=seq),
            "actor": "ana",
            "action": "session.granted",
            "object": f"session:s{seq}",
            "details": {"n": seq},
            "previous": previous,
        }
        previous = audit.digest(KEY, **fields)
        entries.append(AuditEntry(**fields, digest=previous))
    return entries


def change(position: int, **fields: object) -> Callable[[list[AuditEntry]], list[AuditEntry]]:
    def apply(entries: list[AuditEntry]) -> list[AuditEntry]:
        entries[position] = dataclasses.replace(entries[position], **fields)
        return entries

    return apply


def swap(entries: list[AuditEntry]) -> list[AuditEntry]:
    a, b = entries[3], entries[4]
    entries[3], entries[4] = dataclasses.replace(b, seq=a.seq), dataclasses.replace(a, seq=b.seq)
    return entries


def forged_without_key(entries: list[AuditEntry]) -> list[AuditEntry]:
    """Everything from entry 3 on rebuilt by someone who does not have the key."""
    previous = entries[1].digest
    for position in range(2, len(entries)):
        entry = dataclasses.replace(entries[position], actor="mallory", previous=previous)
        previous = audit.digest(b"guess" * 8, **{k: v for k, v in vars(entry).items() if k != "digest"})
        entries[position] = dataclasses.replace(entry, digest=previous)
    return entries


@pytest.mark.parametrize(
    ("tamper", "seq", "code"),
    [
        (change(4, actor="bob"), 5, "changed"),
        (change(4, action="session.ended"), 5, "changed"),
        (change(4, object="session:other"), 5, "changed"),
        (change(4, details={"n": 6}), 5, "changed"),
        (change(4, at=START), 5, "changed"),
        (change(0, actor="bob"), 1, "changed"),
        (change(9, actor="bob"), 10, "changed"),
        (change(4, previous="0" * 64), 5, "reordered"),
        (lambda entries: entries[:4] + entries[5:], 5, "missing"),
        (lambda entries: entries[1:], 1, "missing"),
        (lambda entries: entries[:-1], 10, "missing"),
        (lambda _entries: [], 1, "missing"),
        (swap, 4, "reordered"),
        (forged_without_key, 3, "changed"),
    ],
)
def test_verify_names_the_first_bad_entry(
    tamper: Callable[[list[AuditEntry]], list[AuditEntry]], seq: int, code: str
) -> None:
    entries = chain(10)
    head = Head(10, entries[-1].digest)
    held, fault = audit.verify(KEY, tamper(entries), head)
    assert fault is not None
    assert (fault.seq, fault.code) == (seq, code)
    assert held == seq - 1


def test_verify_refuses_a_chain_with_another_end_than_the_one_noted_outside() -> None:
    entries = chain(5)
    _, fault = audit.verify(KEY, entries, Head(5, "f" * 64))
    assert fault is not None
    assert (fault.seq, fault.code) == (5, "changed")


@pytest.mark.parametrize("head_at", [0, 3, 10, None])
def test_verify_accepts_a_whole_chain_and_an_older_head(head_at: int | None) -> None:
    entries = chain(10)
    head = None
    if head_at is not None:
        head = Head(head_at, entries[head_at - 1].digest if head_at else audit.GENESIS)
    assert audit.verify(KEY, entries, head) == (10, None)


def test_verify_of_nothing_is_nothing() -> None:
    assert audit.verify(KEY, [], None) == (0, None)

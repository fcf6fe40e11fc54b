"""The audit chain: each entry is bound to the one before by a keyed hash.

The key lies outside the database, so someone who can only write the database cannot rebuild the
chain; the head file lies outside it too, so cutting the end off is seen.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

GENESIS = "0" * 64

Details = Mapping[str, object]


@dataclass(frozen=True)
class AuditEntry:
    """One thing that happened. `at` is aware UTC; `details` is plain JSON without data of persons."""

    seq: int
    at: datetime
    actor: str
    action: str
    object: str
    details: Details
    previous: str
    digest: str


@dataclass(frozen=True)
class Head:
    """The last entry known outside the database."""

    seq: int
    digest: str


@dataclass(frozen=True)
class ChainFault:
    """The first entry at which the chain does not hold, and why (`code` is stable)."""

    seq: int
    code: str
    sentence: str


def digest(
    key: bytes,
    *,
    seq: int,
    at: datetime,
    actor: str,
    action: str,
    object: str,
    details: Mapping[str, object],
    previous: str,
) -> str:
    """HMAC-SHA256 over the canonical JSON of the entry and its predecessor's digest, as hex."""
    body = json.dumps(
        [seq, at.isoformat(timespec="microseconds"), actor, action, object, details, previous],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hmac.new(key, body.encode("utf-8"), hashlib.sha256).hexdigest()


def verify(key: bytes, entries: Iterable[AuditEntry], head: Head | None) -> tuple[int, ChainFault | None]:
    """Walk the chain in order of `seq`; answer how many entries hold and the first that does not.

    1. Numbers run from 1 without a gap. 2. Each names its predecessor's digest. 3. Each digest is
    right. 4. The chain reaches the head known outside the database and has its digest there.
    The caller must pass every entry of the table, ordered by `seq`.
    """
    previous, count, at_head = GENESIS, 0, None
    for entry in entries:
        expected = count + 1
        if entry.seq != expected:  # (1)
            return count, ChainFault(expected, "missing", f"entry {expected} is missing")
        if entry.previous != previous:  # (2)
            return count, ChainFault(
                entry.seq, "reordered", f"entry {entry.seq} does not follow the one before"
            )
        right = digest(
            key,
            seq=entry.seq,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            object=entry.object,
            details=entry.details,
            previous=entry.previous,
        )
        if not hmac.compare_digest(right, entry.digest):  # (3)
            return count, ChainFault(entry.seq, "changed", f"entry {entry.seq} was changed")
        previous, count = entry.digest, entry.seq
        if head is not None and head.seq == entry.seq:
            at_head = entry.digest
    if head is not None and head.seq > count:  # (4)
        return count, ChainFault(count + 1, "missing", f"entry {count + 1} is missing (the end was cut off)")
    if head is not None and head.seq > 0 and at_head != head.digest:
        return count, ChainFault(head.seq, "changed", f"entry {head.seq} is not the one recorded outside")
    return count, None

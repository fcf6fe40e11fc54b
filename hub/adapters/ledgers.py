"""The ledger's files: sets of persons under their SHA-256, and the registers of units. No desk mounts them.

cells/<aa>/<sha256>                sets of one submitted file, or what the persons of a table belong to;
                                   written once, by the portal
units/<project>/v<n>.parquet       pseudonym → number, written at sealing (hub.extraction.registers)
"""

from __future__ import annotations

import hashlib
import os
import struct
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from pyroaring import BitMap

from hub.checks.memberships import BadMemberships, Memberships, memberships_from
from hub.domain.errors import IntegrityError

_MAGIC = b"VITRINE LEDGER 1\n"
_KEPT_BYTES = 256 * 2**20  # of files whose sets stay in memory
_KEPT_MEMBERS = 8  # tables whose memberships do


def damaged() -> IntegrityError:
    """What is answered for a file of the ledger that is not what was written."""
    return IntegrityError(
        "ledger_damaged",
        "The ledger of released numbers cannot be read; nothing can be compared with it.",
        "Le registre des nombres libérés ne peut être lu ; rien ne peut y être comparé.",
    )


class FileLedger:
    """`Ledger` in a directory. Safe to use from several threads."""

    def __init__(self, root: Path) -> None:
        self._cells = root / "cells"
        self._units = root / "units"
        self._kept: OrderedDict[str, tuple[int, Sequence[BitMap]]] = OrderedDict()
        self._members: OrderedDict[str, Memberships] = OrderedDict()
        self._lock = threading.Lock()

    def numbers(self, extract: str, *, table: str, persons: Sequence[int]) -> tuple[str, Sequence[int]]:
        path = self._units / f"{extract}.parquet"
        if not path.exists():
            return f"{extract}/{table}", range(len(persons))
        try:
            known = pl.read_parquet(path)
            wanted = pl.DataFrame({"pseudonym": pl.Series(persons, dtype=pl.Int64)})
            spaces = [
                (str(name), wanted.join(units, on="pseudonym", how="left", maintain_order="left")["number"])
                for (name,), units in known.group_by("space", maintain_order=True)
            ]
        except (OSError, pl.exceptions.PolarsError) as error:
            raise damaged() from error
        whole = [(name, numbers.to_list()) for name, numbers in spaces if not numbers.null_count()]
        if len(whole) != 1:
            raise damaged()
        return whole[0]

    def keep(self, sets: Sequence[BitMap]) -> str:
        blobs = [members.serialize() for members in sets]
        head = struct.pack(f"<I{len(blobs)}I", len(blobs), *map(len, blobs))
        return self._write(b"".join([_MAGIC, head, *blobs]))

    def _write(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        target = self._path(sha256)
        if target.exists():
            return sha256
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = target.with_name(f".{sha256}.{os.getpid()}.{threading.get_ident()}")
        with aside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        aside.chmod(0o400)
        aside.replace(target)
        return sha256

    def sets(self, sha256: str) -> Sequence[BitMap]:
        with self._lock:
            if sha256 in self._kept:
                self._kept.move_to_end(sha256)
                return self._kept[sha256][1]
        size, sets = self._read(sha256)
        with self._lock:
            self._kept[sha256] = (size, sets)
            while sum(kept for kept, _ in self._kept.values()) > _KEPT_BYTES and len(self._kept) > 1:
                self._kept.popitem(last=False)
        return sets

    def keep_members(self, members: Memberships) -> str:
        return self._write(members.to_bytes())

    def members(self, sha256: str) -> Memberships:
        with self._lock:
            known = self._members.get(sha256)
            if known is not None:
                self._members.move_to_end(sha256)
                return known
        try:
            found = memberships_from(self._verified(sha256))
        except BadMemberships as error:
            raise damaged() from error
        with self._lock:
            self._members[sha256] = found
            while len(self._members) > _KEPT_MEMBERS:
                self._members.popitem(last=False)
        return found

    def _path(self, sha256: str) -> Path:
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise damaged()
        return self._cells / sha256[:2] / sha256

    def _verified(self, sha256: str) -> bytes:
        try:
            content = self._path(sha256).read_bytes()
        except OSError as error:
            raise damaged() from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise damaged()
        return content

    def _read(self, sha256: str) -> tuple[int, Sequence[BitMap]]:
        content = self._verified(sha256)
        start = len(_MAGIC)
        (count,) = struct.unpack_from("<I", content, start)
        lengths = struct.unpack_from(f"<{count}I", content, start + 4)
        start += 4 * (count + 1)
        sets = []
        for length in lengths:
            sets.append(BitMap.deserialize(content[start : start + length]))
            start += length
        return len(content), sets

"""The ledger's files: sets of persons under their SHA-256, and the registers of units. No desk mounts them.

cells/<aa>/<sha256>                sets of one submitted file, or what the persons of a table belong to;
                                   written once, by the portal
cells/extracts/<project>/v<n>/     the numbers of an extract's persons, by table; written at its first
                                   submission, gone with the extract
units/<project>/v<n>.parquet       pseudonym → number, written at sealing (hub.extraction.registers)

What is large is read and made by confined children (`hub.checks.placed`); this process only moves bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from polars.exceptions import PolarsError

from hub.actions.ports import ExtractFiles
from hub.checks.cells import Cell
from hub.checks.findings import Finding, Severity
from hub.checks.indexes import identity_of, rows_of
from hub.checks.placed import (
    LedgerFailed,
    NumberedTable,
    differ_in_subprocess,
    number_in_subprocess,
    place_in_subprocess,
)
from hub.checks.sets import sha256_of
from hub.domain.errors import IntegrityError
from hub.domain.records import LedgerFile, StagedSets

_PIECE = 1 << 20
_log = logging.getLogger(__name__)
_TABLES = "tables.json"


def damaged() -> IntegrityError:
    """What is answered for a file of the ledger that is not what was written."""
    return IntegrityError(
        "ledger_damaged",
        "The ledger of released numbers cannot be read; nothing can be compared with it.",
        "Le registre des nombres libérés ne peut être lu ; rien ne peut y être comparé.",
    )


def _failed(what: str, error: Exception) -> IntegrityError:
    how = str(error) if isinstance(error, LedgerFailed) else ""
    _log.warning("the ledger could not %s: %s %s", what, type(error).__name__, how)
    return damaged()


class FileLedger:
    """`Ledger` in a directory. Safe to use from several threads; two processes must not share it."""

    def __init__(self, root: Path) -> None:
        self._cells = root / "cells"
        self._units = root / "units"
        self._extracts = self._cells / "extracts"

    def number(self, extract: ExtractFiles) -> Mapping[str, NumberedTable]:
        """The record if it is of the extract and the register as they stand, else made anew."""
        try:
            identity = self._identity(extract)
            known = self._recorded(extract.name, identity)
            return known if known is not None else self._number(extract, identity)
        except (OSError, LedgerFailed, PolarsError, KeyError, TypeError, ValueError) as error:
            raise _failed("number", error) from error

    def place(
        self,
        tables: Mapping[str, NumberedTable],
        cells: Sequence[Cell],
        sets: IO[bytes],
        released: Mapping[str, Sequence[LedgerFile]],
        beside: Mapping[str, Sequence[LedgerFile]],
        *,
        min_units: int,
        severity: Severity,
    ) -> tuple[list[StagedSets], list[Finding]]:
        old, near = (
            {space: [_told(file) for file in files] for space, files in others.items()}
            for others in (released, beside)
        )
        try:
            with self.aside() as answer:
                spaces, found = place_in_subprocess(
                    self._cells,
                    tables,
                    cells,
                    sets,
                    old,
                    near,
                    min_units=min_units,
                    severity=severity,
                    into=answer,
                )
                answer.seek(0)
                placed = [StagedSets(one.space, self._keep(answer, one.length), one.cells) for one in spaces]
        except (OSError, LedgerFailed) as error:
            raise _failed("place", error) from error
        return placed, found

    def differ(
        self, new: LedgerFile, released: Sequence[LedgerFile], *, min_units: int
    ) -> list[tuple[int, bool, bool]]:
        try:
            return differ_in_subprocess(
                self._cells, _told(new), [_told(file) for file in released], min_units=min_units
            )
        except LedgerFailed as error:
            raise _failed("differ", error) from error

    def verify(self, file: LedgerFile) -> None:
        try:
            with (self._cells / file.sha256[:2] / file.sha256).open("rb") as stream:
                if sha256_of(stream) != file.sha256:
                    raise damaged()
        except OSError as error:
            raise damaged() from error

    def extracts(self) -> list[str]:
        return sorted(
            {path.parent.relative_to(self._extracts).as_posix() for path in self._extracts.glob("*/*/*")}
        )

    def forget(self, extract: str) -> None:
        shutil.rmtree(self._extracts / extract, ignore_errors=True)

    def _identity(self, extract: ExtractFiles) -> dict[str, Any]:
        register = self._register(extract.name)
        said = register.stat() if register is not None else None
        return {
            "extract": identity_of(extract.directory),
            "register": [said.st_size, said.st_mtime_ns] if said is not None else None,
        } | ({"units": dict(extract.units)} if extract.units else {})

    def _register(self, name: str) -> Path | None:
        path = self._units / f"{name}.parquet"
        return path if path.exists() else None

    def _recorded(self, name: str, identity: Mapping[str, Any]) -> dict[str, NumberedTable] | None:
        folder = self._extracts / name
        if not (folder / _TABLES).is_file():
            return None
        record = json.loads((folder / _TABLES).read_text(encoding="utf-8"))
        if record["identity"] != identity:
            return None
        relations = [one["relation"] for one in record["tables"] if one["relation"] is not None]
        files = [self._cells / one[:2] / one for one in relations]
        if not all(
            path.is_file() for path in (*files, *(folder / one["numbers"] for one in record["tables"]))
        ):
            return None
        return {
            one["table"]: NumberedTable(
                one["space"], one["persons"], folder / one["numbers"], one["relation"]
            )
            for one in record["tables"]
        }

    def _number(self, extract: ExtractFiles, identity: Mapping[str, Any]) -> dict[str, NumberedTable]:
        """Numbers first, then the record that names them: what is cut short is made again."""
        folder = self._extracts / extract.name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.aside() as answer:
            tables = number_in_subprocess(
                extract.directory,
                name=extract.name,
                rows=rows_of(extract.directory),
                register=self._register(extract.name),
                index=extract.index,
                units=extract.units,
                into=answer,
            )
            answer.seek(0)
            recorded = []
            for one in tables:
                numbers = self._moved(answer, one["numbers"], lambda sha256: folder / f"{sha256}.numbers")
                relation = self._keep(answer, one["members"]) if one["members"] else None
                recorded.append(
                    {**{key: one[key] for key in ("table", "space", "persons")}, "relation": relation}
                    | {"numbers": f"{numbers}.numbers"}
                )
        record = {"identity": identity, "tables": recorded}
        named = {_TABLES, *(one["numbers"] for one in recorded)}
        _write_aside(folder / _TABLES, json.dumps(record).encode())
        for path in folder.iterdir():  # of the extract before it was changed
            if path.name not in named and not path.name.startswith("."):
                path.unlink(missing_ok=True)
        known = self._recorded(extract.name, identity)
        return known if known is not None else {}

    @contextlib.contextmanager
    def aside(self) -> Iterator[IO[bytes]]:
        self._cells.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=self._cells) as stream:
            yield stream

    def _keep(self, stream: IO[bytes], length: int) -> str:
        return self._moved(stream, length, lambda sha256: self._cells / sha256[:2] / sha256)

    def _moved(self, stream: IO[bytes], length: int, place: Callable[[str], Path]) -> str:
        """Copy the next bytes of a stream to where their SHA-256 belongs, and answer it. Raises
        LedgerFailed."""
        digest = hashlib.sha256()
        aside = self._cells / f".{os.getpid()}.{threading.get_ident()}.new"
        try:
            with aside.open("wb") as target:
                left = length
                while left and (piece := stream.read(min(left, _PIECE))):
                    digest.update(piece)
                    target.write(piece)
                    left -= len(piece)
                if left:
                    raise LedgerFailed("cut short")
                target.flush()
                os.fsync(target.fileno())
            sha256 = digest.hexdigest()
            path = place(sha256)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            aside.chmod(0o400)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        return sha256


def _told(file: LedgerFile) -> dict[str, Any]:
    return {
        "id": file.id,
        "sha256": file.sha256,
        "number": file.number,
        "name": file.name,
        "cells": list(file.cells),
    }


def _write_aside(path: Path, content: bytes) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    with aside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    aside.replace(path)

"""The indexes of large extracts in one directory of the checkers’ zone: made once, sealed, believed only as
long as nothing of them changed.

Who makes one signs what it says with a key that nothing else knows (HMAC), beside it. At the first use in a
process all of it is read and compared with that; afterwards its files' inodes, sizes and times are. What does
not agree is made again, and meanwhile files are judged by the extract itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from polars.exceptions import PolarsError

import hub
from hub.checks.confinement import Limits, limits_for
from hub.checks.indexes import LEAST_ROWS, Sealed, UnreadableIndex, identity_of, rows_of, seal_of, verify

LARGE_ROWS = 2_000_000  # extracts of which one file is judged at a time: each takes gigabytes
_MAKING_SECONDS = 3_600
_PART = ".part"
_ASIDE = (".seal", ".seal.new", _PART)  # beside the directory of an index
_PURPOSE = b"vitrine index of an extract\0"
_log = logging.getLogger(__name__)


@dataclass
class Indexes:
    """`directory`: where they lie, written by this process alone; `key`: 16 bytes at least. `least_rows`: of
    an extract that gets one. Safe for threads; two processes must not share a directory."""

    directory: Path
    key: bytes
    least_rows: int = LEAST_ROWS
    _seals: dict[str, tuple[str, object]] = field(default_factory=dict)
    _rows: dict[str, int] = field(default_factory=dict)
    _making: dict[str, threading.Thread] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _large: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Refuse a key that could be guessed."""
        if len(self.key) < 16:
            raise ValueError("the key of indexes must have at least 16 bytes")

    def rows(self, extract: Path, name: str) -> int:
        """Rows of the largest table of a sealed extract; 0 where it cannot be read."""
        if name not in self._rows:
            try:
                self._rows[name] = rows_of(extract)
            except (OSError, PolarsError):  # the check says so itself
                return 0
        return self._rows[name]

    @contextlib.contextmanager
    def turn(self, extract: Path, name: str) -> Iterator[Limits]:
        """What the child may use that judges a file by this extract. Of large ones one runs at a time."""
        rows = self.rows(extract, name)
        with self._large if rows >= LARGE_ROWS else contextlib.nullcontext():
            yield limits_for(rows)

    def of(self, extract: Path, name: str) -> Sealed | None:
        """The index of the extract called `name`, if it may be believed; where there is none it is begun, and
        this file does without."""
        if self.rows(extract, name) < self.least_rows:
            return None
        with self._lock:
            sealed = self._believed(extract, name)
            if sealed is None and name not in self._making:
                self._making[name] = threading.Thread(
                    target=self._make, args=(extract, name, {}), daemon=True
                )
                self._making[name].start()
        return sealed

    def made(self, extract: Path, name: str, units: Mapping[str, str] | None = None) -> Sealed | None:
        """The same, made first where there is none; None where it cannot be made."""
        with self._lock:
            sealed = self._believed(extract, name)
        if sealed is None:
            self._make(extract, name, units or {})
            with self._lock:
                sealed = self._believed(extract, name)
        return sealed

    def await_made(self) -> None:
        """Wait for those that are being made."""
        for thread in list(self._making.values()):
            thread.join()

    def names(self) -> list[str]:
        """Of which extracts there is something of an index, whole or in part."""
        found = set()
        for path in self.directory.rglob("*"):
            name = path.relative_to(self.directory).as_posix()
            ending = next((one for one in _ASIDE if name.endswith(one)), None)
            if ending is not None:
                found.add(name.removesuffix(ending))
            elif path.is_file() and path.parent.suffix != _PART:
                found.add(path.parent.relative_to(self.directory).as_posix())
        return sorted(found)

    def remove(self, name: str) -> None:
        """Remove the index of an extract; one that is being made fails thereby, or is found again by `names`,
        as is whatever this leaves when it is cut short: no seal, so that nothing of it is believed."""
        with self._lock:
            self._seals.pop(name, None)
            self._rows.pop(name, None)
            directory = self.directory / name
            for ending in _ASIDE:
                path = directory.with_name(directory.name + ending)
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            if directory.is_dir():
                shutil.rmtree(directory)

    def prune(self, extracts: Path) -> None:
        """Remove the indexes of extracts that are no longer there: an index holds their data."""
        for name in self.names():
            if not (extracts / name).is_dir():
                self.remove(name)

    def _believed(self, extract: Path, name: str) -> Sealed | None:
        """1. What was compared in full and has not changed since. 2. Or: compare all of it, with the key."""
        directory = self.directory / name
        try:
            if self._seals.get(name) == (seal_of(directory), identity_of(extract)):  # (1)
                return Sealed(directory, self._seals[name][0])
            self._seals.pop(name, None)
            before = seal_of(directory)
            said = self._signed(verify(directory, extract), name)  # (2)
            if not hmac.compare_digest(said, self._seal_file(name).read_text(encoding="ascii").strip()):
                raise UnreadableIndex("not sealed here")
            if seal_of(directory) != before:
                raise UnreadableIndex("changed meanwhile")
        except (OSError, UnicodeDecodeError, UnreadableIndex):
            return None
        self._seals[name] = (before, identity_of(extract))
        return Sealed(directory, before)

    def _signed(self, sha256: str, name: str) -> str:
        return hmac.new(self.key, _PURPOSE + f"{name}\0{sha256}".encode(), hashlib.sha256).hexdigest()

    def _seal_file(self, name: str) -> Path:
        return self.directory / f"{name}.seal"

    def _make(self, extract: Path, name: str, units: Mapping[str, str]) -> None:
        directory, seal = self.directory / name, self._seal_file(name)
        try:
            directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            seal.unlink(missing_ok=True)
            _make_in_subprocess(extract, directory, units, self.rows(extract, name))
            aside = seal.with_name(seal.name + ".new")
            aside.write_text(self._signed(verify(directory, extract), name), encoding="ascii")
            aside.replace(seal)
        except (OSError, UnreadableIndex, subprocess.SubprocessError) as error:
            _log.warning("no index of extract %s: %s", name, type(error).__name__)
        finally:
            self._making.pop(name, None)


def _make_in_subprocess(extract: Path, directory: Path, units: Mapping[str, str], rows: int) -> None:
    """`make_index` in a process of its own, whose memory is gone afterwards. It reads what extraction wrote,
    and nothing that a researcher did. Raises OSError, SubprocessError."""
    import json

    environment = {
        "PYTHONPATH": str(Path(hub.__file__).resolve().parent.parent),
        "LANG": "C.UTF-8",
        "POLARS_MAX_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "1",  # pieces are small: threads would only wait for each other
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    subprocess.run(
        [sys.executable, "-s", "-P", "-m", "hub.checks.indexes", str(extract.absolute()),
         str(directory.absolute()), json.dumps(dict(units)), str(limits_for(rows).memory_bytes)],
        env=environment, cwd="/", check=True, timeout=_MAKING_SECONDS, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=_yield_to_others,
    )  # fmt: skip


def _yield_to_others() -> None:
    os.nice(10)

"""Directories that appear whole or not at all, whatever is killed."""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.domain.errors import Conflict

_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of renameat2(2)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def staged(target: Path, *, mode: int = 0o444, replace: bool = False) -> Iterator[Path]:
    """Yield an empty directory; on leaving without an error it becomes `target`, which must not exist or,
    with `replace`, must exist and is removed.

    1. The directory lies beside `target` under a hidden name and is locked; the lock ends with the
       process, and what a killed process left there is removed by the next.
    2. At the end its files (it may hold no directories) get `mode`, and the directory the same with
       the right to enter; they go to the owner of the directory around (where root writes what a
       service reads) and are flushed to disk, and
    3. the directory is renamed, or changes names with the one that it replaces: the one step that makes
       it visible. A file system that cannot do the latter raises OSError.
    On an error nothing stays, and what there was is as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.parent / f".{target.name}.staging"
    lock = _lock(staging)
    try:
        _empty(staging)  # (1)
        try:
            yield staging
            _flush(staging, mode)  # (2)
            if os.path.lexists(target) and not replace:
                raise Conflict(
                    "exists_already", f"{target.name} exists already.", f"{target.name} existe déjà."
                )
            _exchange(staging, target) if replace else staging.rename(target)  # (3)
            _sync_directory(target.parent)
        except BaseException:
            _remove(staging)
            raise
    finally:
        os.close(lock)
    if replace:
        clear(target)


def _exchange(one: Path, other: Path) -> None:
    """Let two directories change names, in one step of the file system."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def clear(target: Path) -> None:
    """Remove what `target` replaced, or a killed process left, unless another process writes there by now:
    it empties the directory itself."""
    staging = target.parent / f".{target.name}.staging"
    try:
        lock = _lock(staging)
    except Conflict:
        return
    try:
        _remove(staging)
    finally:
        os.close(lock)


def _lock(staging: Path) -> int:
    """A lock on the directory `staging`, made if need be; Conflict where another process has it."""
    while True:
        staging.mkdir(mode=0o700, exist_ok=True)
        try:
            descriptor = os.open(staging, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue  # another process has just finished with it
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # It may have been renamed or removed between opening and locking: then it is not ours.
            found = staging.stat()
            opened = os.fstat(descriptor)
            if (found.st_dev, found.st_ino) == (opened.st_dev, opened.st_ino):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise Conflict(
                "already_running",
                "The same is being written by another process.",
                "Un autre processus est en train d’écrire la même chose.",
            ) from None
        except FileNotFoundError:
            pass
        os.close(descriptor)


def _empty(staging: Path) -> None:
    staging.chmod(0o700)
    for entry in staging.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _remove(staging: Path) -> None:
    if staging.exists():
        _empty(staging)
        staging.rmdir()


def _flush(staging: Path, mode: int) -> None:
    around = staging.parent.stat()
    for path in [*sorted(staging.iterdir()), staging]:
        if os.geteuid() == 0:
            os.chown(path, around.st_uid, around.st_gid, follow_symlinks=False)
        path.chmod(mode if path != staging else mode | (mode & 0o444) >> 2)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

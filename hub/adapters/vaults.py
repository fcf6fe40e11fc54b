"""The output vault: bytes hashed while they arrive, then frozen under their SHA-256. No desk mounts it."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from pathlib import Path
from types import TracebackType

from hub.actions import ports
from hub.domain.errors import IntegrityError, NotFound


class Arrival:
    """A submission on its way in: files are written aside and hashed; nothing counts until `freeze`.

    Leaving the `with` block removes whatever was not frozen.
    """

    def __init__(self, vault: FileVault) -> None:
        self._vault = vault
        self._folder = vault.staging / uuid.uuid4().hex
        self._folder.mkdir(parents=True, mode=0o700)
        self._files: list[ArrivingFile] = []

    def __enter__(self) -> Arrival:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def open(self, position: int) -> ArrivingFile:
        """Begin to receive the file at this position."""
        file = ArrivingFile(self._folder / str(position))
        self._files.append(file)
        return file

    def freeze(self, file: ports.ArrivingFile) -> str:
        """Move a received file to its place in the vault and answer its SHA-256. Idempotent."""
        file = _of_an_arrival(file)
        sha256 = file.finish()
        target = self._vault.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        file.path.chmod(0o440)
        file.path.replace(target)
        _sync_folder(target.parent)
        return sha256

    def settle(self, file: ports.ArrivingFile) -> tuple[Path, str]:
        """Where a received file lies until the block is left, and its SHA-256. Nothing of it is kept."""
        file = _of_an_arrival(file)
        return file.path, file.finish()


class ArrivingFile:
    """One file being received: `write` in order, `size` in bytes so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._hash = hashlib.sha256()
        self._stream = path.open("xb")

    def write(self, chunk: bytes) -> None:
        self._stream.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    def close(self) -> None:
        """Let go of the file; what it holds does not matter any more."""
        self._stream.close()

    def finish(self) -> str:
        """Put the bytes on disk; answer their SHA-256."""
        if not self._stream.closed:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
        return self._hash.hexdigest()


def _of_an_arrival(file: ports.ArrivingFile) -> ArrivingFile:
    if not isinstance(file, ArrivingFile):
        raise TypeError("only a file of this arrival can be used")
    return file


class FileVault:
    """`OutputVault` in a directory: `objects/<aa>/<sha256>` and `staging/`."""

    def __init__(self, root: Path) -> None:
        self._objects = root / "objects"
        self.staging = root / "staging"

    def clear_staging(self) -> None:
        """Remove what a killed process left half-received. Call once before receiving begins."""
        shutil.rmtree(self.staging, ignore_errors=True)
        self.staging.mkdir(parents=True, mode=0o700)
        self._objects.mkdir(parents=True, exist_ok=True, mode=0o750)

    def receive(self) -> Arrival:
        """Begin to receive a submission."""
        return Arrival(self)

    def path(self, sha256: str) -> Path:
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise NotFound("not_found", "There is no such file.", "Ce fichier n’existe pas.")
        return self._objects / sha256[:2] / sha256

    def read(self, sha256: str) -> bytes:
        try:
            content = self.path(sha256).read_bytes()
        except OSError as error:
            raise NotFound("not_found", "There is no such file.", "Ce fichier n’existe pas.") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise IntegrityError(
                "changed_bytes",
                "The stored file is not the one that was frozen; it is not handed out.",
                "Le fichier conservé n’est pas celui qui a été gelé ; il n’est pas remis.",
            )
        return content


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

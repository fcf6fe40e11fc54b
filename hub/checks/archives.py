"""A zip container within limits: how many members, how large unpacked, how densely packed."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib

MAX_MEMBERS = 500
MAX_UNPACKED = 100_000_000
MAX_RATIO = 200
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, EOFError, NotImplementedError,
            RuntimeError)  # fmt: skip
_SMALL = 1_000_000  # below this the ratio says nothing


class ArchiveProblem(ValueError):
    """The container is not well formed or passes a limit; the text says which, without data."""


def open_archive(data: bytes, *, max_members: int = MAX_MEMBERS) -> zipfile.ZipFile:
    """The container in `data`, its directory read and nothing unpacked. Raises `ArchiveProblem`.

    Reading a member never yields more bytes than the directory declares, so the limits hold for what is
    unpacked afterwards.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _DAMAGED as error:
        raise ArchiveProblem("not a zip") from error
    members = archive.infolist()
    if len(members) > max_members:
        raise ArchiveProblem(f"more than {max_members} files")
    if sum(one.file_size for one in members) > MAX_UNPACKED:
        raise ArchiveProblem(f"more than {MAX_UNPACKED // 1_000_000} MB unpacked")
    names = [one.filename for one in members]
    if len(set(names)) != len(names):
        raise ArchiveProblem("two files of one name")
    for one in members:
        if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveProblem("packed in an unusual way")
        if one.flag_bits & 0x1:
            raise ArchiveProblem("protected by a password")
        if one.file_size > _SMALL and one.file_size > MAX_RATIO * max(one.compress_size, 1):
            raise ArchiveProblem("packed too densely")
        if stat.S_ISLNK(one.external_attr >> 16):
            raise ArchiveProblem("links")
    return archive


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member unpacked. Raises `ArchiveProblem` when it is damaged, KeyError when there is none."""
    try:
        return archive.read(name)
    except _DAMAGED as error:
        raise ArchiveProblem("damaged") from error

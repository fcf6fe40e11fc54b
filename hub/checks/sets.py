"""Sets of persons as a file: what the checking process hands over, and what the ledger keeps.

    VITRINE LEDGER 1 ⏎ · how many (4 bytes) · the length of each (4 bytes) · each in Roaring's portable format

Little-endian. A file is read set by set: at 25 million rows all of one table's take tens of megabytes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from typing import IO

from pyroaring import BitMap

MAGIC = b"VITRINE LEDGER 1\n"
_PIECE = 1 << 20


class BadSets(ValueError):
    """What was read is not what `packed` wrote."""


def packed(blobs: Sequence[bytes]) -> Iterator[bytes]:
    """The file with these serialised sets, in pieces."""
    yield MAGIC + struct.pack(f"<I{len(blobs)}I", len(blobs), *map(len, blobs))
    yield from blobs


class SetsFile:
    """The sets of an open file, each read when asked for. Raises BadSets where the file is not one.

    `first`: where in the stream it begins."""

    def __init__(self, stream: IO[bytes], first: int = 0) -> None:
        self._stream = stream
        stream.seek(0, 2)
        end = stream.tell()
        stream.seek(first)
        try:
            if stream.read(len(MAGIC)) != MAGIC:
                raise BadSets("no file of sets")
            (count,) = struct.unpack("<I", stream.read(4))
            if 4 * count > end:
                raise BadSets("no file of sets")
            lengths = struct.unpack(f"<{count}I", stream.read(4 * count))
        except struct.error as error:
            raise BadSets("no file of sets") from error
        starts = [first + len(MAGIC) + 4 + 4 * count]
        for length in lengths:
            starts.append(starts[-1] + length)
        if starts[-1] != end:
            raise BadSets("no file of sets")
        self._starts = starts

    def __len__(self) -> int:
        return len(self._starts) - 1

    def blob(self, position: int) -> bytes:
        """A set as it is written."""
        if not 0 <= position < len(self):
            raise BadSets("no such set")
        self._stream.seek(self._starts[position])
        return self._stream.read(self._starts[position + 1] - self._starts[position])

    def __getitem__(self, position: int) -> BitMap:
        try:
            return BitMap.deserialize(self.blob(position))
        except ValueError as error:
            raise BadSets("no set") from error


def sha256_of(stream: IO[bytes]) -> str:
    """The SHA-256 of all of a file; it stands at its beginning afterwards."""
    stream.seek(0)
    digest = hashlib.sha256()
    while piece := stream.read(_PIECE):
        digest.update(piece)
    stream.seek(0)
    return digest.hexdigest()

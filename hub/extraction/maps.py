"""The map of a project: which unit has which pseudonym. Encrypted, beside no extract, for refreshes and
the trustee.

    VITRINE-MAP-1 | 12 bytes of nonce | AES-256-GCM(content), bound to the project

The content is one line of JSON (the keys' version, and the length of every table) and after it one Parquet
table per kind of unit: its key columns and PSEUDONYM. The key is HKDF-SHA256 of the master key under a
salt of its own: who has the map's key has no pseudonym key.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.domain.errors import IntegrityError
from hub.extraction.keys import map_key

PSEUDONYM = " pseudonym"  # no variable can be called this
_MAGIC = b"VITRINE-MAP-1\n"
_NONCE_BYTES = 12
_NAME = re.compile(r"v(\d+)\.map")

PseudonymMap = Mapping[str, pl.DataFrame]


def write_map(path: Path, tables: PseudonymMap, *, project: str, key_version: int, master_key: bytes) -> None:
    """Write the map of `project` as `path` (mode 0400), whole or not at all, over what is there."""
    buffers = {}
    for name, table in tables.items():
        buffer = io.BytesIO()
        table.write_parquet(buffer, compression="zstd")
        buffers[name] = buffer.getvalue()
    header = {"key_version": key_version, "tables": {name: len(content) for name, content in buffers.items()}}
    content = json.dumps(header).encode() + b"\n" + b"".join(buffers.values())
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(map_key(master_key, project)).encrypt(nonce, content, _MAGIC + project.encode())
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.staging")
    aside.unlink(missing_ok=True)
    with aside.open("xb") as file:
        os.fchmod(file.fileno(), 0o400)
        file.write(_MAGIC + nonce + sealed)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def read_map(path: Path, *, project: str, master_key: bytes) -> tuple[int, dict[str, pl.DataFrame]]:
    """The keys' version and the tables of the map; IntegrityError unless it is this project's, unchanged."""
    content = path.read_bytes()
    start = len(_MAGIC) + _NONCE_BYTES
    try:
        if not content.startswith(_MAGIC):
            raise InvalidTag
        opened = AESGCM(map_key(master_key, project)).decrypt(
            content[len(_MAGIC) : start], content[start:], _MAGIC + project.encode()
        )
    except InvalidTag:
        raise IntegrityError(
            "map_damaged",
            f"The map {path.name} is not the one that was written for this project with this master key.",
            f"La table {path.name} n’est pas celle qui a été écrite pour ce projet avec cette clé maîtresse.",
        ) from None
    line, _, rest = opened.partition(b"\n")
    header = json.loads(line)
    tables, position = {}, 0
    for name, length in header["tables"].items():
        tables[name] = pl.read_parquet(io.BytesIO(rest[position : position + length]))
        position += length
    return int(header["key_version"]), tables


def earlier_map(path: Path, *, project: str, key_version: int, master_key: bytes) -> dict[str, pl.DataFrame]:
    """The newest map beside `path` of a version before it, if it is of the same keys; otherwise nothing.

    Each map carries on what the one before it had, so that the newest is enough.
    """
    mine = _NAME.fullmatch(path.name)
    if mine is None or not path.parent.is_dir():
        return {}
    found = [
        (int(match[1]), entry)
        for entry in path.parent.iterdir()
        if (match := _NAME.fullmatch(entry.name)) is not None and int(match[1]) < int(mine[1])
    ]
    if not found:
        return {}
    version, tables = read_map(max(found)[1], project=project, master_key=master_key)
    return tables if version == key_version else {}

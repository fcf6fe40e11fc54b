"""The trustee's reading of a project's encrypted map."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from hub.actions import extracts
from hub.commands import context
from hub.domain.errors import Conflict, NotFound, Refused
from hub.extraction.maps import PSEUDONYM, read_map


def open_for_trustee(
    file: Path, *, project: str, master_key: bytes, into: Path, reason: str, by: str | None
) -> None:
    """Write the map's content as CSV into `into` (mode 0600), whole or not at all.

    1. `into` is a new file, and no link. 2. The map is this project's, whole, and the key its own. 3. An
    office, where there is one, records who opens it and why. 4. Only then is anything written.
    """
    if not reason.strip():
        raise Refused(
            "missing", "Say why the map is opened.", "Dites pourquoi la table est ouverte.", field="reason"
        )
    with _new_file(into) as descriptor:  # (1)
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            _, tables = read_map(file, project=project, master_key=master_key)  # (2)
        except OSError:
            raise NotFound(
                "unknown_map",
                f"The map {file.name} cannot be read.",
                f"La table {file.name} ne peut pas être lue.",
                field="file",
            ) from None
        if _has_office():  # (3)
            office = context.office()
            extracts.note_map_opened(
                office,
                project=project,
                sha256=digest,
                units=sum(table.height for table in tables.values()),
                reason=reason,
                by=context.actor(office, by),
                now=context.now(),
            )
        with os.fdopen(os.dup(descriptor), "wb") as written:  # (4)
            _together(tables).write_csv(written)
            written.flush()
            os.fsync(written.fileno())


def _has_office() -> bool:
    """Whether this process has an office's database; a trustee's own machine has none."""
    url = context.settings().database_url
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


@contextmanager
def _new_file(path: Path) -> Iterator[int]:
    """A new file that only its owner reads; gone again if anything fails. Conflict `exists`."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise Conflict(
            "exists",
            f"{path.name} exists already and is not written over.",
            f"{path.name} existe déjà et ne sera pas remplacé.",
            field="into",
        ) from None
    except OSError:
        raise Refused(
            "unwritable",
            f"{path.name} cannot be written there.",
            f"{path.name} ne peut pas être écrit à cet endroit.",
            field="into",
        ) from None
    try:
        os.fchmod(descriptor, 0o600)
        yield descriptor
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _together(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """All tables of a map as one of texts: `units`, `key_1` and so on, `pseudonym`; by pseudonym."""
    parts = []
    for name, table in sorted(tables.items()):
        keys = [column for column in table.columns if column != PSEUDONYM]
        named = [pl.col(key).cast(pl.String).alias(f"key_{n}") for n, key in enumerate(keys, start=1)]
        parts.append(
            table.sort(PSEUDONYM).select(
                pl.lit(name).alias("units"), *named, pl.col(PSEUDONYM).cast(pl.String).alias("pseudonym")
            )
        )
    if not parts:
        return pl.DataFrame(schema={"units": pl.String, "pseudonym": pl.String})
    together = pl.concat(parts, how="diagonal")
    keys = sorted(column for column in together.columns if column.startswith("key_"))
    return together.select("units", *keys, "pseudonym")

"""Published dictionaries: what anyone may read of a source before having access to it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pydantic import ValidationError

from hub.documents.dictionaries import Dictionary
from hub.domain.errors import IntegrityError, NotFound, Refused

DICTIONARY_NAME = "dictionary.json"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
_LARGEST = 32_000_000  # bytes; a dictionary of 1,000 variables has less than one million


class FileCatalogue:
    """`Catalogue` in a directory: `<source>/dictionary.json`, each written aside and renamed.

    Only `Dictionary.public` is ever written, and only that is answered, whatever a file holds.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[str, tuple[tuple[int, int, int], Dictionary]] = {}

    def publish(self, dictionary: Dictionary) -> None:
        """Make or replace the public dictionary of a source; Refused `not_published` where that fails."""
        folder = self._root / dictionary.name
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
            _give(folder, self._root)
            _replace(folder / DICTIONARY_NAME, dictionary.public.to_json())
        except OSError as error:
            raise Refused(
                "not_published",
                f"The dictionary of {dictionary.name} could not be published. Register the source again.",
                f"Le dictionnaire de {dictionary.name} n’a pas pu être publié. "
                "Enregistrez la source à nouveau.",
            ) from error

    def names(self) -> list[str]:
        """The published sources, in alphabetical order."""
        try:
            folders = [path for path in self._root.iterdir() if _NAME.fullmatch(path.name)]
        except FileNotFoundError:
            return []
        return sorted(path.name for path in folders if (path / DICTIONARY_NAME).is_file())

    def read(self, name: str) -> Dictionary:
        """The public dictionary; NotFound `unknown_source`, IntegrityError `dictionary_damaged`."""
        # The name comes from an address: it must not lead anywhere else.
        if not _NAME.fullmatch(name):
            raise _unknown()
        path = self._root / name / DICTIONARY_NAME
        try:
            found = path.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            kept = self._read.get(name)
            if kept is not None and kept[0] == stamp:
                return kept[1]
            content = path.read_bytes() if found.st_size <= _LARGEST else b""
        except (FileNotFoundError, NotADirectoryError):
            raise _unknown() from None
        except OSError:
            raise _damaged(name) from None
        dictionary = _parsed(content, name)
        self._read[name] = (stamp, dictionary)
        return dictionary


def _parsed(content: bytes, name: str) -> Dictionary:
    try:
        dictionary = Dictionary.model_validate_json(content).public
    except ValidationError:
        raise _damaged(name) from None
    if dictionary.name != name:
        raise _damaged(name)
    return dictionary


def _unknown() -> NotFound:
    return NotFound(
        "unknown_source",
        "No source of this name has a public dictionary.",
        "Aucune source de ce nom n’a de dictionnaire public.",
        field="source",
    )


def _damaged(name: str) -> IntegrityError:
    return IntegrityError(
        "dictionary_damaged",
        f"The public dictionary of {name} cannot be read. The data office can publish it again.",
        f"Le dictionnaire public de {name} ne peut pas être lu. "
        "L’unité d’accès aux données peut le publier à nouveau.",
        field="source",
    )


def _replace(target: Path, content: bytes) -> None:
    aside = target.with_name(f".{target.name}.{os.urandom(8).hex()}")
    try:
        with os.fdopen(
            os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640), "wb"
        ) as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        _give(aside, target.parent)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def _give(path: Path, around: Path) -> None:
    """What root writes goes to the owner of the folder around it, as which the services run."""
    if os.geteuid() == 0:
        owner = around.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)

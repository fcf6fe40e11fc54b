"""A new edition of a registered source: corrected data, more months. What a project has keeps its meaning:
the units are those of the same registers, so that a refreshed extract gives known units their pseudonyms."""

from __future__ import annotations

from pathlib import Path

from hub.documents.dictionaries import Dictionary
from hub.domain.errors import Conflict
from hub.extraction.linkages import identity, key_types
from hub.extraction.sources import Edition, load_dictionary, load_source


def editions_before(warehouse: Path, dictionary: Dictionary, file_sha256: str) -> tuple[Edition, ...] | None:
    """The editions of the source that this file and dictionary are to replace, the newest last; None where it
    is registered with them already.

    NotFound where no such source is registered; Conflict `units_differ` where a unit type that the source has
    now would be missing or be told apart by other columns: a refresh could not know the units again.
    """
    record, before = load_source(warehouse, dictionary.name), load_dictionary(warehouse, dictionary.name)
    if (record.file_sha256, record.dictionary_sha256) == (file_sha256, dictionary.digest):
        return None
    for unit in before.unit_types:
        if unit not in dictionary.unit_types or _told_apart(before, unit) != _told_apart(dictionary, unit):
            raise Conflict(
                "units_differ",
                f"The new edition of {dictionary.name} must keep the unit type {unit} with its register, key "
                "and pseudonym. For other units register another source.",
                f"La nouvelle édition de {dictionary.name} doit garder l’unité {unit} avec son registre, "
                "sa clé et son pseudonyme. Pour d’autres unités, enregistrez une autre source.",
                field=f"unit_types.{unit}",
            )
    edition = Edition(
        file_sha256=record.file_sha256,
        dictionary_sha256=record.dictionary_sha256,
        rows=record.rows,
        registered_at=record.registered_at,
    )
    return (*(record.earlier or ()), edition)


def _told_apart(dictionary: Dictionary, unit: str) -> tuple[object, ...]:
    return identity(dictionary, unit), key_types(dictionary, unit), dictionary.unit_types[unit].pseudonym

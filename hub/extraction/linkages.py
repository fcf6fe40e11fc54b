"""Units across sources: which unit types belong to the same register, and which columns tell them apart."""

from __future__ import annotations

import polars as pl

from hub.documents.dictionaries import Dictionary, UnitType
from hub.domain.errors import Refused

HOUSEHOLD = "household"


def unit_type(dictionary: Dictionary, unit: str, *, field: str) -> UnitType:
    """The unit type of this name; Refused `unknown_unit` naming `field` otherwise."""
    found = dictionary.unit_types.get(unit)
    if found is None:
        known = ", ".join(dictionary.unit_types)
        raise Refused(
            "unknown_unit",
            f"The source {dictionary.name} has no unit type {unit}: {known}.",
            f"La source {dictionary.name} n’a pas d’unité {unit} : {known}.",
            field=field,
        )
    return found


def identity(dictionary: Dictionary, unit: str) -> str:
    """What two unit types must share to be linked and to get the same pseudonyms: the register whose
    numbers they hold, or else the source itself and its own unit."""
    registry = dictionary.unit_types[unit].registry
    return f"register {registry}" if registry is not None else f"{dictionary.name}.{unit}"


def key_types(dictionary: Dictionary, unit: str) -> tuple[str, ...]:
    """The types of the key's columns, in their order."""
    return tuple(dictionary.variables[name].type for name in dictionary.unit_types[unit].key)


def check_link(one: Dictionary, unit_one: str, two: Dictionary, unit_two: str, *, field: str) -> None:
    """Return only if both are units of the same register, told apart by columns of the same types."""
    if identity(one, unit_one) == identity(two, unit_two):
        if key_types(one, unit_one) == key_types(two, unit_two):
            return
        raise Refused(
            "cannot_link",
            f"{one.name} and {two.name} write the key of {unit_two} with columns of different types.",
            f"{one.name} et {two.name} écrivent la clé de {unit_two} avec des colonnes de types différents.",
            field=field,
        )
    raise Refused(
        "cannot_link",
        f"{one.name} ({unit_one}) and {two.name} ({unit_two}) do not name the same register.",
        f"{one.name} ({unit_one}) et {two.name} ({unit_two}) ne nomment pas le même registre.",
        field=field,
    )


def linked_unit(dictionary: Dictionary, other: Dictionary, unit: str, *, field: str) -> str:
    """The unit type of `dictionary` that is the same as `unit` of `other`: the one called alike, or the
    only one of that register."""
    wanted = identity(other, unit)
    same = [name for name in dictionary.unit_types if identity(dictionary, name) == wanted]
    if unit in same or (len(same) != 1 and unit in dictionary.unit_types):
        same = [unit]
    if len(same) != 1:
        raise Refused(
            "cannot_link",
            f"{dictionary.name} has no unit type, or several, of the register behind {unit} of {other.name}.",
            f"{dictionary.name} n’a aucune unité, ou en a plusieurs, du registre de {unit} de {other.name}.",
            field=field,
        )
    check_link(other, unit, dictionary, same[0], field=field)
    return same[0]


def key_names(count: int) -> list[str]:
    """Names for the columns of a key, whichever source they come from; no variable can be called so."""
    return [f" key {position}" for position in range(count)]


def keyed(dictionary: Dictionary, unit: str) -> list[pl.Expr]:
    """The key of `unit` under `key_names`."""
    key = dictionary.unit_types[unit].key
    return [pl.col(name).alias(alias) for name, alias in zip(key, key_names(len(key)), strict=True)]

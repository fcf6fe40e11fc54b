"""Tables of transitions: each row with the next one of the same person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from .words import BadArgument

TRANSITION = "transition"


def with_transitions(
    measures: Sequence[Mapping[str, Any]], by: Sequence[str], time: str | None
) -> list[Mapping[str, Any]]:
    """The measures with "transition" as what it stands for: pairs of rows, their persons, and the share among
    those of the same first state."""
    wanted = [each for each in measures if each.get("stat") == TRANSITION]
    if (wanted or time is not None) and (time is None or not by):
        raise BadArgument(
            "time",
            fr='stat="transition" demande la colonne du temps (time) et une variable dans by',
            en='stat="transition" needs the column of time (time) and a variable in by',
        )
    found: list[Mapping[str, Any]] = []
    for each in measures:
        if each.get("stat") != TRANSITION:
            found.append(each)
            continue
        found += [
            {"stat": "count", "column": each.get("column") or "transitions"},
            {"stat": "persons", "column": "persons"},
            {"stat": "share", "within": list(by), "column": "share"},
        ]
    return found


def title_of(grouping: Mapping[str, Any]) -> str:
    """The head of a grouping's column."""
    return str(grouping.get("column") or grouping["variable"])


def with_next(rows: pd.DataFrame, output: Mapping[str, Any], person: str | None) -> pd.DataFrame:
    """A copy of the rows; for a table of transitions only those that have a next row of the same person, with
    that row's values in the columns of the `next` groupings."""
    if "time" not in output:
        return rows.copy()
    time = output["time"]
    if person is None:
        raise BadArgument("time", fr="la table n’a pas de personnes", en="the table has no persons")
    known = rows[rows[person].notna() & rows[time].notna()]
    if known.duplicated([person, time]).any():
        raise BadArgument(
            "time",
            fr="une personne a plusieurs lignes au même temps",
            en="a person has several rows at one time",
        )
    made = known.sort_values([person, time], kind="stable")
    people = made[person]
    later = people.eq(people.shift(-1))
    for grouping in output["by"]:
        if grouping.get("next"):
            made[title_of(grouping)] = made[grouping["variable"]].shift(-1)
    return made[later].copy()

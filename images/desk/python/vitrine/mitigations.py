"""What a researcher may do about a finding. Each writes the table's file and declaration anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .tables import THRESHOLD, Table, named_groups, remake
from .words import BadArgument


def suppress(
    table: Table, below: int = THRESHOLD, *, secondary: bool = True, text: str | None = None
) -> Table:
    """Hide the lines of fewer than `below` units and, with `secondary`, those that totals would give back."""
    return remake(table, below=below, secondary=secondary, suppressed=text)


def round_to(table: Table, base: int) -> Table:
    """Round counts and sums to multiples of `base` (2 to 1000)."""
    if not 2 <= base <= 1000:
        raise BadArgument("base", fr="de 2 à 1000", en="2 to 1000")
    return remake(table, rounding=base)


def merge(
    table: Table,
    variable: str,
    breaks: Sequence[float] | None = None,
    groups: Mapping[str, Sequence[Any]] | None = None,
) -> Table:
    """Wider bands for a number (`breaks`), or groups of codes ({"South": [1, 5], …}); codes in no group stand
    for themselves."""
    by = table.recipe.output["by"]
    if variable not in [each["variable"] for each in by] or (breaks is None) == (groups is None):
        raise BadArgument(
            "variable", fr="une variable de by, avec breaks ou groups", en="one of by, with breaks or groups"
        )
    if breaks is not None:
        edges = [float(edge) for edge in breaks]
        if len(edges) < 2 or sorted(set(edges)) != edges:
            raise BadArgument(
                "breaks", fr="au moins deux bornes, croissantes", en="at least two edges, ascending"
            )
        fresh: dict[str, Any] = {"breaks": edges}
    else:
        fresh = {"groups": named_groups(groups or {})}
    kept = ("variable", "column", "next", *(("right",) if breaks is not None else ()))
    changed = [
        {name: each[name] for name in kept if name in each} | fresh if each["variable"] == variable else each
        for each in by
    ]
    return remake(table, by=changed)


def drop_extremes(table: Table) -> Table:
    """Leave minima and maxima out: they are the values of single persons."""
    kept = [each for each in table.recipe.output["measures"] if each["stat"] not in ("min", "max")]
    if not kept:
        raise BadArgument("table", fr="il ne resterait aucune colonne", en="no column would be left")
    return remake(table, measures=kept)

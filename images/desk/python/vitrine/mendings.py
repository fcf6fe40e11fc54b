"""A written table mended from its declaration alone: what the buttons of the form do. The file and its
declaration stay as they are; a new file comes to lie beside them."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from .declarations import SUFFIX, result_path
from .mitigations import drop_extremes, merge, round_to, suppress
from .tables import THRESHOLD, Recipe, Table, make
from .words import BadArgument

_MOST_BYTES = 64_000


def written(file: str | os.PathLike[str], *, into: str | os.PathLike[str] | None = None) -> Table:
    """The table of `file`, made again from the declaration beside it, as `into` (a name nobody has yet).

    So `t = vitrine.written("table.csv", into="table-2.csv")` takes up a table that an earlier session wrote.
    BadArgument `file` where there is no declaration of a table, or `into` is there already.
    """
    path = result_path(file)
    place = path if into is None else result_path(into)
    if into is not None and (place.exists() or place.is_symlink()):
        raise BadArgument("into", fr="ce fichier existe déjà", en="this file is there already")
    return make(_recipe(path, place))


def _recipe(path: Path, place: Path) -> Recipe:
    output = _output(path)
    return Recipe(str(place), output, below=_below(path, output))


def mend(file: str | os.PathLike[str], remedy: str, *, below: int = THRESHOLD) -> Table:
    """Write what `remedy` (a key of REMEDIES) makes of the table of `file`, beside it under a new name.

    BadArgument, and nothing new is left, where the remedy does not apply to this table.
    """
    if remedy not in REMEDIES:
        known = ", ".join(REMEDIES)
        raise BadArgument("remedy", fr=f"l’un de : {known}", en=f"one of: {known}")
    path = result_path(file)
    output = _output(path)
    _require_use(remedy, output)
    place = _beside(path, remedy)
    # Not written yet: a file under the new name is never one that was not mended.
    taken = Table(str(place), pd.DataFrame(), pd.Series(dtype="float64"), None, _recipe(path, place))
    return REMEDIES[remedy](taken, below)


def _wider(table: Table, _: int) -> Table:
    """Neighbouring bands of each grouping two by two; the last alone where their number is odd."""
    for each in table.recipe.output["by"]:
        edges = each.get("breaks", ())
        if len(edges) > 2:
            kept = [*edges[:-1:2], edges[-1]]
            table = merge(table, each["variable"], breaks=kept)
    return table


REMEDIES: Mapping[str, Callable[[Table, int], Table]] = {
    "suppress": lambda table, below: suppress(table, below, secondary=True),
    "round": lambda table, _: round_to(table, 5),
    "merge": _wider,
    "drop_extremes": lambda table, _: drop_extremes(table),
}
_NAMES = {"suppress": "suppressed", "round": "rounded", "merge": "wider", "drop_extremes": "no-extremes"}


def _require_use(remedy: str, output: Mapping[str, Any]) -> None:
    if remedy == "merge" and not any(len(each.get("breaks", ())) > 2 for each in output["by"]):
        raise BadArgument(
            "breaks",
            fr="ce tableau n’a pas de classes à élargir ; regroupez des modalités avec vitrine.merge",
            en="this table has no bands to widen; group categories with vitrine.merge",
        )
    stats = {each["stat"] for each in output["measures"]}
    if remedy == "drop_extremes" and not stats & {"min", "max"}:
        raise BadArgument("table", fr="ni minimum ni maximum", en="no minimum and no maximum")
    if remedy == "round" and not stats & {"count", "persons", "sum"}:
        raise BadArgument("table", fr="ni effectif ni somme à arrondir", en="no count and no sum to round")


def _output(path: Path) -> dict[str, Any]:
    """The declared table of a file."""
    spec = path.with_name(path.name + SUFFIX)
    try:
        text = spec.read_bytes()[: _MOST_BYTES + 1]
        declared = json.loads(text) if len(text) <= _MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        declared = None
    output = declared.get("output") if isinstance(declared, dict) else None
    if not isinstance(output, dict) or output.get("kind") != "table" or declared["file"] != path.name:
        raise BadArgument(
            "file",
            fr=f"la déclaration d’un tableau doit se trouver à côté ({spec.name})",
            en=f"the declaration of a table must lie beside it ({spec.name})",
        )
    return output


def _below(path: Path, output: Mapping[str, Any]) -> int | None:
    """What the file hides stays hidden: a declaration does not say below which count."""
    measured = {each["column"] for each in output["measures"]}
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    names = measured if not output.get("spread") else {name for row in rows for name in row}
    hidden = any(row.get(name) == output.get("suppressed", "") for row in rows for name in names)
    return THRESHOLD if hidden else None


def _beside(path: Path, remedy: str) -> Path:
    """A name nobody has yet: table-rounded.csv, table-rounded-2.csv."""
    number = 1
    while True:
        part = "" if number == 1 else f"-{number}"
        place = path.with_name(f"{path.stem}-{_NAMES[remedy]}{part}.csv")
        if not any(
            each.exists() or each.is_symlink() for each in (place, place.with_name(place.name + SUFFIX))
        ):
            return place
        number += 1

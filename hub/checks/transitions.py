"""From one row of a unit to its next: tables of transitions are tables over pairs of rows.

A pair is a row of its own: its variables are those of the first row, and `next X` is X in the second. So a
table from state to state is a cross table of X and `next X`, and every rule for counts and shares of distinct
units holds for its cells as for any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.checks.cells import Cell
from hub.checks.excerpts import Excerpt
from hub.checks.explanations import Recomputed, best_of
from hub.checks.extracts import Part
from hub.checks.findings import Finding, Severity
from hub.checks.kinds import is_transition
from hub.checks.panels import Categories, Floats, Panel, fold
from hub.checks.persons import person_kind
from hub.checks.recompute import Search
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of
from hub.checks.thresholds import Thresholds
from hub.checks.wording import hint_of, is_total

NEXT = "next "
STEPS = ("row", "wave", "unit")
_TIMES = re.compile(
    r"(?:years?|annees?|ans?|months?|mois|quarters?|trimestres?|waves?|vagues?|periods?|periodes?|dates?|t"
    r"|times?|temps|rounds?|weeks?|semaines?|jours?|days?|(?:survey|ref(?:erence)?) (?:year|month|date)"
    r"|an(?:nee)? mois)"
)
_BEFORE = re.compile(
    r"\b(?:lag(?:ged)?|previous|prev|before|last|precedente?s?|avant|from|origins?|origines?|t 1|t minus 1)\b"
)
_MOST_STATES = 60  # of a variable that people show transitions of
_MOST_VARIABLES = 4  # tried as the state of one table
_MOST_TIMES = 3
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Moves(Excerpt):
    """Pairs of rows of one table: the rows `at`, each with the later row `to` of the same unit."""

    def __init__(self, whole: Panel, at: Rows, to: Rows, state: str | None = None) -> None:
        super().__init__(whole, at)
        later = [name for name in whole.variables if state in (None, name)]
        schema = {**whole.part.schema, **{NEXT + name: whole.part.schema[name] for name in later}}
        self.part = Part(whole.part.path, schema, whole.part.identifiers)
        self.labels = {**whole.labels, **{NEXT + n: whole.labels[n] for n in later if n in whole.labels}}
        self.rows_of = {True: to, False: at}
        self.state = state
        self.shown: Sequence[str] | None = None

    @property
    def variables(self) -> list[str]:
        """As of any table, the later ones last; only those `shown`."""
        return super().variables if self.shown is None else list(self.shown)

    def _split(self, name: str) -> tuple[str, Rows]:
        later = name.startswith(NEXT) and name not in self._whole.part.schema
        return name.removeprefix(NEXT) if later else name, self.rows_of[later]

    def precision(self, name: str) -> float:
        """As in the whole table."""
        return self._whole.precision(self._split(name)[0])

    def span(self, name: str) -> tuple[float, float]:
        """As in the whole table."""
        return self._whole.span(self._split(name)[0])

    def ends(self, name: str) -> tuple[Floats, Floats]:
        """As in the whole table."""
        return self._whole.ends(self._split(name)[0])

    def is_complete(self, name: str) -> bool:
        """As in the whole table."""
        return self._whole.is_complete(self._split(name)[0])

    def _read_numbers(self, name: str) -> Floats | None:
        own, rows = self._split(name)
        read = self._whole.reader(own)
        return read(rows) if read is not None else None

    def _read_categories(self, name: str) -> Categories | None:
        own, rows = self._split(name)
        known = self._whole.categories(own)
        return replace(known, make=lambda: known.codes[rows]) if known is not None else None


def moves_of(
    panel: Panel, time: str, *, step: str = "row", keep: Mask | None = None, state: str | None = None
) -> Moves | None:
    """The pairs of successive rows of each person, by the variable `time`; None where that orders none.

    `step`: "row" for the next row whenever that is, "wave" for rows of successive values of `time`, "unit"
    for values one apart. `keep`: only these rows are there at all.
    """
    order = ordered_rows(panel, time, keep)
    if order is None:
        return None
    units = panel.unit(str(person_kind(panel)))[0]
    when = panel_times(panel, time)[order]
    same = units[order[1:]] == units[order[:-1]]
    ahead = np.diff(when)
    if step == "wave":
        _, wave = np.unique(when, return_inverse=True)
        same &= np.diff(wave) == 1
    elif step == "unit":
        same &= ahead == 1
    pairs = np.flatnonzero(same)
    return Moves(panel, order[pairs], order[pairs + 1], state) if pairs.size else None


def ordered_rows(panel: Panel, time: str, keep: Mask | None = None) -> Rows | None:
    """The rows (those of `keep`) by person and time; None where `time` does not order each person's."""
    kind = person_kind(panel)
    when = _times_of(panel, time) if kind is not None else None
    if kind is None or when is None:
        return None
    units = panel.unit(kind)[0]
    held = np.flatnonzero((units >= 0) & ~np.isnan(when) & (True if keep is None else keep))
    order = held[np.lexsort((when[held], units[held]))]
    twice = (units[order[1:]] == units[order[:-1]]) & (when[order[1:]] == when[order[:-1]])
    return None if twice.any() else order


def panel_times(panel: Panel, time: str) -> Floats:
    """The times of all rows; zeros where they are none."""
    when = _times_of(panel, time)
    return when if when is not None else np.zeros(panel.rows)


def _times_of(panel: Panel, name: str) -> Floats | None:
    """A variable as numbers in the order of time; with months beside years, both."""
    numbers = panel.numbers(name)
    if numbers is None and panel.part.schema[name].is_temporal():
        days = panel.part.column(name).to_physical().cast(pl.Float64)
        numbers = days.to_numpy()
    if numbers is None:
        return None
    month = next((one for one in panel.numeric if fold(one) in ("month", "mois") and one != name), None)
    if month is not None and fold(name) in ("year", "annee", "an"):
        numbers = 12 * numbers + panel.numeric_reader(month)(slice(None))
    return np.asarray(numbers, dtype=np.float64)


def explain_moves(
    table: Table, panels: Sequence[Panel], context: str, known: dict[object, Moves | None]
) -> Recomputed | None:
    """The table as one of transitions; None where it has not the shape of one, or nothing makes all its
    numbers again. `known`: the pairs of the tables before it."""
    if not is_transition(table):
        return None
    for panel in panels:
        for moves in _candidates(table, panel, known):
            found = best_of([Search(moves, context).explain(_with_times(table, moves))])
            if found is not None and found.complete and _is_of_moves(found):
                return found
    return None


def _with_times(table: Table, moves: Moves) -> Table:
    """The table with X over the earlier and `next X` over the later state, where its heads call the earlier
    one the one before."""
    state = str(moves.state)
    heads = list(table.columns)
    before = [at for at, head in enumerate(heads) if _BEFORE.search(fold(head))]
    now = [at for at, head in enumerate(heads) if fold(head) == fold(state)]
    if len(before) != 1 or len(now) != 1 or before == now:
        return table
    heads[before[0]], heads[now[0]] = state, NEXT + state
    return replace(table, columns=heads)


def _is_of_moves(found: Recomputed) -> bool:
    """Whether the table is of two rows at once; one of the first rows alone is no table of transitions."""
    return any(axis.variable.startswith(NEXT) for axis in found.layout.axes)


def _candidates(table: Table, panel: Panel, known: dict[object, Moves | None]) -> Iterator[Moves]:
    named = {name for head in table.columns for name in hint_of(head, panel).variables}
    for time in possible_times(panel):
        for state in _states(table, panel, named - {time}):
            seen: list[Moves] = []
            present = ~panel.gaps(state)(slice(None))
            for step, keep in (("row", present), ("row", None), ("wave", None), ("unit", None)):
                key = (panel.name, time, state, step, keep is None)
                if key not in known:
                    known[key] = moves_of(panel, time, step=step, keep=keep, state=state)
                moves = known[key]
                if moves is None or any(_are_same(moves, one) for one in seen):
                    continue
                seen.append(moves)
                moves.shown = [state, NEXT + state, *sorted(named - {state, time})]
                yield moves


def _are_same(one: Moves, two: Moves) -> bool:
    return all(np.array_equal(one.rows_of[which], two.rows_of[which]) for which in (True, False))


def possible_times(panel: Panel) -> list[str]:
    """Variables that may be the time: that of the codebook, then those called so."""
    named = [name for name in panel.variables if _TIMES.fullmatch(fold(name))]
    own = [panel.period] if panel.period in panel.variables else []
    return list(dict.fromkeys([*own, *named]))[:_MOST_TIMES]


def _states(table: Table, panel: Panel, named: set[str]) -> list[str]:
    """Variables with few values whose labels are those of the first column (an index apart)."""
    labels = _labels(table)
    found = []
    for name in panel.variables:
        kind = panel.part.schema[name]
        known = panel.categories(name) if not kind.is_nested() else None
        if known is None or not 2 <= len(known.values) <= _MOST_STATES:
            continue
        if any(cells and all(known.find(cell) is not None for cell in cells) for cells in labels):
            found.append((name not in named, len(known.values), name))
    return [name for _, _, name in sorted(found)][:_MOST_VARIABLES]


def _labels(table: Table) -> list[set[str]]:
    """The labels of the leading columns, without totals."""
    found = []
    for at in range(min(4, len(table.columns))):
        cells = {cell for cell in table.column(at) if cell.strip() and not is_total(cell)}
        if all((n := number_of(cell)) is None or n == n.to_integral_value() for cell in cells):
            found.append(cells)
    return found


def named_as_moves(cell: Cell, state: str) -> Cell:
    """A cell of a table of transitions or sequences as the ledger keeps it: pairs of rows are no rows, so
    their counts are not compared with counts of these; persons are persons."""
    if cell.statistic in ("count", "share"):
        return replace(cell, statistic="transition", variable=NEXT + state)
    return cell


def without_stays(findings: Sequence[Finding], state: str, thresholds: Thresholds) -> list[Finding]:
    """The findings on a table of transitions: that nearly all stay in their state is for people to judge, for
    it is so of most states over a short time."""
    return [
        replace(
            finding("population_share", Severity.REVIEW, one.place, percent=_percent(thresholds)),
            evidence=one.evidence,
        )
        if one.rule == "group_share" and _stays(one, state)
        else one
        for one in findings
    ]


def _percent(thresholds: Thresholds) -> int:
    return round(100 * thresholds.limit("group_share", "share"))


def _stays(one: Finding, state: str) -> bool:
    groups = one.evidence.get("group")
    return isinstance(groups, dict) and groups.get(state) == groups.get(NEXT + state) is not None


def state_of(found: Recomputed) -> str | None:
    """The variable whose transitions an explained table shows; None where it shows none."""
    later = [axis.variable for axis in found.layout.axes if axis.variable.startswith(NEXT)]
    return later[0].removeprefix(NEXT) if isinstance(found.panel, Moves) and later else None

"""Tables of sequences: how many persons went through these states one after the other.

Each run of as many successive rows of a person as the labels have states is a row of its own, whose one
variable is the states in their order; or each person is one whose rows are exactly so many. Then a table of
sequences is a table by that variable, and every rule for counts and shares of distinct units holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.checks.excerpts import Excerpt
from hub.checks.explanations import Recomputed
from hub.checks.extracts import Part
from hub.checks.panels import Categories, Floats, Panel, fold
from hub.checks.persons import person_kind
from hub.checks.recompute import Search
from hub.checks.runs import Small
from hub.checks.tables import Table
from hub.checks.transitions import Moves, explain_moves, ordered_rows, possible_times
from hub.checks.wording import is_total

_MARKS = re.compile(r"\s*(?:→|->|=>|>|–|—|-|/|\||;|,|_)\s*|\s+")
_MOST_STATES = 60
_MOST_LENGTH = 24
_MOST_SEQUENCES = 5_000
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Labels:
    """The label column of a table, and the states of each of its lines (None: a total)."""

    column: int
    states: tuple[tuple[str, ...] | None, ...]
    length: int


class Sequences(Excerpt):
    """Runs of rows, each at its first row; `name`: the only variable, whose values are `texts`."""

    def __init__(self, whole: Panel, at: Rows, name: str, codes: Small, texts: Sequence[str]) -> None:
        super().__init__(whole, at)
        self.part = Part(whole.part.path, {name: pl.String()}, whole.part.identifiers)
        self.state = name
        self._known = Categories(
            tuple(texts),
            {key: at for at, text in enumerate(texts) for key in (text.casefold(), fold(text))},
            {},
            lambda: codes,
        )

    @property
    def variables(self) -> list[str]:
        """The sequence alone."""
        return [self.state]

    def _read_numbers(self, name: str) -> Floats | None:
        del name
        return None

    def _read_categories(self, name: str) -> Categories | None:
        return self._known if name == self.state else None


def explain_by_rows(
    table: Table, panels: Sequence[Panel], context: str, moves: dict[object, Moves | None]
) -> Recomputed | None:
    """The table as one of transitions or of sequences; None where it is none that can be made again."""
    return explain_moves(table, panels, context, moves) or explain_sequences(table, panels, context)


def explain_sequences(table: Table, panels: Sequence[Panel], context: str) -> Recomputed | None:
    """What makes all numbers of a table of sequences again; None where nothing does."""
    labels = _labels_of(table)
    if labels is None:
        return None
    for panel in panels:
        for name in _states(labels, panel):
            for runs in _runs(panel, name, labels.length):
                found = Search(runs, context).explain(_rewritten(table, labels, name, panel))
                if found is not None and found.complete:
                    return found
    return None


def _labels_of(table: Table) -> _Labels | None:
    for column in range(min(2, len(table.columns))):
        states = [None if is_total(c) else tuple(_MARKS.split(c.strip())) for c in table.column(column)]
        sizes = {len(one) for one in states if one is not None}
        if len(sizes) == 1 and 2 <= (length := sizes.pop()) <= _MOST_LENGTH:
            return _Labels(column, tuple(states), length)
    return None


def _states(labels: _Labels, panel: Panel) -> Iterator[str]:
    """Variables of which all states of the labels are values."""
    said = {state for one in labels.states if one is not None for state in one}
    for name in panel.variables:
        known = panel.categories(name) if not panel.part.schema[name].is_nested() else None
        few = known is not None and 2 <= len(known.values) <= _MOST_STATES
        if known is not None and few and all(one and known.find(one) is not None for one in said):
            yield name


def _rewritten(table: Table, labels: _Labels, name: str, panel: Panel) -> Table:
    known = panel.few_categories(name)
    rows = [list(row) for row in table.rows]
    for row, states in zip(rows, labels.states, strict=True):
        if states is not None:
            row[labels.column] = "-".join(str(known.values[known.find(one) or 0]) for one in states)
    return replace(table, rows=rows)


def _runs(panel: Panel, name: str, length: int) -> Iterator[Sequences]:
    """The persons with exactly so many rows, then all runs of so many rows; rows without a state apart."""
    kind = person_kind(panel)
    codes = panel.few_categories(name).codes
    for time in possible_times(panel) if kind is not None else ():
        order = ordered_rows(panel, time, codes >= 0)
        if order is None or order.size < length:
            continue
        units = panel.unit(str(kind))[0][order]
        first = np.flatnonzero(units[length - 1 :] == units[: units.size - length + 1])
        rows = np.bincount(units)
        for starts in (first[rows[units[first]] == length], first):
            made = _sequences(panel, name, codes[order], order, starts, length)
            if made is not None:
                yield made


def _sequences(
    panel: Panel, name: str, states: Small, order: Rows, starts: Rows, length: int
) -> Sequences | None:
    if not starts.size:
        return None
    steps = np.stack([states[starts + at] for at in range(length)], axis=1)
    distinct, codes = np.unique(steps, axis=0, return_inverse=True)
    if len(distinct) > _MOST_SEQUENCES:
        return None
    values = panel.few_categories(name).values
    texts = ["-".join(str(values[at]) for at in one) for one in distinct.tolist()]
    return Sequences(panel, order[starts], f"sequence of {name}", codes.astype(np.int16).ravel(), texts)

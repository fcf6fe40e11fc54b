"""Row-level data: tables whose rows or columns are those of the extract, whatever they are called."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from hub.checks.extracts import Extract
from hub.checks.findings import Finding, Severity
from hub.checks.matching import Mapping, Matcher
from hub.checks.printed_columns import Printed, print_columns
from hub.checks.sentences import finding
from hub.checks.tables import Table
from hub.checks.thresholds import Thresholds

_MAX_TUPLE = 8  # columns beyond this add nothing to the proof
_MAX_CANDIDATES = 6
_MAX_STARTS = 4
_COPIED_SHARE = 0.95
_GROUPED_SHARE = 0.9
_NEIGHBOUR_SHARE = 0.3
_NULL_SHARE = 0.5
_NEIGHBOURS = (-8, -5, -3, -2, -1, 1, 2, 3, 5, 8)
_SURPRISE = 8.0
_MISSED = -2.0
_LEAST_EXTREMES = 5


def find_row_level(table: Table, extract: Extract | None, thresholds: Thresholds) -> list[Finding]:
    """BLOCK for copied rows or columns of the extract, and for its largest or smallest values; REVIEW for
    near-unique decimals without a match.

    Copied rows: at least `row_level_min_rows` different tuples of at least `row_level_min_columns` columns
    stand in the extract, each on fewer than `min_units` rows, and shuffling the columns destroys the match
    (labels of an aggregated table survive the shuffle, or stand for many rows). Where one column alone
    makes the difference and the others name groups that are large enough, it may be a median, a minimum or
    a maximum: REVIEW.
    """
    if len(table.rows) < _LEAST_EXTREMES:
        return []
    printed = print_columns(table)
    for part in extract.parts if extract is not None else ():
        findings = _extremes(table, printed, Matcher(part), thresholds)
        if findings:
            return findings
    if len(table.rows) < thresholds.row_level_min_rows:
        return []
    for part in extract.parts if extract is not None else ():
        findings = _Comparison(table, printed, Matcher(part), thresholds).findings()
        if findings:
            return findings
    return _near_unique(table, printed, thresholds)


class _Comparison:
    """One table against one Parquet file."""

    def __init__(
        self, table: Table, printed: Sequence[Printed], matcher: Matcher, thresholds: Thresholds
    ) -> None:
        self.table = table
        self.thresholds = thresholds
        self.matcher = matcher
        self.candidates = {column.index: self._candidates(column) for column in printed}
        self.printed = [column for column in printed if self.candidates[column.index]]

    def findings(self) -> list[Finding]:
        """Copied rows, or else copied columns; with the columns that may be order statistics."""
        mapping = self._copied_rows()
        if mapping is None:
            return self._copied_columns(())
        rows = self.matcher.rare(mapping, self.thresholds.min_units)
        single = self._order_statistic(mapping)
        if single is None:
            return [self._finding("row_level", Severity.BLOCK, rows, mapping)]
        order = self._finding("order_statistic", Severity.REVIEW, rows, [single])
        return [order, *self._copied_columns((single[0].index,))]

    def _candidates(self, column: Printed) -> list[str]:
        """Variables that hold enough values of this column, likeliest first."""
        found = []
        for name in self.matcher.part.schema:
            rows = self.matcher.explained(column, name, self.thresholds.row_level_min_rows)
            if rows >= self.thresholds.row_level_min_rows:
                found.append((name.casefold() == column.head.casefold(), rows, name))
        found.sort(key=lambda one: (-one[0], -one[1]))
        return [name for _, _, name in found[:_MAX_CANDIDATES]]

    def _copied_rows(self) -> Mapping | None:
        if len(self.printed) < self.thresholds.row_level_min_columns:
            return None
        # The most telling column may be a row number that matches something by chance: try a few.
        starts = [(c, name) for c in self.printed[:_MAX_STARTS] for name in self.candidates[c.index][:2]]
        for start in starts:
            mapping = self._extend(start)
            if len(mapping) < self.thresholds.row_level_min_columns:
                continue
            rows = self.matcher.rare(mapping, self.thresholds.min_units)
            if rows < self.thresholds.row_level_min_rows:
                continue
            if self.matcher.rare(mapping, self.thresholds.min_units, shuffled=True) <= _NULL_SHARE * rows:
                return mapping
        return None

    def _extend(self, start: tuple[Printed, str]) -> list[tuple[Printed, str]]:
        """Add columns one by one, each with the variable that keeps most rows matched."""
        mapping = [start]
        present = self.matcher.present(mapping)
        for column in self.printed:
            if len(mapping) == _MAX_TUPLE:
                break
            if column is start[0]:
                continue
            kept, name = self._best(mapping, column, present)
            if kept >= max(self.thresholds.row_level_min_rows, _NULL_SHARE * present):
                mapping.append((column, name))
                present = kept
        return mapping

    def _best(self, mapping: Mapping, column: Printed, present: int) -> tuple[int, str]:
        taken = {name for _, name in mapping}
        best = (0, "")
        for name in self.candidates[column.index]:
            if name not in taken:
                best = max(best, (self.matcher.present([*mapping, (column, name)]), name))
                if best[0] >= _COPIED_SHARE * present:
                    break
        return best

    def _order_statistic(self, mapping: Mapping) -> tuple[Printed, str] | None:
        """The only column that singles out rows, when the others name one large enough group per row."""
        for at, pair in enumerate(mapping):
            others = [*mapping[:at], *mapping[at + 1 :]]
            if self.matcher.groups(others, self.thresholds.min_units) >= _GROUPED_SHARE:
                return pair
        return None

    def _copied_columns(self, known: Sequence[int]) -> list[Finding]:
        findings = []
        for column in self.printed:
            many = column.values.len() >= self.thresholds.row_level_min_rows
            if column.decimals is None or not many or column.index in known:
                continue
            name = next((one for one in self.candidates[column.index] if self._is_copy(column, one)), None)
            if name is not None:
                labelled = self._is_labelled(column, name)
                rule, severity = (
                    ("order_statistic", Severity.REVIEW) if labelled else ("column_copy", Severity.BLOCK)
                )
                findings.append(self._finding(rule, severity, column.values.len(), [(column, name)]))
        return findings

    def _is_labelled(self, column: Printed, name: str) -> bool:
        """Whether another column names one large enough group per row, of which this is one unit's value."""
        for label in self.printed:
            for variable in self.candidates[label.index] if label is not column else ():
                if variable != name and (
                    self.matcher.groups([(label, variable)], self.thresholds.min_units) >= _GROUPED_SHARE
                    and self.matcher.present([(label, variable), (column, name)])
                    >= _GROUPED_SHARE * len(self.table.rows)
                ):
                    return True
        return False

    def _is_copy(self, column: Printed, name: str) -> bool:
        """Whether rare values of the variable, and not their neighbours on the grid, make up the column.

        On a dense grid (wages to the cent) any number is a member, so the neighbours are members too.
        """
        values = column.values
        if column.decimals is None or not self.matcher.can_print(column, name):
            return False
        numbers = values.to_numpy()
        held = self.matcher.holds(name, column.decimals, numbers)
        if int(held.sum()) < _COPIED_SHARE * values.len():
            return False
        grid = _grid(values)
        near = [
            self.matcher.holds(name, column.decimals, numbers + step * grid).astype(np.float64)
            for step in _NEIGHBOURS
        ]
        if sum(float(one.sum()) for one in near) > _NEIGHBOUR_SHARE * values.len() * len(near) and _surprise(
            held, near
        ) < _SURPRISE + np.log10(max(len(self.matcher.part.schema), 1)):
            return False
        rows = np.array(self.matcher.sizes_of_all(column, name))
        rare = int(np.count_nonzero((rows > 0) & (rows < self.thresholds.min_units)))
        return rare >= self.thresholds.row_level_min_rows

    def _finding(self, rule: str, severity: Severity, rows: int, mapping: Mapping) -> Finding:
        names = ", ".join(name for _, name in mapping)
        place = self.table.place.within(column=mapping[0][0].index if len(mapping) == 1 else None)
        evidence = {
            "matched": {column.head[:80]: name for column, name in mapping},
            "of_rows": len(self.table.rows),
            **({"column": mapping[0][0].head[:80]} if len(mapping) == 1 else {}),
        }
        median = int(self.thresholds.limit("percentile_units", "median"))
        return finding(rule, severity, place, rows=rows, columns=names, evidence=evidence, median=median)


def _grid(values: pl.Series) -> int:
    """The step on which all values lie, in units of the last printed decimal: 10 for 397.0 and 470.0.

    Their neighbours are 396.0 and 398.0. A step of 0.1 would find no neighbour in whole numbers, and take
    any mean printed with a trailing zero for a copy; so would a step of 1 for amounts in thousands.
    """
    return math.gcd(*values.to_list()) or 1


def _surprise(held: npt.NDArray[np.bool_], near: Sequence[npt.NDArray[np.float64]]) -> float:
    """Digits by which it is no chance that these values are in the extract, where each would be as often as
    its neighbours are; a value that is not in it speaks against as much as a rare one speaks for."""
    likely = (np.sum(near, axis=0) + 0.5) / (len(near) + 1)
    return float(-np.log10(likely[held]).sum() + _MISSED * np.count_nonzero(~held))


def _extremes(
    table: Table, printed: Sequence[Printed], matcher: Matcher, thresholds: Thresholds
) -> list[Finding]:
    """Columns that are the largest (or smallest) values of a variable, all of them down to the last: each is
    that of fewer units than a cell needs, and together they are no chance."""
    findings = []
    for column in printed:
        if column.decimals is None or column.values.len() < _LEAST_EXTREMES:
            continue
        names = matcher.part.schema
        name = next((one for one in names if _are_extremes(column, one, matcher, thresholds)), None)
        if name is not None:
            place = table.place.within(column=column.index)
            evidence = {
                "column": column.head[:80], "matched": {column.head[:80]: name}, "of_rows": len(table.rows)
            }  # fmt: skip
            rows = column.values.len()
            findings.append(
                finding("column_copy", Severity.BLOCK, place, rows=rows, columns=name, evidence=evidence)
            )
    return findings


def _are_extremes(column: Printed, name: str, matcher: Matcher, thresholds: Thresholds) -> bool:
    if column.decimals is None or not matcher.can_print(column, name):
        return False
    wanted = np.sort(column.values.to_numpy())
    span = matcher.part.span(name)
    if span is not None:
        scale = 10**column.decimals
        if round(span[1]) * scale != wanted[-1] and round(span[0]) * scale != wanted[0]:
            return False
    lowest, highest = matcher.edges(name, column.decimals, 2 * wanted.size)
    if lowest.size < 2 * wanted.size:
        return False
    if not (np.array_equal(highest[-wanted.size :], wanted) or np.array_equal(lowest[: wanted.size], wanted)):
        return False
    rows = matcher.sizes(column, name, column.keys.len())
    few = max(rows) < thresholds.min_units
    gaps = np.diff(wanted)
    return few and float(np.log10(gaps / math.gcd(*gaps.tolist())).sum()) >= _SURPRISE


def _near_unique(table: Table, printed: Sequence[Printed], thresholds: Thresholds) -> list[Finding]:
    """Columns of decimals nearly all different: residuals, scores, or values of single units."""
    findings = []
    for column in printed:
        given = column.keys.drop_nulls()
        many = (
            given.len() >= thresholds.row_level_min_rows
            and column.values.len() >= _COPIED_SHARE * given.len()
        )
        if column.decimals and many and bool((given % 10**column.decimals != 0).any()):
            place = table.place.within(column=column.index)
            evidence = {"column": column.head[:80]}
            findings.append(finding("unit_like", Severity.REVIEW, place, rows=given.len(), evidence=evidence))
    return findings

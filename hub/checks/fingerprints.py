"""Row-level data: tables whose rows or columns are those of the extract, whatever they are called."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from hub.checks.extracts import Extract
from hub.checks.findings import Finding, Severity
from hub.checks.matching import Mapping, Matcher, Printed, print_columns
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


def find_row_level(table: Table, extract: Extract | None, thresholds: Thresholds) -> list[Finding]:
    """BLOCK for copied rows or columns of the extract; REVIEW for near-unique decimals without a match.

    Copied rows: at least `row_level_min_rows` different tuples of at least `row_level_min_columns` columns
    stand in the extract, each on fewer than `min_units` rows, and shuffling the columns destroys the match
    (labels of an aggregated table survive the shuffle, or stand for many rows). Where one column alone
    makes the difference and the others name groups that are large enough, it may be a median, a minimum or
    a maximum: REVIEW.
    """
    if len(table.rows) < thresholds.row_level_min_rows:
        return []
    printed = print_columns(table)
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
            rows = self.matcher.explained(column, name)
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
        keys, seen = self.matcher.keys(name, column.decimals), self.matcher.values(name, column.decimals)
        values = column.values
        if keys is None or seen is None:
            return False
        members = int(values.is_in(seen.implode()).sum())
        if members < _COPIED_SHARE * values.len():
            return False
        grid = _grid(values, column.decimals or 0)
        near = [int((values + step * grid).is_in(seen.implode()).sum()) for step in (-3, -2, -1, 1, 2, 3)]
        if sum(near) > _NEIGHBOUR_SHARE * values.len() * len(near):
            return False
        counted = keys.filter(keys.is_in(values.implode())).value_counts(name="rows").get_column("rows")
        return int((counted < self.thresholds.min_units).sum()) >= self.thresholds.row_level_min_rows

    def _finding(self, rule: str, severity: Severity, rows: int, mapping: Mapping) -> Finding:
        names = ", ".join(name for _, name in mapping)
        place = self.table.place.within(column=mapping[0][0].index if len(mapping) == 1 else None)
        evidence = {
            "matched": {column.head[:80]: name for column, name in mapping},
            "of_rows": len(self.table.rows),
            **({"column": mapping[0][0].head[:80]} if len(mapping) == 1 else {}),
        }
        return finding(rule, severity, place, rows=rows, columns=names, evidence=evidence)


def _grid(values: pl.Series, decimals: int) -> int:
    """The step on which all values lie, in units of the last printed decimal: 10 for 397.0 and 470.0.

    Their neighbours are 396.0 and 398.0. A step of 0.1 would find no neighbour in whole numbers, and take
    any mean printed with a trailing zero for a copy.
    """
    step = 1
    for _ in range(decimals):
        if bool((values % (step * 10) != 0).any()):
            break
        step *= 10
    return step


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

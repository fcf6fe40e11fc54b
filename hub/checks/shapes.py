"""What the shape of a table shows where no statistic explains it: records that nothing labels, cross tables
of small counts, perfect correlations, the first of a ranking, whiskers, and the identifiers of units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

import numpy as np

from hub.checks.counts import find_small_counts, is_count_head, label_columns
from hub.checks.explanations import Recomputed
from hub.checks.findings import Finding, Severity
from hub.checks.identifiers import Text
from hub.checks.panels import Floats, Panel, fold
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of
from hub.checks.thresholds import Thresholds
from hub.checks.wording import hint_of, is_suppressed, is_total, statistic_of

_WHISKER = re.compile(
    r"\b(?:whis(?:ker)?s?(?: ?(?:lo|hi|low|high|lower|upper))?|fliers?|outliers?|moustaches?)\b"
)
_COUNT_IN_CELL = re.compile(r"[\[(]\s*[nN]\s*[=:]\s*(\d{1,4})\s*[\])]")
_MANY = 5  # a table of counts has a count that is so many times its smallest
_LEAST_RANKED = 3
_TWO = 2


def find_in_shape(
    table: Table, found: Recomputed | None, panels: Sequence[Panel], thresholds: Thresholds
) -> Iterator[Finding]:
    """The findings on one table that is not wholly explained."""
    yield from _correlations(table, thresholds)
    yield from _whiskers(table, thresholds)
    yield from _counts_in_cells(table, thresholds)
    for panel in panels:
        yield from _ranking(table, panel, thresholds)
    if found is not None and found.layout.axes and any(found.sure):
        return  # its labels are read: the rules know its groups
    yield from _records(table, thresholds)
    yield from _cross_table(table, panels, thresholds)


def find_units_named(table: Table, panels: Sequence[Panel]) -> Iterator[Finding]:
    """A column under the name of an identifier, with identifiers of the extract. (Pseudonyms are found by
    their form; a bare extract has any numbers.)"""
    for panel in panels:
        names = {fold(column): kind for kind, column in panel.units.items()}
        for at, head in enumerate(table.columns):
            kind = names.get(fold(head))
            if kind is None:
                continue
            printed = [n for cell in table.column(at) if (n := number_of(cell)) is not None]
            known = panel.part.distinct(panel.units[kind])
            if not printed or not known.dtype.is_numeric():
                continue
            inside = np.isin(np.array([float(n) for n in printed]), known.cast(float).to_numpy())
            if inside.mean() >= 0.9:
                evidence = {"column": head[:80], "count": int(inside.sum()), "variables": [panel.units[kind]]}
                yield finding("pseudonym", Severity.BLOCK, table.place.within(column=at), evidence=evidence)


def find_nearly_equal(tables: Sequence[Table], thresholds: Thresholds) -> Iterator[Finding]:
    """Two tables of counts of the same groups that differ by fewer than a cell needs: the second is of the
    same units but a few. (Counts of rows, so persons are fewer still.)"""
    counts = [(table, _counts_by_label(table)) for table in tables]
    for at, (table, own) in enumerate(counts):
        for _, other in counts[:at]:
            if len(own) < _TWO or own.keys() != other.keys():
                continue
            gaps = [abs(own[key] - other[key]) for key in own]
            close = max(gaps) > 0 and all(gap < thresholds.min_units for gap in gaps)
            if close and max(own.values()) > _MANY * thresholds.min_units:
                severity = thresholds.severity("differing_populations")
                yield finding("differing_populations", severity, table.place, limit=thresholds.min_units)
                break


def _counts_by_label(table: Table) -> dict[tuple[str, str], int]:
    """Label and head → count, of the columns whose head names a count, or of a cross table of counts."""
    found: dict[tuple[str, str], int] = {}
    width = len(table.columns)
    columns = [at for at in range(1, width) if is_count_head(table.columns[at])]
    if not columns and all(number_of(head) is not None for head in table.columns[1:]):
        columns = list(range(1, width))
    for row in table.rows:
        for at in columns:
            number = number_of(row[at])
            if number is not None and number == number.to_integral_value() and number >= 0:
                label = " ".join(
                    cell for place, cell in enumerate(row) if place not in columns and not _is_decimal(cell)
                )
                head = "n" if len(columns) == 1 else table.columns[at]
                found[label, head] = int(number)
            elif number is not None:
                return {}
    return found


def _is_decimal(cell: str) -> bool:
    number = number_of(cell)
    return number is not None and number != number.to_integral_value()


def find_units_in_text(text: Text, panels: Sequence[Panel]) -> Iterator[Finding]:
    """Code that picks a unit by its identifier: `df[df.pid != 1042]`."""
    for panel in panels:
        for column in panel.units.values():
            if column in panel.part.identifiers or not panel.part.schema[column].is_integer():
                continue
            pattern = re.compile(
                rf"(?<!\w){re.escape(column)}\b[\"'\])]*\s*(?:[=!<>]=?=?|%in%|\.isin\(|\bin\b)[\s\[(c]*(\d{{1,18}})\b"
            )
            for hit in pattern.finditer(text.content):
                if bool((panel.part.distinct(column) == int(hit.group(1))).any()):
                    line = text.content.count("\n", 0, hit.start())
                    evidence = {"count": 1, "lines": [line + 1], "variables": [column]}
                    place = text.place.within(line=line)
                    yield finding("pseudonym", Severity.BLOCK, place, evidence=evidence)
                    break


def _correlations(table: Table, thresholds: Thresholds) -> Iterator[Finding]:
    """A square of the same names with ones on its diagonal, and another one (or minus one) beside it."""
    labels, heads = table.column(0) if table.columns else [], list(table.columns[1:])
    if len(heads) < _TWO or labels != heads:
        return
    values = [[number_of(cell) for cell in row[1:]] for row in table.rows]
    if any(values[at][at] != 1 for at in range(len(heads))):
        return
    for row, cells in enumerate(values):
        for column, value in enumerate(cells):
            if column < row and value is not None and abs(value) == 1:
                needed = int(thresholds.limit("dispersion", "degrees_of_freedom"))
                place = table.place.within(row=row, column=column + 1)
                yield finding("dispersion", thresholds.severity("dispersion"), place, limit=needed)


def _whiskers(table: Table, thresholds: Thresholds) -> Iterator[Finding]:
    for at, head in enumerate(table.columns):
        if _WHISKER.search(fold(head)) and any(number_of(cell) is not None for cell in table.column(at)):
            place = table.place.within(column=at)
            evidence = {"column": head[:80]}
            yield finding(
                "extreme", thresholds.severity("extreme"), place, statistic="whisker", evidence=evidence
            )


def _counts_in_cells(table: Table, thresholds: Thresholds) -> Iterator[Finding]:
    """Cells that give their count: "5.31 [n=3]"."""
    for row, cells in enumerate(table.rows):
        for column, cell in enumerate(cells):
            hit = _COUNT_IN_CELL.search(cell)
            if hit and 1 <= int(hit.group(1)) < thresholds.min_units and number_of(cell[: hit.start()]):
                evidence = {"column": table.columns[column][:80], "value": int(hit.group(1))}
                place = table.place.within(row=row, column=column)
                yield finding(
                    "small_count", Severity.BLOCK, place, limit=thresholds.min_units, evidence=evidence
                )


def _ranking(table: Table, panel: Panel, thresholds: Thresholds) -> Iterator[Finding]:
    """A column that is the largest (or smallest) values of a variable, one after the other."""
    for at, head in enumerate(table.columns):
        printed = [number_of(cell) for cell in table.column(at)]
        given = sorted((float(n) for n in printed if n is not None), reverse=True)
        if len(given) < _LEAST_RANKED or len(given) < len(table.rows) or len(given) > thresholds.max_rows:
            continue
        decimals = max(max(0, -int(n.as_tuple().exponent)) for n in printed if n is not None)
        if all(a - b == 1 for a, b in pairwise(given)):
            continue  # 1, 2, 3: labels, or row numbers, of which an extract may have a column
        said = hint_of(head, panel).variables
        for name in panel.numeric:
            if len(set(given)) < _LEAST_RANKED and name not in said:
                continue
            word = _ranked(np.array(given), decimals, name, panel)
            if word is not None:
                evidence = {"column": head[:80], "variable": name, "rows": len(given)}
                place = table.place.within(column=at)
                yield finding(
                    "extreme", thresholds.severity("extreme"), place, statistic=word, evidence=evidence
                )
                return


def _ranked(given: Floats, decimals: int, name: str, panel: Panel) -> str | None:
    """ "maximum" or "minimum" where the numbers are those at one end of a variable that has many more."""
    low, high = panel.span(name)
    tolerance = 0.5 * 10.0**-decimals + 1e-9 * abs(high)
    if abs(given[0] - high) > tolerance and abs(given[-1] - low) > tolerance:
        return None
    size = given.size
    top, bottom = panel.ends(name)
    if size > top.size or panel.rows < 10 * size:
        return None
    largest, smallest = top[:size], bottom[-size:]
    if np.abs(largest - given).max() <= tolerance and top[0] > top[-1]:
        return "maximum"
    if np.abs(smallest - given).max() <= tolerance and len(set(given.tolist())) >= _LEAST_RANKED:
        return "minimum"
    return None


def _records(table: Table, thresholds: Thresholds) -> Iterator[Finding]:
    """Many lines of numbers that no column tells apart: those of single units."""
    if len(table.rows) < thresholds.row_level_min_rows or any(
        cell.lstrip().startswith("(") for row in table.rows for cell in row
    ):
        return
    columns = [at for at in range(len(table.columns)) if not _is_index(table, at)]
    numbers = {at: [number_of(cell) for cell in table.column(at)] for at in columns}
    amounts = [at for at in columns if _is_amount(numbers[at])]
    labels = [at for at in columns if at not in amounts]
    if any(not cell.strip() for at in labels for cell in table.column(at) if _has_words(table, at)):
        return  # an outer label is written once
    if not amounts and len(columns) > 1:
        return
    if labels and len({tuple(row[at] for at in labels) for row in table.rows}) == len(table.rows):
        return
    if len(columns) > 1 and any(_rises(numbers[at]) for at in columns):
        return  # a curve, bins: the first column tells its points apart
    evidence = {"columns": [table.columns[at][:80] for at in columns[:20]]}
    severity = thresholds.severity("residuals")
    yield finding("residuals", severity, table.place, rows=len(table.rows), evidence=evidence)


def _has_words(table: Table, at: int) -> bool:
    return any(cell.strip() and number_of(cell) is None for cell in table.column(at))


def _is_index(table: Table, at: int) -> bool:
    """Whether a first column only numbers rows, in order or as they came out of a frame."""
    if at:
        return False
    head = table.columns[at].strip().casefold()
    numbers = [number_of(cell) for cell in table.column(at)]
    if any(n is None or n != n.to_integral_value() for n in numbers):
        return False
    whole = [int(n) for n in numbers if n is not None]
    counted = whole in (list(range(len(whole))), list(range(1, len(whole) + 1)))
    unordered = head in ("", "index", "unnamed: 0") and len(set(whole)) == len(whole)
    return counted or (unordered and any(a > b for a, b in pairwise(whole)) and max(whole) > 10 * len(whole))


def _is_amount(numbers: Sequence[Decimal | None]) -> bool:
    """Whether a column holds numbers, some of them with decimals."""
    given = [n for n in numbers if n is not None]
    return len(given) >= 0.8 * len(numbers) and any(n != n.to_integral_value() for n in given)


def _rises(numbers: Sequence[Decimal | None]) -> bool:
    given = [n for n in numbers if n is not None]
    return len(given) == len(numbers) and all(a < b for a, b in pairwise(given))


def _cross_table(table: Table, panels: Sequence[Panel], thresholds: Thresholds) -> Iterator[Finding]:
    """Whole numbers of very different size under heads that name no statistic: counts, some of them small."""
    width = len(table.columns)
    if width < 3 or len(table.rows) < _TWO or not table.headed:
        return
    if any(_names_something(text, panels) for text in table.columns[1:]):
        return
    if any(statistic_of(cell).statistics for cell in table.column(0)):
        return
    labels = max(1, label_columns(table).stop)
    first = labels if any(is_count_head(head) for head in table.columns[labels:]) else 1  # a long table
    cells = [(row, at, table.rows[row][at]) for row in range(len(table.rows)) for at in range(first, width)]
    numbers = {(row, at): number_of(text) for row, at, text in cells}
    if any(numbers[row, at] is None and not is_suppressed(text) for row, at, text in cells):
        return
    given = {place: n for place, n in numbers.items() if n is not None}
    if not given or any(n < 0 or n != n.to_integral_value() or "%" in str(n) for n in given.values()):
        return
    inner = {p: int(n) for p, n in given.items() if not is_total(table.columns[p[1]])}
    small = [(place, n) for place, n in inner.items() if 0 < n < thresholds.min_units]
    largest = max(inner.values(), default=0)
    rounded = all(n % 5 == 0 for n in inner.values())
    if any(one.rule == "small_count" for one in find_small_counts(table, thresholds)):
        return  # its head or its margins say so already
    if not small or rounded or largest < max(3 * thresholds.min_units, _MANY * min(n for _, n in small)):
        return
    for (row, at), value in small[:50]:
        evidence = {"column": table.columns[at][:80], "value": value}
        place = table.place.within(row=row, column=at)
        yield finding("small_count", Severity.BLOCK, place, limit=thresholds.min_units, evidence=evidence)


_STEP = re.compile(
    r"^(?:next|previous|prev|lag(?:ged)?|lead|from|to|before|after|old|new|avant|apres|suivant|precedent) "
)


def _names_something(head: str, panels: Sequence[Panel]) -> bool:
    """Whether a head names a statistic other than a count, or a variable by itself."""
    if is_count_head(head) or is_total(head):
        return False
    hint = hint_of(head, None)
    if hint.quantile is not None or (set(hint.statistics) - {"count", "persons"}):
        return number_of(head) is None
    plain = _STEP.sub("", fold(head))  # "next_region" is a state, not a count
    return any(plain == fold(name) for panel in panels for name in panel.variables)

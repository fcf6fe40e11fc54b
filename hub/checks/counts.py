"""Small counts: whole numbers from 1 to the threshold, where they count people and where they might."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from hub.checks.findings import Finding, Severity
from hub.checks.row_numbers import numbers_rows
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of
from hub.checks.thresholds import Thresholds

# A head that says "count" and nothing else. A loose pattern blocks "number of children", which is a label.
_COUNT_HEAD = re.compile(
    r"(?:unweighted[ _.]?|non[ _.]?pondere[ _.]?)?"
    r"(?:n|counts?|freq|freqs|frequency|frequencies|frequence|frequences|effectifs?|eff|obs|nobs|n[ _.]?obs|"
    r"observations|(?:n|num|number)[ _.]?(?:at[ _.]?risk|risk|events?|censor(?:ed)?)|at[ _.]?risk|"
    r"n[ _.]?(?:persons?|people|units?|individuals?|households?|employers?|cases)|"
    r"(?:count|size)[ _.]?(?:of[ _.]?)?(?:persons?|people|units?|individuals?|households?|rows|cases)|"
    r"individus|personnes|nombre|nb|nb[ _.]?(?:obs|individus|personnes|menages|cas)|"
    r"nombre (?:de |d.)?(?:personnes|individus|menages|observations|cas)|"
    r"number of (?:persons?|people|individuals?|households?|observations|cases|units))"
    r"(?:[ _.]?(?:unweighted|non[ _.]?ponderes?))?"
)
_MOST_LABELS = 5
_NO_HEADS = ("", "label")  # of the names of rows, in a frame and as they are printed
_TOTAL = re.compile(r"(?:all|total|totals|totaux|ensemble|sum|somme|margin)s?")
_ACCENTS = str.maketrans("éèêàâîôûç", "eeeaaiouc")
_TEXT_COUNT = re.compile(r"\b(?:[nN]|obs|count|effectif|freq|[nN]obs)\s*[=:]\s*(\d{1,4})\b(?![.,]\d)")

_BELOW = r"<|under|below|less than|fewer than|moins de|inferieure? a|inférieure? à|weniger als|unter"
_UP_TO = r"≤|<=|=<|⩽|at most|up to|no more than|au plus|jusqu.?[aà]|höchstens|bis zu"
_SMALL = re.compile(rf"[(\[]?(?:(?P<below>{_BELOW})|(?P<upto>{_UP_TO}))\s*(?P<number>\d+)[)\]]?[*†]*")


def bound_of(text: str) -> int | None:
    """The least number that a mark excludes: 10 for "<10" and for "≤9"; None where it says no number."""
    match = _SMALL.fullmatch(text.strip().casefold())
    if match is None:
        return None
    return int(match["number"]) + (match["upto"] is not None)


def is_count_head(head: str) -> bool:
    """Whether a head names a count and nothing else. "wage / count" (joined heads) goes by its last part."""
    # ('wage', 'count') is how a column of several levels is named in one cell.
    if head.startswith("('") and head.endswith(")"):
        head = head.strip("()").replace("'", "").replace(", ", "/")
    last = head.rsplit("/", maxsplit=1)[-1]
    words = re.sub(r"[()#%\s_.-]+", " ", last.casefold().translate(_ACCENTS)).strip()
    return "%" not in head and _COUNT_HEAD.fullmatch(words) is not None


def find_small_counts(table: Table, thresholds: Thresholds) -> list[Finding]:
    """BLOCK per cell where the head, the row or the margins say that it counts.

    Other small whole numbers: one REVIEW per column, or a NOTE where they name the rows.
    """
    values = [[_whole(cell) for cell in row] for row in table.rows]
    counting_rows = {at for at, row in enumerate(table.rows) if row and is_count_head(row[0])}
    additive = _is_additive(table, values)
    labels = label_columns(table)
    findings: list[Finding] = []
    for column, head in enumerate(table.columns):
        cells = [row[column] for row in values]
        small = [at for at, value in enumerate(cells) if 1 <= (value or 0) < thresholds.min_units]
        counted = is_count_head(head)
        if counted:
            findings += _marked(table, column, thresholds)
        if not small:
            continue
        counted = is_count_head(head) and _is_whole_column(table, column) and not _numbers_rows(cells)
        sure = [at for at in small if counted or (column and at in counting_rows) or (additive and column)]
        findings += [_small_count(table, at, column, cells[at], thresholds) for at in sure]
        unsure = [at for at in small if at not in set(sure)]
        if unsure and not (additive and not column):
            findings.append(_small_integers(table, unsure, column, thresholds, labels=column in labels))
    return findings


def _marked(table: Table, column: int, thresholds: Thresholds) -> Iterator[Finding]:
    """Marks among counts that say more than that they are below the threshold: "<7"."""
    if not any(number_of(cell) is not None for cell in table.column(column)):
        return
    for row, cell in enumerate(table.column(column)):
        bound = bound_of(cell)
        if bound is not None and bound < thresholds.min_units:
            yield _small_count(table, row, column, bound, thresholds)


def find_counts_in_text(text: str, thresholds: Thresholds) -> list[int]:
    """Lines (from 0) of a text that say "n = 3" or the like, below the threshold."""
    hits = [hit for hit in _TEXT_COUNT.finditer(text) if 1 <= int(hit.group(1)) < thresholds.min_units]
    return sorted({text.count("\n", 0, hit.start()) for hit in hits[:200]})


def _small_count(table: Table, row: int, column: int, value: int | None, thresholds: Thresholds) -> Finding:
    return finding(
        "small_count",
        Severity.BLOCK,
        table.place.within(row=row, column=column),
        limit=thresholds.min_units,
        evidence={"column": table.columns[column][:80], "value": value},
    )


def _small_integers(
    table: Table, rows: Sequence[int], column: int, thresholds: Thresholds, *, labels: bool
) -> Finding:
    return finding(
        "small_integer",
        Severity.NOTE if labels else Severity.REVIEW,
        table.place.within(column=column),
        cells=len(rows),
        limit=thresholds.min_units,
        evidence={"column": table.columns[column][:80], "rows": list(rows[:50])},
    )


def label_columns(table: Table) -> range:
    """The fewest leading columns that tell all rows apart, of words or of whole numbers (codes, years) under
    heads that are no counts; an index before them is one more. None where no other column is left."""
    seen: list[tuple[str, ...]] = [() for _ in table.rows]
    for at in range(min(_MOST_LABELS, len(table.columns) - 1)):
        if is_count_head(table.columns[at]) or not _is_whole_column(table, at):
            return range(0)
        bare = at == 0 and table.columns[0] in _NO_HEADS
        counted = bare and any(is_count_head(head) for head in table.columns)
        if (counted and numbers_rows(table, 0)) or (
            bare and _numbers_rows([_whole(row[0]) for row in table.rows])
        ):
            continue
        seen = [(*key, row[at]) for key, row in zip(seen, table.rows, strict=True)]
        if len(set(seen)) == len(seen):
            return range(at + 1)
    return range(0)


def _whole(cell: str) -> int | None:
    """The whole number in a cell ("3", "3.0", "1 234"), or None; a percentage is not a count."""
    if "%" in cell:
        return None
    number = number_of(cell)
    if number is None or number != number.to_integral_value() or abs(number) > Decimal(10) ** 15:
        return None
    return int(number)


def _is_whole_column(table: Table, column: int) -> bool:
    """Whether every number of the column is whole: a column "n" of 0.5 and 3 does not count."""
    numbers = [number_of(cell) for cell in table.column(column)]
    return all(n == n.to_integral_value() for n in numbers if n is not None)


def _numbers_rows(cells: Sequence[int | None]) -> bool:
    """Whether the cells are 1, 2, 3…: a row number, under whatever head."""
    return len(cells) > 2 and list(cells) in (list(range(len(cells))), list(range(1, len(cells) + 1)))


def _is_additive(table: Table, values: Sequence[Sequence[int | None]]) -> bool:
    """Whether a column or row called total is the sum of the others: a cross table of counts."""
    if len(table.columns) < 2 or not table.rows:
        return False
    if len(table.columns) > 3 and _TOTAL.fullmatch(table.columns[-1].strip().casefold()):
        sums = [(row[-1], [v for v in row[1:-1] if v is not None]) for row in values]
        if all(total is not None and total == sum(parts) for total, parts in sums):
            return True
    if len(table.rows) > 2 and _TOTAL.fullmatch(table.rows[-1][0].strip().casefold()):
        columns = [[row[at] for row in values] for at in range(1, len(table.columns))]
        return all(c[-1] is not None and c[-1] == sum(v for v in c[:-1] if v is not None) for c in columns)
    return False

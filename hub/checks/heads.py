"""What the heads and labels of an explained table say beside what was recognised in them: a number in a head
is a code, a bound, a quantile, a year or a unit, or somebody wrote a result there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hub.checks.findings import Finding, Severity
from hub.checks.layouts import TOTAL, Axis
from hub.checks.number_words import number_words
from hub.checks.panels import Panel, fold
from hub.checks.recompute import Recomputed
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of
from hub.checks.wording import hint_of, is_total, quantile_of

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_MOST_WORDS = 8  # of a head beside the names of variables
# Powers, units, intervals and what pandas writes for a head that it has twice or not at all.
_UNDERSTOOD = re.compile(
    r"(?<=[a-z])(?:\s?\^\s?|\s?\*\*\s?)?[23](?![0-9.,])(?=\W|$)"
    r"|(?:per|in|en|pour|par|pro|je|x|×|/)\s*(?:100|1[ ,.']?000(?:[ ,.']?000)?)(?![0-9])"
    r"|(?<![0-9])1[ ,.']?000(?:[ ,.']?000)?\s?(?:eur|euros?|€|usd|\$|dollars?|chf|gbp|£)\b"
    r"|(?<![0-9.,])(?:90|95|99)(?:[.,][05])?\s?%|\b(?:ci|ic|ki|conf\w*)[ _.-]?(?:90|95|99)(?![0-9])"
    r"|(?<![0-9])(?:90|95|99)[ _.-]?(?:ci|ic|ki|conf\w*)\b"
    r"|\blevel_\d$|^unnamed: \d+(?:_level_\d)?$"
)


def find_in_heads(found: Recomputed, table: Table, heads: Sequence[str] = ()) -> Iterator[Finding]:
    """`numbers_in_text`, `words_in_text` and `empty_column`, all REVIEW, for heads, and labels that name
    statistics or variables, that hold more than was recognised in them. `heads`: those that are printed,
    where the table stands for another."""
    texts = [*_heads(table, heads or table.columns), *_labels_not_groups(found, table)]
    numbers = sum(_has_unknown(text, found) for text in texts)
    if numbers:
        yield finding("numbers_in_text", Severity.REVIEW, table.place, count=numbers)
    elif any(_says_more(text, found.panel) for text in texts):
        yield finding("words_in_text", Severity.REVIEW, table.place)
    for series in found.layout.series:
        at = series.entries[0].column
        if table.columns[at].strip() and all(number_of(entry.text) is None for entry in series.entries):
            place = table.place.within(column=at)
            yield finding("empty_column", Severity.REVIEW, place)
            return


def _heads(table: Table, heads: Sequence[str]) -> list[str]:
    """The heads as they were written; a table without heads has none."""
    if not table.headed:
        return []
    given = list(heads)
    # "mean.1" is the second of two columns "mean".
    return [re.sub(r"\.\d{1,2}$", "", head) if _twice(head, given) else head for head in given]


def _twice(head: str, given: list[str]) -> bool:
    name, point, number = head.rpartition(".")
    before = [name, *(f"{name}.{at}" for at in range(1, int(number)))] if number.isdecimal() else []
    return bool(point) and bool(before) and all(one in given for one in before)


def _labels_not_groups(found: Recomputed, table: Table) -> Iterator[str]:
    """Labels that name statistics, variables or totals: those of groups are the extract's own."""
    for label in found.layout.labels:
        cells = table.column(label)
        groups = _labels_groups(found, cells)
        yield from (cell for cell in cells if not groups or is_total(cell))


def _labels_groups(found: Recomputed, cells: list[str]) -> bool:
    """Whether a column's cells are values or bands of an axis, but for its totals."""
    named = [cell for cell in cells if cell.strip() and not is_total(cell)]
    return any(all(_is_level(axis, cell, found.panel) for cell in named) for axis in found.layout.axes)


def _is_level(axis: Axis, cell: str, panel: Panel) -> bool:
    if axis.bands is not None:
        return True
    known = panel.categories(axis.variable)
    return known is not None and (known.find(cell) is not None or TOTAL in (axis.categories or ()))


def _has_unknown(text: str, found: Recomputed) -> bool:
    """Whether a head holds a number, in digits or not, that nothing explains."""
    plain = _without_names(text, found.panel).casefold()
    named = hint_of(text, found.panel).variables
    axes = _said_in_heads(found, named)
    if any(_names_category(text, axis.variable, found.panel) for axis in axes):
        return False
    if number_words(plain):
        return True
    plain = _UNDERSTOOD.sub(" ", plain)
    quantiles = {q for part in (text, *re.split(r"[\s_/]+", text)) if (q := quantile_of(part)) is not None}
    for number in _NUMBER.findall(plain):
        value = float(number.replace(",", "."))
        if any(min(abs(value - 100 * q), abs(value - q), abs(value - 10 * q)) < 1e-9 for q in quantiles):
            continue
        if re.search(rf"\bq{re.escape(number)}\b|\bd{re.escape(number)}\b", plain) and quantiles:
            continue
        if any(_names_level(axis, value, plain, found.panel) for axis in axes):
            continue
        if any(_is_code(value, name, found.panel) for name in named) or _is_year(value, found.panel):
            continue
        return True
    return False


def _said_in_heads(found: Recomputed, named: tuple[str, ...]) -> list[Axis]:
    """The groupings whose values a head may hold: one that runs over the heads, and those it names."""
    axes = found.layout.axes
    spread = any(len({entry.column for entry in one.entries}) > 1 for one in found.layout.series)
    return [
        axis for at, axis in enumerate(axes) if axis.variable in named or (spread and at == len(axes) - 1)
    ]


def _names_category(text: str, variable: str, panel: Panel) -> bool:
    """Whether a whole head is a category of a variable: its own words are no results."""
    known = panel.categories(variable)
    return known is not None and known.find(text) is not None


def _without_names(text: str, panel: Panel) -> str:
    plain = text
    for name in hint_of(text, panel).variables:
        for word in (name, *panel.titles.get(name, ())):
            plain = re.sub(re.escape(word), " ", plain, flags=re.IGNORECASE)
    return plain


def _is_code(value: float, name: str, panel: Panel) -> bool:
    known = panel.categories(name) if name not in panel.units.values() else None
    return known is not None and value in known.numbers and len(known.numbers) <= 2 * _MOST_WORDS


def _is_year(value: float, panel: Panel) -> bool:
    """Whether a number is a year within the data."""
    if not (1900 <= value <= 2100 and value == int(value)):
        return False
    spans = (panel.span(name) for name in panel.numeric)
    return any(1900 <= low <= value <= high <= 2100 for low, high in spans)


def _names_level(axis: Axis, value: float, text: str, panel: Panel) -> bool:
    if axis.bands is not None:
        return any(value in (low, high) for low, high, _, _ in axis.bands)
    known = panel.categories(axis.variable)
    if known is None:
        return False
    said = [label for at in axis.categories or () if at >= 0 for label in _labels(axis, at, panel)]
    return value in known.numbers or any(label and label.casefold() in text for label in said)


def _labels(axis: Axis, at: int, panel: Panel) -> tuple[str, ...]:
    known = panel.categories(axis.variable)
    value = known.values[at] if known is not None else None
    return (str(value), *panel.labels.get(axis.variable, {}).get(value, ()))


def _says_more(text: str, panel: Panel) -> bool:
    """Whether a head is longer than heads are, beside the names and titles of variables."""
    return len(fold(_without_names(text, panel)).split()) > _MOST_WORDS

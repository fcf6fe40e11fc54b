"""What the heads and labels of an explained table say beside what was recognised in them: a number in a head
is a code, a bound, a quantile, a year or a unit, or somebody wrote a result there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hub.checks.axes import Axis
from hub.checks.explanations import Recomputed
from hub.checks.findings import Finding, Severity
from hub.checks.group_names import names_group
from hub.checks.number_words import number_words
from hub.checks.panels import Panel, fold
from hub.checks.row_numbers import numbers_rows
from hub.checks.sentences import finding
from hub.checks.tables import Table, number_of
from hub.checks.wording import bands_of, hint_of, is_missing, quantile_of

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
# Bounds of intervals and numbers of models.
_OF_MODELS = re.compile(
    r"[\[(]?\b(?:0?[.,](?:025|975|05|95|005|995)|(?:2|97)[.,]5 ?%?|[59]5? ?%)[\])]?|^\(\d\)$"
)


def find_in_heads(found: Recomputed, table: Table, heads: Sequence[str] = ()) -> Iterator[Finding]:
    """`numbers_in_text`, `words_in_text` and `empty_column`, all REVIEW, for heads, and labels that name
    statistics or variables, that hold more than was recognised in them. `heads`: those that are printed,
    where the table stands for another."""
    texts = [*_heads(table, heads or table.columns), *_labels_not_groups(found, table)]
    numbers = sum(_has_unknown(text, found) for text in texts)
    if numbers:
        yield finding("numbers_in_text", Severity.REVIEW, table.place, count=numbers)
    elif any(_says_more(text, found.panel, _known_words(found, table)) for text in texts):
        yield finding("words_in_text", Severity.REVIEW, table.place)
    counted = {
        entry.column
        for series in found.layout.series
        if any(number_of(entry.text) is not None for entry in series.entries)
        for entry in series.entries
    }
    for at, head in enumerate(table.columns):
        said = head.strip() or any(cell.strip() for cell in table.column(at))
        if said and at not in counted and at not in found.layout.labels and not numbers_rows(table, at):
            yield finding("empty_column", Severity.REVIEW, table.place.within(column=at))
            return


def find_in_model_heads(table: Table, panel: Panel) -> Iterator[Finding]:
    """The same for the heads of a table of coefficients, whose rows are known."""
    heads = [_OF_MODELS.sub(" ", head.casefold()) for head in _heads(table, table.columns)]
    plain = [_UNDERSTOOD.sub(" ", _without_names(head, panel).casefold()) for head in heads]
    numbers = sum(bool(_NUMBER.search(head) or number_words(head)) for head in plain)
    if numbers:
        yield finding("numbers_in_text", Severity.REVIEW, table.place, count=numbers)
    elif any(_says_more(head, panel, frozenset()) for head in heads):
        yield finding("words_in_text", Severity.REVIEW, table.place)


def _known_words(found: Recomputed, table: Table) -> frozenset[str]:
    """The words of the labels of groups, and of those that run over the heads."""
    words = {word for at in found.layout.labels for cell in table.column(at) for word in fold(cell).split()}
    for axis in found.layout.axes:
        known = found.panel.categories(axis.variable) if axis.bands is None else None
        levels = {at for level in axis.members() for at in level}
        words |= {
            w
            for text, at in (known.texts.items() if known else ())
            if at in levels
            for w in fold(text).split()
        }
    return frozenset(words)


def _heads(table: Table, heads: Sequence[str]) -> list[str]:
    """The heads as they were written; a table without heads has none."""
    if not table.headed:
        return []
    given = list(heads)
    # "mean.1" is the second of two columns "mean".
    return [re.sub(r"\.\d{1,2}$", "", head) if _twice(head, given) else head for head in given]


def _twice(head: str, given: list[str]) -> bool:
    name, point, number = head.rpartition(".")
    if not point or not number.isdecimal() or len(number) > 2:
        return False
    return all(one in given for one in (name, *(f"{name}.{at}" for at in range(1, int(number)))))


def _labels_not_groups(found: Recomputed, table: Table) -> Iterator[str]:
    """Labels that name statistics, variables, totals or merged codes: those of groups are the extract's own.
    The name of merged codes may say which codes they are."""
    axes = found.layout.axes
    codes = {number for axis in axes for number in _merged_codes(axis, found.panel)}
    for label in found.layout.labels:
        for cell in table.column(label):
            if cell.strip() and not any(_is_level(axis, cell, found.panel) for axis in axes):
                yield _NUMBER.sub(
                    lambda hit: " " if float(hit[0].replace(",", ".")) in codes else hit[0], cell
                )


def _merged_codes(axis: Axis, panel: Panel) -> set[float]:
    """The numbers among the codes that an axis merges."""
    known = panel.categories(axis.variable) if axis.merged is not None else None
    merged = {at for level in axis.merged or () if len(level) > 1 for at in level}
    return {number for number, at in known.numbers.items() if at in merged} if known is not None else set()


def _is_level(axis: Axis, cell: str, panel: Panel) -> bool:
    if axis.bands is not None:
        return bool(bands_of([cell]))
    known = panel.categories(axis.variable)
    return (known is not None and known.find(cell) is not None) or is_missing(cell)


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
    parts = re.split(r"[\s_/]+|(?<=[^\W\d])\.(?=\d)", text)  # R: wage.25%
    quantiles = {q for part in (text, *parts) if (q := quantile_of(part)) is not None}
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
    positions = [at for level in axis.members() for at in level if at >= 0]
    said = [label for at in positions for label in _labels(axis, at, panel)]
    return value in known.numbers or any(label and label.casefold() in text for label in said)


def _labels(axis: Axis, at: int, panel: Panel) -> tuple[str, ...]:
    known = panel.categories(axis.variable)
    value = known.values[at] if known is not None else None
    return (str(value), *panel.labels.get(axis.variable, {}).get(value, ()))


def _says_more(text: str, panel: Panel, known: frozenset[str]) -> bool:
    """Whether a head is longer than heads are, beside the names and titles of variables, or names a group
    that the table does not have."""
    words = fold(_without_names(text, panel)).split()
    return len(words) > _MOST_WORDS or names_group(words, known, [panel])

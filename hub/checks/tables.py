"""Tables as a person would see them, out of delimited text, Markdown, LaTeX and printed output."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from hub.checks.findings import Place


class UnreadableTable(ValueError):
    """The text is not the table it should be, or larger than the bounds. `rule` says which."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of text. Every row has as many cells as there are columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    place: Place = field(default_factory=lambda: Place(table=0))
    ragged_rows: int = 0
    headed: bool = True

    def column(self, index: int) -> list[str]:
        """The cells of one column."""
        return [row[index] for row in self.rows]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a table may be before it is refused instead of read."""

    max_columns: int
    max_cells: int


_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d{1,3})?")
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:([ ,'’\u00a0\u202f.])\d{3})(?:\1\d{3})*(?:[.,]\d+)?")
_SPACES = re.compile(r"[ '’\u00a0\u202f]")


@lru_cache(maxsize=200_000)
def number_of(cell: str) -> Decimal | None:
    """The number printed in a cell, or None. Knows grouped thousands, decimal commas, `%` and stars.

    NaN and infinities are not numbers here.
    """
    text = cell.strip().rstrip("*†").strip()
    if not text or not any(c.isdigit() for c in text) or len(text) > 60:
        return None
    text = text.replace("−", "-")
    text = text.rstrip("%").strip() if text.endswith("%") else text
    if _NUMBER.fullmatch(text):
        # "1,234" is a grouped thousand in one country and a decimal in the next: grouped wins, as a count.
        grouped = re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", text)
        text = text.replace(",", "" if grouped else ".")
    elif _GROUPED.fullmatch(text):
        text = _ungroup(text)
    else:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _ungroup(text: str) -> str:
    text = _SPACES.sub("", text)
    comma, point = text.rfind(","), text.rfind(".")
    if comma >= 0 and point >= 0:
        thousands = "," if point > comma else "."
        return text.replace(thousands, "").replace(",", ".")
    for mark in ",.":
        if text.count(mark) > 1:
            return text.replace(mark, "")
    return text.replace(",", ".")


def rectangular(
    lines: Iterable[Sequence[str]], bounds: Bounds, place: Place, *, header: bool | None = None
) -> Table | None:
    """The table in `lines` (None when there is none). The first line heads it unless it is all numbers.

    Raises `UnreadableTable` (too_wide, too_many_cells) as soon as a bound is passed.
    """
    rows: list[list[str]] = []
    cells = 0
    for line in lines:
        if not line:
            continue
        cells += len(line)
        if len(line) > bounds.max_columns:
            raise UnreadableTable("too_wide")
        if cells > bounds.max_cells:
            raise UnreadableTable("too_many_cells")
        rows.append([cell.strip() for cell in line])
    if not rows:
        return None
    width = max(len(row) for row in rows)
    if width * len(rows) > bounds.max_cells:
        raise UnreadableTable("too_many_cells")
    ragged = sum(len(row) != len(rows[0]) for row in rows)
    padded = [row + [""] * (width - len(row)) for row in rows]
    headed = header if header is not None else any(number_of(c) is None and c for c in padded[0])
    if not headed:
        return Table([f"#{n + 1}" for n in range(width)], padded, place, ragged, headed=False)
    heads = 1 + _further_heads(padded)
    head = [" / ".join(dict.fromkeys(filter(None, column))) for column in zip(*padded[:heads], strict=True)]
    return Table(head, padded[heads:], place, ragged)


def _further_heads(rows: Sequence[Sequence[str]]) -> int:
    """How many rows below the first still head the table, as pandas writes columns of several levels:
    without numbers, and either the first cell or all the others empty."""
    found = 0
    for row in rows[1:3]:
        if len(row) < 2 or any(number_of(cell) is not None for cell in row) or (row[0] and any(row[1:])):
            break
        found += 1
    for at in (2, 3):  # the levels of a pivot may be numbers: the line that names its index ends the heads
        if not rows[0][0] and len(rows) > at + 1 and found < at:
            names = rows[at]
            if len(names) > 1 and names[0] and number_of(names[0]) is None and not any(names[1:]):
                found = at
    numbers_below = len(rows) > found + 1 and any(number_of(cell) is not None for cell in rows[found + 1])
    return found if numbers_below else 0


def delimiter_of(text: str) -> str:
    """The delimiter of a CSV text: the one most of the first lines agree on (a title above a table has none);
    a comma when none does. Between semicolons commas are decimal, unless all of these lines have as many."""
    lines = [line for line in text[:20_000].splitlines()[:20] if line]
    agreed: dict[str, tuple[int, int]] = {}
    for mark in ",;\t|":
        counts = Counter(count for line in lines if (count := len(_fields(line, mark)) - 1) > 0)
        if counts:
            agreed[mark] = max(counts.items(), key=lambda one: (one[1], one[0]))
    if set(agreed) == {","} and len(lines) > 2 and _is_one_column(lines):
        return ";"
    if ";" in agreed and agreed[";"][1] >= max(2, len(lines) / 2):
        body = [line for line in lines if len(_fields(line, ";")) - 1 == agreed[";"][0]]
        commas = {len(_fields(line, ",")) - 1 for line in body}
        if len(commas) > 1 or 0 in commas:
            return ";"
    return max(agreed, key=lambda mark: agreed[mark][1] * min(agreed[mark][0], 20), default=",")


def _is_one_column(lines: Sequence[str]) -> bool:
    """Whether a word stands over numbers with decimal commas, of which some are negative or long."""
    numbers = [re.fullmatch(r"(-?)\d+,(\d+)", line.strip()) for line in lines[1:]]
    return (
        re.fullmatch(r"\"?[^\W\d]\w*\"?", lines[0].lstrip("\ufeff").strip()) is not None
        and all(numbers)
        and any(one is not None and (one[1] or len(one[2]) > 3) for one in numbers)
    )


def _fields(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


def delimited_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows of a delimited text, without the empty ones. Raises `UnreadableTable`."""
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from (row for row in reader if row)
    except csv.Error as error:
        raise UnreadableTable("unreadable_table") from error


def delimited_table(text: str, bounds: Bounds, *, delimiter: str | None = None) -> Table | None:
    """The table in a CSV or TSV text."""
    mark = delimiter if delimiter is not None else delimiter_of(text)
    return rectangular(delimited_rows(text, mark), bounds, Place(table=0))


def with_decimal_points(table: Table) -> Table:
    """The table with decimal points for decimal commas: that is what a comma is between semicolons, where no
    number has a point. ("1,234" alone would be read as a thousand.)"""
    if any(re.fullmatch(r"[-+]?\d+\.\d+", cell) for row in table.rows for cell in row):
        return table
    comma = re.compile(r"([-+]?\d+),(\d+)")
    rows = [
        [comma.sub(r"\1.\2", cell) if comma.fullmatch(cell) else cell for cell in row] for row in table.rows
    ]
    return replace(table, rows=rows)


def printed_tables(text: str, bounds: Bounds, place: Place) -> list[Table]:
    """Tables in printed text: Markdown pipes, LaTeX `&`, and columns aligned with blanks.

    Lines that follow each other and split into as many fields (the head may have one less: an unnamed
    index, or be a lone name over a printed series) make a table. A `Name: count` foot names a series.
    """
    found: list[Table] = []
    for block in _blocks(text):
        table = rectangular(block, bounds, place.within(table=len(found)))
        if table is not None and table.rows:
            found.append(table)
    return found


_RULES = re.compile(
    r"^[\s|:+=\-–—─━]*$|^\\(?:hline|toprule|midrule|bottomrule|cline\{.*\}|centering|"
    r"(?:begin|end)\{(?:table|tabular|center)\}\S*)$"
)
_FOOT = re.compile(r"^(?:Name: (?P<name>\S+), )?(?:Length: \d+, )?dtype: \w+$|^Name: (?P<only>\S+), ")


def _blocks(text: str) -> Iterator[list[list[str]]]:
    block: list[list[str]] = []
    outdented = False
    for line in [*_with_upper_heads(text.splitlines()), ""]:
        if _RULES.match(line.strip()) and line.strip():
            continue
        foot = _FOOT.match(line.strip())
        if foot:
            yield from _finished(block, series=foot.group("name") or foot.group("only") or "")
            block = []
            continue
        fields = _split(line)
        if block and line.count("|") == 1 and _is_last_line(fields, len(block[0])):
            fields = [*fields, *[""] * (len(block[0]) - len(fields))]
        if block and not _continues(block, fields):
            yield from _finished(block, outdented=outdented)
            block = []
        if fields:
            outdented = outdented if block else not line[:1].isspace() and "|" not in line and "&" not in line
            block.append(fields)


def _is_last_line(fields: Sequence[str], width: int) -> bool:
    """Whether a line of a table with a rule after its labels is short at its end: the total of Stata's
    `tabulate` has nothing cumulated."""
    return 2 <= len(fields) < width and number_of(fields[0]) is None and number_of(fields[-1]) is not None


def _with_upper_heads(lines: Sequence[str]) -> list[str]:
    """The lines of a print with the upper level of its heads, which stands once over its columns, joined to
    each head below it."""
    made = list(lines)
    for at in range(len(made) - 2):
        upper, lower = (
            [(m.start(), m.end(), m.group()) for m in _FIELD.finditer(made[at + n])] for n in (0, 1)
        )
        if (
            not 1 < len(upper) < len(lower)
            or "|" in made[at]
            or "&" in made[at]
            or not made[at][:1].isspace()
        ):
            continue
        words = [text for _, _, text in (*upper, *lower)]
        if any(number_of(word) is not None for word in words) or lower[0][1] < upper[0][0]:
            continue
        names = [text for _, _, text in lower]
        if len(set(names)) == len(names) or not made[at + 1][:1].isspace():
            continue
        joined = []
        for start, end, name in lower:
            over = [text for first, _, text in upper if first <= end - 1]
            joined.append((start, f"{over[-1]} / {name}" if over else name))
        made[at] = ""
        made[at + 1] = "  " + "   ".join(text for _, text in joined)
    return made


def _continues(block: Sequence[Sequence[str]], fields: Sequence[str]) -> bool:
    if len(block) == 1 and fields:
        return len(fields) in (1, 2, len(block[0]), len(block[0]) + 1)
    if len(block) == 2 and (_names_index(block, len(fields)) or _names_both(block, len(fields))):
        return True
    if len(fields) == len(block[-1]):
        return True
    # Below the first of a group pandas leaves the outer levels of the index blank.
    width = max(len(row) for row in block)
    return len(fields) >= 2 and width - 2 <= len(fields) <= width and number_of(fields[-1]) is not None


def _names_index(block: Sequence[Sequence[str]], width: int) -> bool:
    """Whether the second line only names the levels of the index, as pandas prints it below the head."""
    words = [*block[0], *block[1]]
    return len(words) == width and not any(_is_figure(word) for word in words)


def _is_figure(word: str) -> bool:
    """Whether a word is a number, and not a percentile at the head of a column."""
    return number_of(word) is not None and not word.endswith("%")


def _names_both(block: Sequence[Sequence[str]], width: int) -> bool:
    """Whether the first line names the columns and heads them, and the second only names the index: a cross
    table as pandas prints it ("race 0 1", then "year")."""
    names = block[1]
    return (
        len(names) + len(block[0]) - 1 == width
        and number_of(block[0][0]) is None
        and not any(number_of(word) is not None for word in names)
    )


def _finished(
    block: list[list[str]], series: str | None = None, *, outdented: bool = False
) -> Iterator[list[list[str]]]:
    width = max((len(row) for row in block), default=0)
    rows = block
    if len(block) > 2 and _names_index(block, width):
        rows = [[*block[1], *block[0]], *block[2:]]
    elif len(block) > 2 and _names_both(block, width):
        rows = [[*block[1], *block[0][1:]], *block[2:]]
    elif outdented and series is None and len(rows) > 1 and len(rows[0]) == width - 1:
        rows = [[*rows[0], "value"], *rows[1:]]  # a series: the head begins above its index
    if len(rows) < 2 and series is None:
        return
    if width < 2:
        return
    if series is not None:
        body = [[""] * (width - len(row)) + row for row in rows if number_of(row[-1]) is not None]
        yield [["", *[""] * (width - 2), series or "value"], *body]
    else:
        yield [[""] * (width - len(row)) + row for row in rows]


_FIELD = re.compile(r"\S+(?: \S+)*")
_OVER_COLUMNS = re.compile(r"\s*\\multicolumn\{(\d{1,2})\}\{[^{}]*\}\{([^{}]*)\}\s*")


def _over_columns(cell: str) -> list[str]:
    """A cell of LaTeX, once for each column that it stands over."""
    over = _OVER_COLUMNS.fullmatch(cell)
    return [over[2]] * int(over[1]) if over else [cell]


_R_SUMMARY = re.compile(r"Min\.\s+1st Qu\.\s+Median\s+Mean\s+3rd Qu\.\s+Max\.(?:\s+NA's)?")
_STATA_LINE = re.compile(r"(?:(?P<number>[\d,]+)\.\s*)?\|(?P<cells>[^|]*)\|")


def _split(line: str) -> list[str]:
    text = line.strip()
    if _R_SUMMARY.fullmatch(text):
        return re.split(r"\s+(?!Qu\.)", text)
    if (fields := _of_stata(text)) is not None:
        return fields
    if text.startswith("|") and text.endswith("|") and len(text) > 1:
        return [cell.strip() for cell in text[1:-1].split("|")]
    if re.search(r"(?<!\\)&", text):
        body = re.sub(r"\\\\.*$", "", text)
        cells = [part for cell in re.split(r"(?<!\\)&", body) for part in _over_columns(cell)]
        return [re.sub(r"\\([_%&$#])", r"\1", cell).strip() for cell in cells]
    if "\t" in text:
        return [cell.strip() for cell in text.split("\t")]
    return _between_blanks(text)


def _of_stata(text: str) -> list[str] | None:
    """The fields of a line of Stata's `list` (between rules) or `tabulate` (labels, a rule, numbers)."""
    listed = _STATA_LINE.fullmatch(text)
    if listed and len(fields := re.split(r"\s{2,}", listed["cells"].strip())) > 1:
        return [listed["number"], *fields] if listed["number"] else fields
    label, rule, rest = text.partition("|")
    if not rule or "|" in rest or not label.strip() or re.search(r"(?<!\\)&", text):
        return None
    tokens = rest.split()
    if len(tokens) > 1 and all(number_of(token) is not None for token in tokens):
        return [label.strip(), *tokens]
    return _between_blanks(f"{label}  {rest}".strip())


def _between_blanks(text: str) -> list[str]:
    """The fields of a line of columns aligned with blanks."""
    fields = re.split(r"\s{2,}", text)
    words = text.split()
    if len(fields) == 1:
        # One blank between columns is common in printed frames; prose is told by its lack of numbers.
        if len(words) > 1 and sum(number_of(word) is not None for word in words) * 2 >= len(words):
            return words
        if len(words) > 1 and len(words) <= 12 and all(re.fullmatch(r"[\w.%]+", word) for word in words):
            return words
    elif any(number_of(field) is None for field in fields):  # wide numbers leave one blank between them
        fields = words if all(number_of(word) is not None for word in words) else fields
    return [cell for cell in fields if cell]

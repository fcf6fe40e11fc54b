"""The forms in which R prints: frames, tables of counts, named numbers, tibbles, data.tables, lists.

R parts columns by one blank, breaks what is wider than a line, writes the names of numbers above them and
those of the variables of a table beside its corner. Each form is taken only where all its lines fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hub.checks.fixed_widths import Lines, columns_of, ends_of, grid, is_value, under
from hub.checks.tables import number_of

Rows = list[list[str]]
_TIBBLE = re.compile(r"# A (?:tibble|grouped_df|data frame)[^:]*: +([\d,]+) [×x] ([\d,]+)")
_GROUPS = re.compile(r"# (?:Groups|Rowwise): +[\w.`, ]*(?:\[[\d,]+\])?")
_TYPES = re.compile(r"\s*(?:<[\w:,. \[\]+-]+>\s*)+")
_KEYS = re.compile(r"(?:Key|Index|Indices): <[^>]*>")
_SLICE = re.compile(r", , (?P<name>[^=]*?) ?= (?P<level>.+)")
_PART = re.compile(r"\$(?:`(?P<quoted>[^`]+)`|(?P<plain>[\w.]+))")
_INDEX = re.compile(r"\s*\[(\d+)\] +(?P<values>\S.*)")
_STRUCTURE = re.compile(r" ?\$ (?P<name>\S+) *(?::| ) ?<?(?:int|num|dbl|logi)>? (?P<values>.+)")
_QUARTERS = re.compile(r"(Min\.|1st Qu\.|Median|Mean|3rd Qu\.|Max\.|NA's) *: *(\S+)")
_NUMBERED = re.compile(r"\s*\d+: ")
LABEL = "label"  # the head of names that are values of no named variable
LONGEST = 2_000  # characters of a line that somebody reads
_LEAST_STRUCTURE = 3  # values of a variable shown by str or glimpse


@dataclass(frozen=True)
class Print:
    """One printed object: its lines (from `first` up to `end`), and its rows, the first of which heads it.
    `marks`: the numbers among the lines that only say how it is printed."""

    first: int
    end: int
    rows: Rows
    marks: tuple[str, ...] = ()


def paragraph(lines: Lines, at: int) -> int:
    """Where the lines without an empty one between them end."""
    end = at
    while end < len(lines) and lines[end].strip() and len(lines[end]) <= LONGEST:
        end += 1
    return max(end, at + 1)


def _tibble(lines: Lines, at: int) -> Print | None:
    said = _TIBBLE.fullmatch(lines[at].strip())
    if said is None:
        return None
    head = at + 1
    while head < len(lines) and _GROUPS.fullmatch(lines[head].strip()):
        head += 1
    end = head
    while end < len(lines) and lines[end].strip() and not lines[end].startswith(("# ", "#\u00a0")):
        end += 1
    if end - head < 3 or not _TYPES.fullmatch(lines[head + 1]):
        return None
    rows = _typed(lines[head], lines[head + 1], lines[head + 2 : end], to_the_left=True)
    if rows is None:
        return None
    counts = tuple(said.groups()) + tuple(re.findall(r"\[([\d,]+)\]", " ".join(lines[at:head])))
    whole = (str(len(rows) - 1), str(len(rows[0]) - 1))
    return Print(at, end, rows, () if counts[:2] == whole and _fits(counts[2:], rows) else counts)


def _fits(groups: Sequence[str], rows: Rows) -> bool:
    """Whether a number of groups is no more than one of the rows: it says nothing beside them."""
    return all(one.isdigit() and int(one) < len(rows) for one in groups)


def _typed(head: str, types: str, body: Lines, *, to_the_left: bool = False) -> Rows | None:
    """A frame whose types stand under its head. They are as wide as the columns, so they part them too."""
    if not types:
        rows = grid(head, body, to_the_left=to_the_left)
    else:  # row numbers have no type
        marked = "." + types[1:] if types[:1] == " " else types
        rows = grid(head, [marked, *body], to_the_left=to_the_left)
        rows = rows and [rows[0], *rows[2:]]
    if rows is None:
        return None
    return [[cell.strip("`") for cell in rows[0]], *([row[0].rstrip(":"), *row[1:]] for row in rows[1:])]


def _data_table(lines: Lines, at: int) -> Print | None:
    """A data.table: its lines are numbered "1:"; one wider than a line goes on below."""
    head = at + 1 if _KEYS.fullmatch(lines[at].strip()) else at
    end = paragraph(lines, head)
    chunks: list[Rows] = []
    while head < end:
        typed = head + 1 < end and _TYPES.fullmatch(lines[head + 1]) is not None
        begin = stop = head + 1 + typed
        while stop < end and (_NUMBERED.match(f"{lines[stop]} ") or lines[stop].strip(" -") == ""):
            stop += 1
        body = [line for line in lines[begin:stop] if line.strip(" -")]
        rows = _typed(lines[head], lines[begin - 1] if typed else "", body) if body else None
        if rows is None:
            return None
        chunks.append(rows)
        head = stop
    joined = _joined(chunks) if chunks else None
    return Print(at, end, joined) if joined is not None else None


def _array(lines: Lines, at: int) -> Print | None:
    """Slices of a table of three variables, as one table."""
    rows: Rows = []
    end = at
    while end < len(lines) and (hit := _SLICE.fullmatch(lines[end].strip())) is not None:
        begin = end + 1
        while begin < len(lines) and not lines[begin].strip():
            begin += 1
        one = _two_way(lines, begin) or _frame(lines, begin) if begin < len(lines) else None
        if one is None or (rows and [hit["name"].strip(), *one.rows[0]] != rows[0]):
            break
        rows = rows or [[hit["name"].strip(), *one.rows[0]]]
        rows += [[hit["level"].strip(), *row] for row in one.rows[1:]]
        end = one.end
        while end < len(lines) and not lines[end].strip():
            end += 1
    return Print(at, end, rows) if rows else None


def _two_way(lines: Lines, at: int) -> Print | None:
    """A table of two variables with their names: that of the columns above, that of the rows beside."""
    end = paragraph(lines, at)
    above = lines[at]
    if end - at < 3 or above[:1] != " " or len(above.split()) != 1 or is_value(above.strip()):
        return None
    offset = len(above) - len(above.lstrip())
    chunks: list[Rows] = []
    start = at
    while start < end:
        if lines[start] != above:
            return None
        stop = start + 1
        while stop < end and lines[stop] != above:
            stop += 1
        rows = _beside(lines[start + 1 : stop], offset)
        if rows is None:
            return None
        chunks.append(rows)
        start = stop
    rows_of_all = _joined(chunks)
    return Print(at, end, rows_of_all) if rows_of_all is not None else None


def _beside(lines: Lines, offset: int) -> Rows | None:
    """The lines of a table whose row labels end before `offset`; above them stands their variable."""
    if len(lines) < 2 or any(line[offset : offset + 1].strip() for line in lines):
        return None
    labels = [line[:offset].strip() for line in lines]
    cells = grid(lines[0][offset:], [line[offset:] for line in lines[1:]])
    if cells is None:  # one column only
        cells = [[line[offset:].strip()] for line in lines]
    values = all(is_value(cell) for row in cells[1:] for cell in row)
    if not all(labels) or is_value(labels[0]) or not values:
        return None
    return [[label, *row] for label, row in zip(labels, cells, strict=True)]


def _flat(lines: Lines, at: int) -> Print | None:
    """ftable: the column variable and its levels in the first line, the row variables alone in the second."""
    end = paragraph(lines, at)
    if end - at < 3 or lines[at][:1] != " " or lines[at + 1][:1] == " ":
        return None
    names = [hit.start() for hit in re.finditer(r"\S+", lines[at + 1])]
    begin = len(lines[at]) - len(lines[at].lstrip())
    ends = ends_of(lines[at])[1:]
    if not ends or len(lines[at + 1].rstrip()) >= begin or any(is_value(w) for w in lines[at + 1].split()):
        return None
    starts = [*names, begin]
    rows: Rows = [[*lines[at + 1].split(), *lines[at].split()[1:]]]
    for line in lines[at + 2 : end]:
        numbers = line[begin:].split()
        if ends_of(line)[-len(ends) :] != ends or not all(is_value(one) for one in numbers):
            return None
        labels = [line[one:two].strip() for one, two in pairwise(starts)]
        rows.append([*labels, *numbers])
    filled = [rows[0]]
    for row in rows[1:]:
        above = filled[-1] if len(filled) > 1 else [""] * len(row)
        filled.append([cell or above[place] for place, cell in enumerate(row)])
    if any(len(row) != len(rows[0]) or not all(row) for row in filled):
        return None
    return Print(at, end, filled)


def _named(lines: Lines, at: int) -> Print | None:
    """Named numbers: a line of names, a line of numbers, and so on; above them the variable of a table."""
    end = paragraph(lines, at)
    title = ""
    start = at
    if (end - at) % 2 == 1 and len(lines[at].split()) == 1 and number_of(lines[at].strip()) is None:
        title, start = lines[at].strip(), at + 1
    if end - start < 2 or (end - start) % 2:
        return None
    pairs: list[tuple[str, str]] = []
    for line in range(start, end, 2):
        some = under(lines[line], lines[line + 1])
        if some is None:
            return None
        pairs += some
    labels = [label for label, _ in pairs]
    if len(set(labels)) < len(labels) or (len(pairs) < 2 and not title):
        return None
    estimates = "(Intercept)" in labels
    head = ["term", "estimate"] if estimates else [title or LABEL, "value"]
    return Print(at, end, [head, *map(list, pairs)])


def _vector(lines: Lines, at: int) -> Print | None:
    """Numbers without names: [1] 3.3 6.4 …"""
    values: list[str] = []
    end = at
    while end < len(lines) and (hit := _INDEX.fullmatch(lines[end])) is not None:
        if int(hit.group(1)) != len(values) + 1 or not all(map(is_value, hit["values"].split())):
            break
        values += hit["values"].split()
        end += 1
    return Print(at, end, [["value"], *([value] for value in values)]) if values else None


def _list(lines: Lines, at: int) -> Print | None:
    """A list of numbers that have the same names: one row for each part."""
    rows: Rows = []
    end = at
    while end < len(lines) and (hit := _PART.fullmatch(lines[end].strip())) is not None:
        one = _named(lines, end + 1) or _vector(lines, end + 1) if end + 1 < len(lines) else None
        if one is None:
            break
        own = one.rows[1:]
        names = [row[0] for row in own] if len(own[0]) > 1 else [f"#{n}" for n in range(1, len(own) + 1)]
        if rows and names != rows[0][1:]:
            break
        rows = rows or [[LABEL, *names]]
        rows.append([hit["quoted"] or hit["plain"], *(row[-1] for row in own)])
        end = one.end
        while end < len(lines) and not lines[end].strip():
            end += 1
    return Print(at, end, rows) if len(rows) > 2 else None


def _structure(lines: Lines, at: int) -> Print | None:
    """What str and glimpse show: the first values of each variable, here as the rows that they are."""
    columns: dict[str, list[str]] = {}
    end = at
    while end < len(lines) and (" $ " in f" {lines[end]}"[:4]):
        hit = _STRUCTURE.fullmatch(lines[end].rstrip())
        if hit is not None:
            values = re.split(r"[ ,]+", hit["values"].rstrip(".… "))
            columns[hit["name"].rstrip(":")] = [one for one in values if is_value(one)]
        end += 1
    size = min((len(values) for values in columns.values()), default=0)
    if size < _LEAST_STRUCTURE:
        return None
    names = list(columns)
    return Print(at, end, [names, *([columns[name][row] for name in names] for row in range(size))])


def _summary(lines: Lines, at: int) -> Print | None:
    """summary() of a frame: "Min.   : 3.00" in each cell."""
    end = paragraph(lines, at)
    names = lines[at].split()
    if lines[at][:1] != " " or end - at < 2:
        return None
    rows: Rows = [["", *names]]
    for line in lines[at + 1 : end]:
        cells = _QUARTERS.findall(line)
        if _QUARTERS.sub("", line).strip() or len({label for label, _ in cells}) != 1:
            return None
        if len(cells) != len(names):
            return None
        rows.append([cells[0][0], *(value for _, value in cells)])
    return Print(at, end, rows)


def _frame(lines: Lines, at: int) -> Print | None:
    """A frame or matrix; one wider than a line goes on below with the same names of rows."""
    end = paragraph(lines, at)
    if lines[at][:1] != " " or end - at < 2:
        return None
    starts = [at]
    body = lines[at + 1 : end]
    named = bool(body[0][:1].strip()) or body[0].lstrip().startswith("[")
    if named:
        starts += [line for line in range(at + 1, end) if lines[line][:1] == " " and not _row(lines[line])]
    chunks: list[Rows] = []
    for start, stop in zip(starts, [*starts[1:], end], strict=True):
        rows = grid(lines[start], lines[start + 1 : stop])
        if rows is None or not any(is_value(cell) for row in rows[1:] for cell in row[1:]):
            return None
        chunks.append(rows)
    joined = _joined(chunks)
    if joined is None or (len(chunks) == 1 and _wide(lines[at:end])):
        return None
    if not joined[0][0] and (joined[1][0] == "0" or all(map(is_value, joined[0][1:]))):
        joined[0][0] = LABEL
    return Print(at, end, joined)


def _row(line: str) -> bool:
    return line.lstrip().startswith("[")


def _wide(lines: Lines) -> bool:
    """Whether all columns are apart by more than one blank: then the other reading finds them too, and what
    other programs print is its."""
    spans = columns_of(lines[0], lines[1:])
    return all(two[0] - one[1] > 1 for one, two in pairwise(spans))


def _joined(chunks: Sequence[Rows]) -> Rows | None:
    """Parts of one table side by side; None where they name other rows."""
    whole = [list(row) for row in chunks[0]]
    names = [row[0] for row in whole]
    for chunk in chunks[1:]:
        if [row[0] for row in chunk] != names:
            return None
        for row, more in zip(whole, chunk, strict=True):
            row.extend(more[1:])
    return whole


FORMS: tuple[Callable[[Lines, int], Print | None], ...] = (
    _tibble,
    _data_table,
    _array,
    _flat,
    _two_way,
    _vector,
    _list,
    _structure,
    _summary,
    _named,
    _frame,
)

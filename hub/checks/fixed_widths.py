"""Printed lines whose columns stand under each other: where the columns are, and what a line has in them.

R parts columns by one blank, so blanks within a head or a label cannot be told from those between columns by
a line alone. What is blank in all lines parts columns; what has a head and nothing below belongs to the head
at its right, for R sets numbers to the right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from hub.checks.tables import number_of

Lines = Sequence[str]
_GAPS = (1, 2)  # blanks between numbers that R names, those of a model twice as many
_WORD = re.compile(r"\S+")
_ABSENT = frozenset({"NA", "NaN", "Inf", "-Inf", "<NA>"})
# R's tibbles pad exponents: 6.20e-  1.
_PADDED_POWER = re.compile(r"(\de[-+]?) +(\d)")


def is_value(text: str) -> bool:
    """Whether a cell is what R prints of a number."""
    return text in _ABSENT or number_of(text) is not None


def ends_of(line: str) -> list[int]:
    """Where the words of a line end."""
    return [hit.end() for hit in _WORD.finditer(line)]


def gutters(lines: Lines) -> list[tuple[int, int]]:
    """The columns (begin, end) between what is blank in all lines."""
    width = max((len(line) for line in lines), default=0)
    filled = bytearray(width)
    for line in lines:
        for hit in _WORD.finditer(line):
            filled[hit.start() : hit.end()] = b"\x01" * (hit.end() - hit.start())
    return [(hit.start(), hit.end()) for hit in re.finditer(rb"\x01+", bytes(filled))]


def grid(head: str, body: Lines, *, to_the_left: bool = False) -> list[list[str]] | None:
    """Head and lines cut into cells; None where a line has none in some column. The first cell of the head is
    empty over the names of rows. `to_the_left`: words stand to the left in their column, as in a tibble."""
    spans = columns_of(head, body, to_the_left=to_the_left) if body else []
    if len(spans) < 2:  # one column is no table
        return None
    rows = [[whole_number(line[first:last].strip()) for first, last in spans] for line in (head, *body)]
    if any(not cell for row in rows[1:] for cell in row) or any(not cell for cell in rows[0][1:]):
        return None
    return rows


def whole_number(cell: str) -> str:
    """A number whose exponent is padded, without the padding."""
    return _PADDED_POWER.sub(r"\1\2", cell)


def columns_of(head: str, body: Lines, *, to_the_left: bool = False) -> list[tuple[int, int]]:
    """The columns, those put together that are parts of one head or of one label."""
    found: list[tuple[int, int]] = []
    begun: int | None = None  # of a head that goes on in the next column
    for first, last in gutters([head, *body]):
        start = first if begun is None else begun
        begun = None
        headed = _has(head, (first, last))
        filled = any(line[first:last].strip() for line in body)
        if headed and not filled:
            begun = start
        elif not headed and found and (to_the_left or (len(found) == 1 and not _has(head, found[0]))):
            found[-1] = (found[-1][0], last)  # a further word of a label
        elif not headed and found:
            begun = start
        else:
            found.append((start, last))
    if begun is not None and found:
        found[-1] = (found[-1][0], max(len(line) for line in (head, *body)))
    return found


def _has(line: str, span: tuple[int, int]) -> bool:
    return bool(line[span[0] : span[1]].strip())


def under(labels: str, values: str) -> list[tuple[str, str]] | None:
    """The names over the numbers of a line, each ending where its number ends; None where one does not, or
    where they are not as far apart as the first is from the beginning."""
    ends = ends_of(values)
    words = values.split()
    if not words or not all(is_value(word) for word in words) or len(labels.rstrip()) > ends[-1]:
        return None
    steps = {two - one for one, two in pairwise(ends)}
    if steps and (len(steps) > 1 or steps.pop() - ends[0] not in _GAPS):
        return None
    before, found = 0, []
    for end, word in zip(ends, words, strict=True):
        label = labels[before:end]
        if not label.strip() or label != label.rstrip() or (before and label[:1].strip()):
            return None
        found.append((label.strip(), word))
        before = end
    return found

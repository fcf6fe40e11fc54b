"""Numbers that stand under each other in a text, one on each line: a column without others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.checks.findings import Place
from hub.checks.tables import Bounds, Table, UnreadableTable, number_of

LEAST = 20  # fewer are a list that a text may have
_LINE = re.compile(r"\s*(?:[|*•]\s*|-\s+)?(?P<cell>[^\s|](?:[^|]*[^\s|])?)\s*\|?\s*")
_RULE = re.compile(r"\s*\|?\s*:?-{3,}:?\s*\|?\s*")


def lists_in_text(text: str, bounds: Bounds, place: Place) -> Iterator[Table]:
    """A table of one column for each run of at least `LEAST` lines with a number alone; its head is the line
    above. Raises UnreadableTable."""
    head = ""
    cells: list[str] = []
    for line in [*text.splitlines(), "end"]:
        if _RULE.fullmatch(line) and not cells:
            continue
        hit = _LINE.fullmatch(line)
        if hit is not None and number_of(hit["cell"]) is not None:
            cells.append(hit["cell"])
            if len(cells) > bounds.max_cells:
                raise UnreadableTable("too_many_cells")
            continue
        if len(cells) >= LEAST:
            yield Table([head], [[cell] for cell in cells], place, headed=bool(head))
        if hit is not None or cells:
            head, cells = hit["cell"] if hit is not None else "", []

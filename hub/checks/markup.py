"""HTML that a notebook printed, as data: its tables, its text, and whether anything else is in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from hub.checks.findings import Place
from hub.checks.tables import Bounds, Table, UnreadableTable, rectangular

# What pandas, polars and IPython write around a frame. Anything else has its source shown as well.
_PLAIN_TAGS = frozenset({
    "div", "p", "span", "br", "b", "i", "em", "strong", "small", "pre", "code", "style",
    "table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td",
})  # fmt: skip
_PLAIN_ATTRIBUTES = frozenset(
    {"border", "class", "colspan", "rowspan", "halign", "valign", "scope", "scoped"}
)
# Of a whole page only tables and text leave; these hold neither data nor programs.
_PAGE_TAGS = frozenset({
    "html", "head", "body", "title", "meta", "main", "section", "header", "footer", "h1", "h2", "h3", "h4",
    "h5", "h6", "hr", "ul", "ol", "li", "sup", "sub", "u", "center", "strong",
})  # fmt: skip
_PAGE_ATTRIBUTES = frozenset({"charset", "content", "name", "http-equiv", "lang", "style", "id", "align"})
_ALIGNED = frozenset({"text-align:right;", "text-align:left;"})
_MAX_SPAN = 1_000


@dataclass(frozen=True, slots=True)
class Markup:
    """What HTML shows. `plain` is False when it holds anything that tables and text do not show."""

    tables: list[Table]
    text: str
    plain: bool


@dataclass
class _Grid:
    rows: list[list[str]] = field(default_factory=list)
    heads: int = 0
    carried: dict[int, tuple[int, str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self, bounds: Bounds, *, page: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.bounds = bounds
        self.page = page
        self.grids: list[_Grid] = []
        self.texts: list[str] = []
        self.plain = True
        self._grid: _Grid | None = None
        self._cell: list[str] | None = None
        self._spans = (1, 1)
        self._head = False
        self._style = False
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._look(tag, attrs)
        if tag == "style":
            self._style = True
        elif tag == "table":
            self._finish_cell()
            self._grid = _Grid()
            self.grids.append(self._grid)
        elif tag == "thead":
            self._head = True
        elif self._grid is not None and tag == "tr":
            self._finish_cell()
            self._grid.rows.append([])
            self._grid.heads += self._head
        elif self._grid is not None and tag in ("td", "th"):
            self._finish_cell()
            self._cell = []
            values = dict(attrs)
            self._spans = (_span(values.get("rowspan")), _span(values.get("colspan")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "style":
            self._style = False
        elif tag == "thead":
            self._finish_cell()
            self._head = False
        elif tag in ("td", "th", "tr"):
            self._finish_cell()
        elif tag == "table":
            self._finish_cell()
            self._grid = None

    def handle_data(self, data: str) -> None:
        if self._style:
            return
        if self._cell is not None:
            self._cell.append(data)
        elif data.strip():
            self.texts.append(data.strip())

    def handle_comment(self, data: str) -> None:
        self.plain = self.plain and not data

    def handle_decl(self, decl: str) -> None:
        doctype = self.page and decl.strip().casefold() == "doctype html"
        self.plain = self.plain and (not decl or doctype)

    def handle_pi(self, data: str) -> None:
        self.plain = self.plain and not data

    def unknown_decl(self, data: str) -> None:
        self.plain = self.plain and not data

    def close(self) -> None:
        super().close()
        self._finish_cell()

    def _look(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _PLAIN_TAGS and not (self.page and tag in _PAGE_TAGS):
            self.plain = False
        for name, value in attrs:
            aligned = name == "style" and (value or "").replace(" ", "") in _ALIGNED
            known = name in _PLAIN_ATTRIBUTES or (self.page and name in _PAGE_ATTRIBUTES)
            if not known and not aligned:
                self.plain = False
            if len(value or "") > 100:
                self.plain = False

    def _finish_cell(self) -> None:
        if self._cell is None or self._grid is None:
            self._cell = None
            return
        text = " ".join("".join(self._cell).split())
        self._cell = None
        if not self._grid.rows:
            self._grid.rows.append([])
        row = self._grid.rows[-1]
        self._fill_carried(row)
        down, across = self._spans
        for _ in range(across):
            self._cells += 1
            if len(row) >= self.bounds.max_columns or self._cells > self.bounds.max_cells:
                raise UnreadableTable("too_wide" if len(row) >= self.bounds.max_columns else "too_many_cells")
            if down > 1:
                self._grid.carried[len(row)] = (down, text)
            row.append(text)

    def _fill_carried(self, row: list[str]) -> None:
        """Cells that reach down from the rows above."""
        assert self._grid is not None  # noqa: S101  (mypy: the caller has looked)
        while len(row) in self._grid.carried and len(row) < self.bounds.max_columns:
            left, text = self._grid.carried.pop(len(row))
            if len(self._grid.rows) > 1 and left > 1:
                if left > 2:
                    self._grid.carried[len(row)] = (left - 1, text)
                row.append(text)
            else:
                break


def _span(value: str | None) -> int:
    return min(max(int(value), 1), _MAX_SPAN) if value and value.isdecimal() and len(value) < 6 else 1


def read_markup(source: str, bounds: Bounds, place: Place, *, page: bool = False) -> Markup:
    """Tables and text of `source`. Raises `UnreadableTable` beyond the bounds; nothing is ever run.
    `page`: a whole page, of which the frame around tables and text does not leave."""
    reader = _Reader(bounds, page=page)
    try:
        reader.feed(source)
        reader.close()
    # The library's parser asserts on some malformed declarations.
    except AssertionError:
        return Markup([], "", plain=False)
    tables: list[Table] = []
    for grid in reader.grids:
        table = rectangular(
            _headed(grid), bounds, place.within(table=len(tables)), header=grid.heads > 0 or None
        )
        if table is not None:
            tables.append(table)
    return Markup(tables, "\n".join(reader.texts), reader.plain)


def _headed(grid: _Grid) -> list[list[str]]:
    """The rows with several heads joined into one ("wage / mean"), as a person reads them."""
    if grid.heads < 2:
        return [row for row in grid.rows if row]
    heads = grid.rows[: grid.heads]
    width = max(len(row) for row in heads)
    joined = []
    for column in range(width):
        words = [row[column] for row in heads if column < len(row) and row[column]]
        joined.append(" / ".join(dict.fromkeys(words)))
    return [joined, *[row for row in grid.rows[grid.heads :] if row]]

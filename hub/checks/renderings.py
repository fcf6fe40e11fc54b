"""`render`: one page of a file as plain data. Every row, line and output is on some page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hub.checks.contents import bounds_of
from hub.checks.delimited import Parts, delimited_parts
from hub.checks.findings import Place
from hub.checks.images import MalformedImage, reencode
from hub.checks.intake import (
    CONVERTED,
    EXTENSIONS,
    MEDIA_TYPES,
    UNKNOWN_MEDIA_TYPE,
    Kind,
    extension_of,
    matches,
    sniff,
)
from hub.checks.markup import read_markup
from hub.checks.notebooks import Cell, MalformedNotebook, Notebook, Output, read_notebook
from hub.checks.tables import Table, UnreadableTable
from hub.checks.texts import decode, is_formula, reveal
from hub.checks.thresholds import Thresholds
from hub.checks.views import (
    CodeCell,
    FailedView,
    ImageView,
    MarkdownCell,
    NotebookView,
    OutputView,
    RawView,
    Rendering,
    TableView,
    TextView,
    View,
)

_LINE = 1_000  # characters of a line before it is continued on the next
_BYTES_PER_LINE = 16
_IMAGE_WEIGHT = 50  # an image takes as much of a page as so many lines


def render(
    file: Path, *, name: str, thresholds: Thresholds, page: int = 0, rows_per_page: int = 200
) -> Rendering:
    """One page of `file` as it would leave. In this process: for hostile bytes use `render_in_subprocess`.

    Bytes that are not what the name says, or larger than the policy allows, are shown as hexadecimal.
    """
    kind = EXTENSIONS.get(extension_of(name))
    media_type = MEDIA_TYPES[kind] if kind is not None else UNKNOWN_MEDIA_TYPE
    # A drawing, page, workbook or archive is shown as what it becomes; here only its bytes are left.
    if kind is None or kind in CONVERTED - {Kind.JPEG} or file.stat().st_size > thresholds.max_bytes:
        return _raw(file, name, media_type, page, rows_per_page)
    data = file.read_bytes()
    if not matches(kind, sniff(data)):
        return _raw(file, name, media_type, page, rows_per_page)
    view, at, pages = _view(data, kind, thresholds, page, rows_per_page)
    return Rendering(name, media_type, at, pages, view)


def _view(data: bytes, kind: Kind, thresholds: Thresholds, page: int, size: int) -> tuple[View, int, int]:
    if kind in (Kind.PNG, Kind.JPEG):
        return _image(data, thresholds), 0, 1
    text = decode(data)[0]
    if kind in (Kind.CSV, Kind.TSV):
        try:
            parts = delimited_parts(text, bounds_of(thresholds), delimiter="\t" if kind is Kind.TSV else None)
        except UnreadableTable:
            parts = Parts()
        if len(parts.tables) == 1 and not parts.beside:  # else as text, which shows what stands between
            table = parts.tables[0]
            at, pages = _clamp(page, len(table.rows), size)
            return _table(table, thresholds, at * size, size), at, pages
    if kind is Kind.NOTEBOOK:
        try:
            return _notebook(read_notebook(text), thresholds, page, size)
        except MalformedNotebook:
            pass  # shown as the text it is; the checks BLOCK it
    lines = _lines(text)
    at, pages = _clamp(page, len(lines), size)
    return TextView(lines[at * size : (at + 1) * size], at * size, len(lines)), at, pages


def _clamp(page: int, total: int, size: int) -> tuple[int, int]:
    pages = max(1, -(-total // size))
    return min(max(page, 0), pages - 1), pages


def _raw(file: Path, name: str, media_type: str, page: int, size: int) -> Rendering:
    total = -(-file.stat().st_size // _BYTES_PER_LINE)
    at, pages = _clamp(page, total, size)
    with file.open("rb") as stream:
        stream.seek(at * size * _BYTES_PER_LINE)
        data = stream.read(size * _BYTES_PER_LINE)
    lines = [data[n : n + _BYTES_PER_LINE].hex(" ") for n in range(0, len(data), _BYTES_PER_LINE)]
    return Rendering(name, media_type, at, pages, RawView(lines, at * size, total))


def _lines(text: str) -> list[str]:
    """Lines with hidden characters revealed; a long one goes on below after ⏎-less marks ("…")."""
    found = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if len(line) <= _LINE:
            found.append(reveal(line))
            continue
        pieces = [reveal(line[n : n + _LINE]) for n in range(0, len(line), _LINE)]
        found += [f"{piece}…" for piece in pieces[:-1]] + pieces[-1:]
    if found and not found[-1]:
        found.pop()  # the end of the last line
    return found


def _text(text: str, label: str = "") -> TextView:
    lines = _lines(text)
    return TextView(lines, 0, len(lines), label)


def _table(table: Table, thresholds: Thresholds, first: int, size: int) -> TableView:
    limit = thresholds.max_cell_characters
    truncated, formulas, rows = [], [], []
    for number, row in enumerate(table.rows[first : first + size], start=first):
        for column, cell in enumerate(row):
            if len(cell) > limit:
                truncated.append((number, column, len(cell)))
            if is_formula(cell):
                formulas.append((number, column))
        rows.append([reveal(cell[:limit]) for cell in row])
    columns = [reveal(head[:limit]) for head in table.columns]
    return TableView(columns, rows, first, len(table.rows), truncated, formulas)


def _image(data: bytes, thresholds: Thresholds) -> ImageView | FailedView:
    try:
        return ImageView(*reencode(data, thresholds.max_pixels))
    except MalformedImage:
        return FailedView("malformed")


def _notebook(notebook: Notebook, thresholds: Thresholds, page: int, size: int) -> tuple[View, int, int]:
    """Whole cells, as many as fit on a page; a cell is never split, so its outputs stay under its source."""
    starts = _page_starts(notebook.cells, size)
    at, pages = _clamp(page, len(starts), 1)
    first = starts[at]
    last = starts[at + 1] if at + 1 < len(starts) else len(notebook.cells)
    cells = [_cell(n, notebook.cells[n], thresholds) for n in range(first, last)]
    extras = [_text(text, label) for label, text in notebook.extras] if at == 0 else []
    return NotebookView(cells, first, len(notebook.cells), extras), at, pages


def _page_starts(cells: Sequence[Cell], size: int) -> list[int]:
    starts, used = [0], 0
    for number, cell in enumerate(cells):
        weight = _weight(cell)
        if used and used + weight > size:
            starts.append(number)
            used = 0
        used += weight
    return starts


def _weight(cell: Cell) -> int:
    parts = [part for output in cell.outputs for part in output.parts]
    lines = sum(part.text.count("\n") + 1 + len(part.text) // _LINE for part in parts if not part.data)
    return 1 + cell.source.count("\n") + lines + _IMAGE_WEIGHT * sum(bool(part.data) for part in parts)


def _cell(number: int, cell: Cell, thresholds: Thresholds) -> CodeCell | MarkdownCell:
    outputs: list[OutputView] = []
    places: list[tuple[int | None, int | None]] = []
    for n, output in enumerate(cell.outputs):
        views = _output(output, thresholds)
        outputs += views
        places += [(n, sum(isinstance(one, TableView) for one in views[:k])) for k in range(len(views))]
    outputs += [_text(text, label) for label, text in cell.extras]
    places += [(None, None)] * len(cell.extras)
    if cell.kind == "code":
        return CodeCell(number, _text(cell.source), outputs, places)
    return MarkdownCell(number, _text(cell.source), outputs)


def _output(output: Output, thresholds: Thresholds) -> list[OutputView]:
    views: list[OutputView] = []
    for part in output.parts:
        if part.media_type in ("image/png", "image/jpeg"):
            views.append(_image(part.data, thresholds))
        elif part.media_type == "text/html":
            views += _html(part.text, thresholds)
        else:
            views.append(_text(part.text, "" if part.media_type == "text/plain" else part.media_type))
    return views


def _html(source: str, thresholds: Thresholds) -> list[OutputView]:
    """Tables and text; the source as well where there is more to it than these show."""
    try:
        markup = read_markup(source, bounds_of(thresholds), Place())
    except UnreadableTable:
        return [_text(source, "text/html")]
    views: list[OutputView] = [_table(table, thresholds, 0, len(table.rows)) for table in markup.tables]
    if markup.text and markup.plain:
        views.append(_text(markup.text))
    if not markup.plain or not views:
        views.append(_text(source, "text/html"))
    return views

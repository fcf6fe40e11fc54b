"""What a checker sees of a file: plain data without markup, so nothing a researcher wrote can run."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TableView:
    """Rows `first_row` … of `total_rows` (from 0). Hidden characters are written as ⟨U+200B⟩.

    `truncated_cells`: (row in the file, column, characters) of cells longer than is shown; the checks
    BLOCK such a file. `formula_cells`: (row, column) of cells that a spreadsheet would run.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    first_row: int
    total_rows: int
    truncated_cells: Sequence[tuple[int, int, int]] = ()
    formula_cells: Sequence[tuple[int, int]] = ()

    def to_json(self) -> dict[str, Any]:
        """`{"kind": "table", …}`."""
        return {
            "kind": "table",
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "first_row": self.first_row,
            "total_rows": self.total_rows,
            "truncated_cells": [list(one) for one in self.truncated_cells],
            "formula_cells": [list(one) for one in self.formula_cells],
        }


@dataclass(frozen=True, slots=True)
class TextView:
    """Lines `first_line` … of `total_lines` (from 0); `label` says what it is unless plain ("text/html")."""

    lines: Sequence[str]
    first_line: int
    total_lines: int
    label: str = ""

    def to_json(self) -> dict[str, Any]:
        """`{"kind": "text", …}`."""
        return {
            "kind": "text",
            "lines": list(self.lines),
            "first_line": self.first_line,
            "total_lines": self.total_lines,
            "label": self.label,
        }


@dataclass(frozen=True, slots=True)
class ImageView:
    """The pixels as a fresh PNG without anything beside them."""

    png_bytes: bytes
    width: int
    height: int

    def to_json(self) -> dict[str, Any]:
        """`{"kind": "image", "png_base64": …}`."""
        return {
            "kind": "image",
            "png_base64": base64.b64encode(self.png_bytes).decode("ascii"),
            "width": self.width,
            "height": self.height,
        }


@dataclass(frozen=True, slots=True)
class RawView:
    """Bytes nobody could read otherwise, sixteen to a line: lines `first_line` … of `total_lines`."""

    hex: Sequence[str]
    first_line: int
    total_lines: int

    def to_json(self) -> dict[str, Any]:
        """`{"kind": "raw", …}`."""
        return {
            "kind": "raw",
            "hex": list(self.hex),
            "first_line": self.first_line,
            "total_lines": self.total_lines,
        }


@dataclass(frozen=True, slots=True)
class FailedView:
    """Nothing can be shown; `reason` is a stable code (timeout, killed, garbage, too_much, malformed)."""

    reason: str

    def to_json(self) -> dict[str, Any]:
        """`{"kind": "failed", "reason": …}`."""
        return {"kind": "failed", "reason": self.reason}


OutputView = TableView | TextView | ImageView | RawView | FailedView


@dataclass(frozen=True, slots=True)
class CodeCell:
    """Source and every representation of every output; `extras` are shown as text too.

    `places`: (output, table) of each view as findings count them; None where it is none.
    """

    number: int
    source: TextView
    outputs: Sequence[OutputView]
    places: Sequence[tuple[int | None, int | None]] = ()

    def to_json(self) -> dict[str, Any]:
        """`{"kind": "code", …}`."""
        return {
            "kind": "code",
            "number": self.number,
            "source": self.source.to_json(),
            "outputs": [output.to_json() for output in self.outputs],
            "places": [list(place) for place in self.places],
        }


@dataclass(frozen=True, slots=True)
class MarkdownCell:
    """The source of a Markdown or raw cell, not rendered."""

    number: int
    text: TextView
    outputs: Sequence[OutputView] = ()

    def to_json(self) -> dict[str, Any]:
        """`{"kind": "markdown", …}`."""
        return {
            "kind": "markdown",
            "number": self.number,
            "text": self.text.to_json(),
            "outputs": [output.to_json() for output in self.outputs],
        }


@dataclass(frozen=True, slots=True)
class NotebookView:
    """Cells of one page; `extras` (on the first page) is what the notebook carries beside its cells."""

    cells: Sequence[CodeCell | MarkdownCell]
    first_cell: int
    total_cells: int
    extras: Sequence[TextView] = ()

    def to_json(self) -> dict[str, Any]:
        """`{"kind": "notebook", …}`."""
        return {
            "kind": "notebook",
            "cells": [cell.to_json() for cell in self.cells],
            "first_cell": self.first_cell,
            "total_cells": self.total_cells,
            "extras": [extra.to_json() for extra in self.extras],
        }


View = OutputView | NotebookView


@dataclass(frozen=True, slots=True)
class Rendering:
    """One page of a file. Pages count from 0; a page beyond the last shows the last."""

    name: str
    media_type: str
    page: int
    pages: int
    view: View

    def to_json(self) -> dict[str, Any]:
        """`{"version": 1, "name", "media_type", "page", "pages", "view": {"kind": …}}`."""
        return {
            "version": 1,
            "name": self.name,
            "media_type": self.media_type,
            "page": self.page,
            "pages": self.pages,
            "view": self.view.to_json(),
        }

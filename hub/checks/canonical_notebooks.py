"""A notebook in the form in which it leaves: its code and the outputs a person can judge, nothing beside."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Any

from hub.checks.canonical_images import rewrite_drawing, rewrite_image
from hub.checks.canonical_texts import Cleaning, clean_line, clean_text
from hub.checks.findings import Place
from hub.checks.identifiers import Text
from hub.checks.markup import read_markup
from hub.checks.notebooks import Cell, MalformedNotebook, Output, Part, read_notebook
from hub.checks.rewriting import CannotRewrite, Rewriting
from hub.checks.tables import Bounds, Table, UnreadableTable

_TEXTS = frozenset({"text/plain", "text/markdown", "text/latex"})
_LANGUAGES = frozenset({"python", "R", "julia", "stata", "sas"})


def rewrite_notebook(text: str, rewriting: Rewriting, bounds: Bounds, max_pixels: int) -> str:
    """The notebook from its sources and permitted outputs: texts cleaned, frames as plain tables, pictures
    and drawings as fresh PNGs. Metadata, attachments, widgets, scripts and unknown outputs are left out,
    each with a finding. Raises `CannotRewrite` when it is no notebook."""
    try:
        notebook = read_notebook(text)
    except MalformedNotebook as error:
        raise rewriting.refusal("notebook_malformed", problem=str(error)) from error
    _leave_out(notebook.extras, rewriting, Place())
    cleaning = Cleaning()
    writer = _Writer(rewriting, cleaning, bounds, max_pixels)
    made = {
        "cells": [writer.cell(number, cell) for number, cell in enumerate(notebook.cells)],
        "metadata": {"language_info": {"name": _language(text)}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    cleaning.report(rewriting)
    return json.dumps(made, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _language(text: str) -> str:
    metadata = json.loads(text).get("metadata", {})
    for part, key in (("language_info", "name"), ("kernelspec", "language")):
        name = metadata.get(part, {}).get(key) if isinstance(metadata.get(part), dict) else None
        if name in _LANGUAGES:
            return str(name)
    return "python"


def _leave_out(extras: tuple[tuple[str, str], ...], rewriting: Rewriting, place: Place) -> None:
    for name, text in extras:
        rewriting.doubt("notebook_extra", place, name=name[:80])
        rewriting.seen.append(Text(place, text))


class _Writer:
    def __init__(self, rewriting: Rewriting, cleaning: Cleaning, bounds: Bounds, max_pixels: int) -> None:
        self._rewriting = rewriting
        self._cleaning = cleaning
        self._bounds = bounds
        self._max_pixels = max_pixels

    def cell(self, number: int, cell: Cell) -> dict[str, Any]:
        """The cell as nbformat 4.5 has it."""
        place = Place(cell=number)
        _leave_out(cell.extras, self._rewriting, place)
        source = clean_text(cell.source, self._cleaning, numbers=cell.kind != "code").rstrip("\n")
        made = {"cell_type": cell.kind, "id": f"c{number}", "metadata": {}, "source": source}
        if cell.kind != "code":
            return made
        outputs = [self._output(output, place.within(output=n)) for n, output in enumerate(cell.outputs)]
        return {**made, "execution_count": None, "outputs": [one for one in outputs if one is not None]}

    def _output(self, output: Output, place: Place) -> dict[str, Any] | None:
        data: dict[str, str] = {}
        for part in output.parts:
            for media_type, content in self._part(part, place):
                data.setdefault(media_type, content)
        # What prints nothing is not kept: an empty output is not shown, so it would only be a mark.
        data = {media_type: content for media_type, content in data.items() if content.strip()}
        return {"output_type": "display_data", "data": data, "metadata": {}} if data else None

    def _part(self, part: Part, place: Place) -> list[tuple[str, str]]:
        if part.media_type in ("image/png", "image/jpeg"):
            return [("image/png", _base64(self._image(part.data, place)))]
        if part.media_type == "image/svg+xml":
            return [("image/png", _base64(self._drawing(part.text, place)))]
        if part.media_type == "text/html":
            return self._html(part.text, place)
        if part.media_type in _TEXTS:
            return [(part.media_type, clean_text(part.text, self._cleaning, numbers=True))]
        if part.media_type != "metadata" or not re.fullmatch(r"[\s{}\[\]a-z/+:\"0-9_.,]{0,200}", part.text):
            _leave_out(((part.media_type, part.text),), self._rewriting, place)
        return []

    def _image(self, data: bytes, place: Place) -> bytes:
        return rewrite_image(data, self._rewriting, place, self._max_pixels)

    def _drawing(self, source: str, place: Place) -> bytes:
        try:
            return rewrite_drawing(source, self._rewriting, place, self._max_pixels)
        except CannotRewrite:
            _leave_out((("image/svg+xml", source),), self._rewriting, place)
            return b""

    def _html(self, source: str, place: Place) -> list[tuple[str, str]]:
        self._rewriting.seen.append(Text(place, source))
        try:
            markup = read_markup(source, self._bounds, place)
        except UnreadableTable as error:
            limit = self._bounds.max_columns if error.rule == "too_wide" else self._bounds.max_cells
            raise self._rewriting.refusal(error.rule, place, limit=limit) from error
        if not markup.plain:
            self._rewriting.doubt("notebook_extra", place, name="HTML")
        words = [clean_line(line, self._cleaning) for line in markup.text.splitlines()]
        made = [self._table(table) for table in markup.tables]
        made += [f"<p>{html.escape(line, quote=False)}</p>" for line in words if line]
        return [("text/html", "\n".join(made))]

    def _table(self, table: Table) -> str:
        rows = [_row(row, "td", self._cleaning) for row in table.rows]
        head = [f"<thead>{_row(table.columns, 'th', self._cleaning)}</thead>"] if table.headed else []
        return "\n".join(["<table>", *head, *rows, "</table>"])


def _row(cells: Any, tag: str, cleaning: Cleaning) -> str:
    made = [f"<{tag}>{html.escape(clean_line(cell, cleaning), quote=False)}</{tag}>" for cell in cells]
    return f"<tr>{''.join(made)}</tr>"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

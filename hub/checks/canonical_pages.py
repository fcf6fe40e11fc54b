"""A web page as the tables and the text it shows. Scripts, drawings and anything that hides data: refused."""

from __future__ import annotations

from hub.checks.canonical_tables import rewrite_rows, rewrite_text
from hub.checks.findings import Place
from hub.checks.intake import Kind
from hub.checks.markup import read_markup
from hub.checks.rewriting import Part, Rewriting
from hub.checks.tables import Bounds, UnreadableTable

_MAX_TABLES = 20
_LIMITS = {"too_wide": "max_columns", "too_many_cells": "max_cells"}


def rewrite_page(source: str, stem: str, rewriting: Rewriting, bounds: Bounds) -> list[Part]:
    """The tables as CSV parts and what stands outside them as text; empty ones are left out. Raises
    `CannotRewrite`: `type_page` for a page without a table and for one that holds more than tables and text,
    `empty` for one that shows nothing."""
    try:
        markup = read_markup(source, bounds, Place(), page=True)
    except UnreadableTable as error:
        limit = getattr(bounds, _LIMITS.get(error.rule, "max_cells"))
        raise rewriting.refusal(error.rule, limit=limit) from error
    if not markup.plain or not 1 <= len(markup.tables) <= _MAX_TABLES:
        raise rewriting.refusal("type_page", extension=".html")
    alone = len(markup.tables) == 1
    parts = []
    for number, table in enumerate(markup.tables):
        rows = [list(table.columns)] if table.headed else []
        rows += [list(row) for row in table.rows]
        name = f"{stem}.csv" if alone else f"{stem} - {number + 1}.csv"
        content = rewrite_rows(rows, rewriting, delimiter=",")
        if content.strip():
            parts.append(Part(name, Kind.CSV, content.encode()))
    text = rewrite_text(markup.text + "\n", rewriting, numbers=True)
    if text.strip():
        parts.append(Part(f"{stem}.txt", Kind.TEXT, text.encode()))
    if not parts:
        raise rewriting.refusal("empty")
    rewriting.note("page_rewritten", tables=len(markup.tables))
    return parts

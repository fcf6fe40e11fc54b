"""A file taken apart once: its tables, texts and images, and what was wrong on the way.

Checks and rendering read the same parts, so nothing is judged that is not shown.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.checks.accounts import unaccounted
from hub.checks.acro import find_acro_claims, is_acro
from hub.checks.delimited import delimited_parts
from hub.checks.findings import Finding, Place, Severity
from hub.checks.identifiers import Text
from hub.checks.intake import Kind
from hub.checks.json_tables import json_parts
from hub.checks.markup import Markup, read_markup
from hub.checks.notebooks import Cell, MalformedNotebook, Notebook, Part, read_notebook
from hub.checks.r_prints import tables_in_text
from hub.checks.rewriting import Canonical
from hub.checks.sentences import finding
from hub.checks.tables import (
    Bounds,
    Table,
    UnreadableTable,
    delimiter_of,
    with_decimal_points,
)
from hub.checks.texts import decode
from hub.checks.thresholds import Thresholds

# Representations of an output that a person can read as they are.
SHOWN_TEXTS = frozenset({"text/plain", "text/markdown", "text/latex", "text/html"})


_MOST_LINES = 400
_LONGEST_TITLES = 2_000
_OF_TABLE = re.compile(r"[|&]|\S {2,}\S|\t|^[-=+\s]*$")


@dataclass
class Contents:
    """Parts of a file. `printed`: texts in which a person reads sentences or tables; `raw`: all else that
    leaves with the file and is searched for identifiers; `seen`: what of the original does not leave.
    `programs`: those of `printed` that are code. `keys`: names of JSON over its tables; `loose`: what leaves
    and is in no table and no printed text; `names`: those of the files that leave."""

    tables: list[Table] = field(default_factory=list)
    printed: list[Text] = field(default_factory=list)
    raw: list[Text] = field(default_factory=list)
    images: list[tuple[Place, bytes]] = field(default_factory=list)
    seen: list[Text] = field(default_factory=list)
    programs: list[Text] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def prose(self) -> list[Text]:
        """The texts that are no code."""
        programs = {id(text) for text in self.programs}
        return [text for text in self.printed if id(text) not in programs]

    def titles(self) -> str:
        """The lines that could be titles and notes of tables."""
        lines = [line.strip() for text in self.prose() for line in text.content.splitlines()[:_MOST_LINES]]
        titles = [line for line in lines if line and not _OF_TABLE.search(line)]
        return " \n ".join(titles)[:_LONGEST_TITLES]


def bounds_of(thresholds: Thresholds) -> Bounds:
    """How large a table may be."""
    return Bounds(thresholds.max_columns, thresholds.max_cells)


def read_contents(data: bytes, kind: Kind, thresholds: Thresholds) -> Contents:
    """The parts of `data`. Never raises for hostile bytes: what cannot be read becomes a finding."""
    contents = Contents()
    if kind in (Kind.PNG, Kind.JPEG):
        contents.images.append((Place(), data))
        contents.raw.append(Text(Place(), data.decode("latin-1")))
        return contents
    text, problem = decode(data)
    if problem is not None:
        contents.findings.append(finding("encoding", Severity.REVIEW, problem=problem))
    if kind in (Kind.CSV, Kind.TSV):
        _read_delimited(contents, text, kind, thresholds)
    elif kind is Kind.NOTEBOOK:
        _read_notebook(contents, text, thresholds)
    elif kind is Kind.JSON:
        _read_json(contents, text, thresholds)
    else:
        contents.printed.append(Text(Place(), text))
        if kind is Kind.SCRIPT:
            contents.programs.append(contents.printed[-1])
        else:
            _read_printed(contents, text, Place(), thresholds)
    return contents


def read_parts(taken: Canonical, thresholds: Thresholds) -> Contents:
    """What all rewritten parts of a file hold; the tables are counted through."""
    whole = Contents(seen=list(taken.seen))
    for part in taken.parts:
        one = read_contents(part.data, part.kind, thresholds)
        first = sum(table.place.cell is None for table in whole.tables)
        if first:
            one.tables = [_moved(table, first) for table in one.tables]
        whole.tables += one.tables
        whole.printed += one.printed
        whole.raw += one.raw
        whole.programs += one.programs
        whole.keys += one.keys
        whole.loose += [*one.loose, *unaccounted(one, part)]
        whole.names.append(part.name)
        whole.images += one.images
        whole.findings += one.findings
        whole.counts.update(one.counts)
    return whole


def _moved(table: Table, first: int) -> Table:
    if table.place.cell is not None or table.place.table is None:
        return table
    return replace(table, place=table.place.within(table=table.place.table + first))


def _refuse_table(contents: Contents, error: UnreadableTable, place: Place, thresholds: Thresholds) -> None:
    limits: Mapping[str, int] = {"too_wide": thresholds.max_columns, "too_many_cells": thresholds.max_cells}
    if error.rule in limits:
        contents.findings.append(finding(error.rule, Severity.BLOCK, place, limit=limits[error.rule]))
    else:
        contents.findings.append(finding(error.rule, Severity.REVIEW, place))


def _read_delimited(contents: Contents, text: str, kind: Kind, thresholds: Thresholds) -> None:
    contents.raw.append(Text(Place(), text))
    try:
        parts = delimited_parts(text, bounds_of(thresholds), delimiter="\t" if kind is Kind.TSV else None)
    except UnreadableTable as error:
        _refuse_table(contents, error, Place(), thresholds)
        return
    commas = kind is Kind.CSV and delimiter_of(text) == ";"
    contents.tables += [with_decimal_points(table) if commas else table for table in parts.tables]
    if parts.beside:
        contents.printed.append(Text(Place(), "\n".join(parts.beside)))


def _read_printed(contents: Contents, text: str, place: Place, thresholds: Thresholds) -> None:
    try:
        contents.tables += tables_in_text(text, bounds_of(thresholds), place)
    except UnreadableTable as error:
        _refuse_table(contents, error, place, thresholds)


def _read_json(contents: Contents, text: str, thresholds: Thresholds) -> None:
    contents.raw.append(Text(Place(), text))
    try:
        value: Any = json.loads(text)
        if "\\u" in text:  # digits may be written as escapes
            contents.raw.append(Text(Place(), json.dumps(value, ensure_ascii=False)))
        parts = json_parts(value, bounds_of(thresholds))
        contents.tables += parts.tables
        contents.keys += parts.names
        contents.loose += parts.loose
        if is_acro(value):
            contents.findings += find_acro_claims(value)
    except UnreadableTable as error:
        _refuse_table(contents, error, Place(), thresholds)
    except (ValueError, RecursionError) as error:
        problem = "nested too deep" if isinstance(error, RecursionError) else "not JSON"
        contents.findings.append(finding("json_malformed", Severity.REVIEW, problem=problem))


def _read_notebook(contents: Contents, text: str, thresholds: Thresholds) -> None:
    contents.raw.append(Text(Place(), text))
    try:
        notebook: Notebook = read_notebook(text)
    except MalformedNotebook as error:
        contents.findings.append(finding("notebook_malformed", Severity.BLOCK, problem=str(error)))
        return
    contents.counts["cells"] = len(notebook.cells)
    _read_extras(contents, notebook.extras, Place())
    for number, cell in enumerate(notebook.cells):
        _read_cell(contents, cell, Place(cell=number), thresholds)


def _read_extras(contents: Contents, extras: tuple[tuple[str, str], ...], place: Place) -> None:
    for name, text in extras:
        contents.findings.append(finding("notebook_extra", Severity.REVIEW, place, name=name[:80]))
        contents.raw.append(Text(place, text))


def _read_cell(contents: Contents, cell: Cell, place: Place, thresholds: Thresholds) -> None:
    source = Text(place, cell.source)
    contents.printed.append(source)
    if cell.kind == "code":
        contents.programs.append(source)
    else:
        _read_printed(contents, cell.source, place, thresholds)
    _read_extras(contents, cell.extras, place)
    for number, output in enumerate(cell.outputs):
        before = len(contents.tables)
        parts = sorted(output.parts, key=lambda one: one.media_type != "text/html")
        for part in parts:
            if part.media_type == "text/plain" and _is_same(part.text, contents.tables[before:]):
                contents.printed.append(Text(place.within(output=number), part.text))
            else:
                _read_part(contents, part, place.within(output=number), thresholds)


def _is_same(text: str, tables: Sequence[Table]) -> bool:
    """Whether a text says the one table of the page beside it: the same words in the same order, those of the
    head in any."""
    if len(tables) != 1:
        return False
    heads = [word for head in tables[0].columns for word in head.split()]
    cells = [word for row in tables[0].rows for cell in row for word in cell.split()]
    words = text.split()
    return Counter(words[: len(heads)]) == Counter(heads) and words[len(heads) :] == cells


def _read_part(contents: Contents, part: Part, place: Place, thresholds: Thresholds) -> None:
    if part.media_type in ("image/png", "image/jpeg"):
        contents.images.append((place, part.data))
        contents.raw.append(Text(place, part.data.decode("latin-1")))
    elif part.media_type == "text/html":
        contents.raw.append(Text(place, part.text))
        markup = _read_html(contents, part.text, place, thresholds)
        contents.printed.append(Text(place, markup.text))
    elif part.media_type in SHOWN_TEXTS:
        contents.printed.append(Text(place, part.text))
        _read_printed(contents, part.text, place, thresholds)
    else:
        _read_extras(contents, ((part.media_type, part.text),), place)


def _read_html(contents: Contents, source: str, place: Place, thresholds: Thresholds) -> Markup:
    try:
        markup = read_markup(source, bounds_of(thresholds), place)
    except UnreadableTable as error:
        _refuse_table(contents, error, place, thresholds)
        return Markup([], "", plain=False)
    contents.tables += markup.tables
    # A number split over tags is whole in the cell that a person reads.
    shown = "\n".join("\t".join(row) for table in markup.tables for row in (table.columns, *table.rows))
    contents.raw.append(Text(place, shown))
    if not markup.plain:
        contents.findings.append(finding("notebook_extra", Severity.REVIEW, place, name="HTML"))
    return markup

"""A workbook as the tables it shows: values of visible cells, one CSV per visible sheet.

Read part by part with bounds, by this module alone: nothing is calculated, followed or run.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.checks.archives import ArchiveProblem, open_archive, read_member
from hub.checks.canonical_tables import rewrite_rows
from hub.checks.canonical_texts import Cleaning, clean_line
from hub.checks.findings import Place
from hub.checks.identifiers import Text
from hub.checks.intake import Kind
from hub.checks.rewriting import Part, Rewriting
from hub.checks.tables import Bounds

MAX_SHEETS = 20
_MAX_CELLS = 300_000
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# Parts that carry data nobody sees: (pattern, what it is called to people).
_HIDING = (
    (re.compile(r"xl/vbaProject|\.bin$(?<!printerSettings1\.bin)"), "macros or binary parts"),
    (re.compile(r"xl/externalLinks/"), "links to other workbooks"),
    (re.compile(r"xl/pivot(?:Cache|Tables)/"), "a pivot table and its data"),
    (re.compile(r"xl/(?:embeddings|activeX|ctrlProps)/"), "embedded objects"),
    (re.compile(r"xl/(?:connections\.xml|queryTables/|model/)"), "connections to data"),
)
_LEAVING_OUT = (
    (re.compile(r"xl/(?:comments|threadedComments|persons)"), "comments"),
    (re.compile(r"xl/(?:drawings|charts|media|chartsheets)/"), "pictures and charts"),
    (re.compile(r"customXml/"), "custom data"),
)
_USUAL = re.compile(
    r"\[Content_Types\]\.xml|_rels/|docProps/|xl/(?:workbook\.xml|_rels/|worksheets/(?:_rels/|sheet)|theme/|"
    r"styles\.xml|sharedStrings\.xml|calcChain\.xml|metadata\.xml|tables/|printerSettings/)"
)


_PROPERTIES = re.compile(r"docProps/(?:core|custom)\.xml")
# What programs write there of themselves: who, when, with which version.
_OF_PROGRAMS = re.compile(
    r"<(?P<tag>dcterms:(?:created|modified)|cp:(?:revision|version|lastPrinted)|dc:creator|cp:lastModifiedBy)\b[^>]*>"
    r"[^<]*</(?P=tag)>"
)


def _tells(data: bytes) -> bool:
    """Whether properties that a person writes (title, subject, keywords, description) hold a number."""
    text = re.sub(r"<[^>]*>", " ", _OF_PROGRAMS.sub(" ", data.decode("utf-8", errors="replace")))
    return any(character.isdigit() for character in text)


@dataclass
class _Sheet:
    rows: list[list[str]] = field(default_factory=list)
    formulas: int = 0
    without_value: int = 0
    hidden: int = 0


def rewrite_workbook(data: bytes, stem: str, rewriting: Rewriting, bounds: Bounds) -> list[Part]:
    """The visible sheets as CSV parts. Raises `CannotRewrite`.

    1. The container within its limits. 2. Parts that hide data, and hidden sheets, rows and columns, are
    named. 3. Values of the visible cells, formulas by their stored value.
    """
    from lxml import etree

    try:
        archive = open_archive(data)  # (1)
        book = _Book(archive, bounds)
        _name_parts(archive.namelist(), rewriting)  # (2)
        sheets = book.sheets()
        shown = [(name, path) for name, path, state in sheets if state == "visible"]
        if len(shown) > MAX_SHEETS:
            raise ArchiveProblem(f"more than {MAX_SHEETS} sheets")
        _name_unseen(archive, book, len(sheets) - len(shown), rewriting)
        read = [(name, book.sheet(path)) for name, path in shown]  # (3)
    except _TooLarge as error:
        raise rewriting.refusal(error.rule, limit=error.limit) from error
    except ArchiveProblem as error:
        raise rewriting.refusal("workbook_malformed", problem=str(error)) from error
    except (etree.XMLSyntaxError, KeyError, ValueError, IndexError, OverflowError,
            EOFError, NotImplementedError, TypeError, AttributeError) as error:  # fmt: skip
        raise rewriting.refusal("workbook_malformed", problem="not an xlsx workbook") from error
    _report(read, rewriting)
    contents = [
        (_name(stem, name, alone=len(read) == 1), rewrite_rows(sheet.rows, rewriting, delimiter=","))
        for name, sheet in read
    ]
    parts = [Part(name, Kind.CSV, content.encode()) for name, content in contents if content.strip()]
    if not parts:
        raise rewriting.refusal("empty")
    return parts


def _name_unseen(archive: zipfile.ZipFile, book: _Book, hidden: int, rewriting: Rewriting) -> None:
    """Hidden sheets, names and properties are told; all texts of the container are searched."""
    if hidden:
        rewriting.charge("workbook_hidden", name=f"{hidden} sheets")
    if book.names():
        rewriting.doubt("workbook_part", name="names of ranges")
    if any(_tells(read_member(archive, path)) for path in archive.namelist() if _PROPERTIES.match(path)):
        rewriting.doubt("workbook_part", name="properties")
    for path in archive.namelist():
        if path.endswith((".xml", ".rels")):  # properties (author, keywords) and links too
            content = read_member(archive, path).decode("utf-8", errors="replace")
            rewriting.seen.append(Text(Place(), content))


def _name(stem: str, sheet: str, *, alone: bool) -> str:
    plain = re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", clean_line(sheet, Cleaning())).strip(". ")[:60]
    return f"{stem}.csv" if alone else f"{stem} - {plain or 'sheet'}.csv"


def _report(read: list[tuple[str, _Sheet]], rewriting: Rewriting) -> None:
    hidden = sum(sheet.hidden for _, sheet in read)
    if hidden:
        rewriting.charge("workbook_hidden", name=f"{hidden} cells in hidden rows or columns")
    missing = sum(sheet.without_value for _, sheet in read)
    if missing:
        rewriting.doubt("workbook_no_value", cells=missing)
    rewriting.note("workbook_rewritten", sheets=len(read), formulas=sum(sheet.formulas for _, sheet in read))


def _name_parts(paths: list[str], rewriting: Rewriting) -> None:
    named: set[str] = set()
    for path in paths:
        hiding = next((name for pattern, name in _HIDING if pattern.search(path)), None)
        left = next((name for pattern, name in _LEAVING_OUT if pattern.match(path)), None)
        if "printerSettings" in path:
            continue
        if hiding is not None and hiding not in named:
            rewriting.charge("workbook_hidden", name=hiding)
            named.add(hiding)
        elif hiding is None and (left or not _USUAL.match(path)):
            name = left or "unknown parts"
            if name not in named:
                rewriting.doubt("workbook_part", name=name)
            named.add(name)


class _TooLarge(Exception):
    def __init__(self, rule: str, limit: int) -> None:
        super().__init__(rule)
        self.rule = rule
        self.limit = limit


class _Book:
    """The parts of a workbook that hold values."""

    def __init__(self, archive: zipfile.ZipFile, bounds: Bounds) -> None:
        self._archive = archive
        self._bounds = bounds
        self._workbook = self._xml("xl/workbook.xml")
        self._strings = self._shared_strings()
        self._dates = self._date_styles()
        self._cells = 0

    def _xml(self, path: str) -> Any:
        from lxml import etree

        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        return etree.fromstring(read_member(self._archive, path), parser)

    def sheets(self) -> list[tuple[str, str, str]]:
        """Name, path and state ("visible", "hidden", "veryHidden") of each sheet, in their order."""
        links = self._xml("xl/_rels/workbook.xml.rels")
        targets = {one.get("Id"): one.get("Target", "") for one in links}
        found = []
        for sheet in self._workbook.iter(f"{{{_MAIN}}}sheet"):
            target = targets[sheet.get(f"{{{_LINKS}}}id")]
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if path.startswith("xl/worksheets/"):
                found.append((sheet.get("name", ""), path, sheet.get("state", "visible")))
        return found

    def names(self) -> bool:
        """Whether ranges have names beyond those that print areas and filters get by themselves."""
        names = [one.get("name", "") for one in self._workbook.iter(f"{{{_MAIN}}}definedName")]
        return any(not name.startswith("_xlnm.") for name in names)

    def _shared_strings(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self._archive.namelist():
            return []
        return [_string(one) for one in self._xml("xl/sharedStrings.xml").iter(f"{{{_MAIN}}}si")]

    def _date_styles(self) -> set[int]:
        if "xl/styles.xml" not in self._archive.namelist():
            return set()
        from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format

        styles = self._xml("xl/styles.xml")
        formats = dict(BUILTIN_FORMATS)
        for one in styles.iter(f"{{{_MAIN}}}numFmt"):
            formats[int(one.get("numFmtId"))] = one.get("formatCode", "")
        cells = styles.find(f"{{{_MAIN}}}cellXfs")
        wanted = [int(one.get("numFmtId", "0")) for one in cells] if cells is not None else []
        return {at for at, number in enumerate(wanted) if is_date_format(formats.get(number, ""))}

    def sheet(self, path: str) -> _Sheet:
        """The visible cells of a sheet, row by row, from its first used column."""
        root = self._xml(path)
        sheet = _Sheet()
        hidden = _hidden_columns(root)
        for row in root.iter(f"{{{_MAIN}}}row"):
            cells = list(self._row(row, sheet))
            if row.get("hidden") in ("1", "true"):
                sheet.hidden += sum(bool(value) for _, value in cells)
                continue
            made: list[str] = []
            for column, value in cells:
                if any(first <= column <= last for first, last in hidden):
                    sheet.hidden += bool(value)
                    continue
                if column > self._bounds.max_columns:
                    raise _TooLarge("too_wide", self._bounds.max_columns)
                made += [""] * (column - len(made) - 1)
                made.append(value)
            sheet.rows.append(made)
        if hidden:
            _drop_columns(sheet.rows, hidden)
        return sheet

    def _row(self, row: Any, sheet: _Sheet) -> Iterator[tuple[int, str]]:
        next_column = 1
        for cell in row.iter(f"{{{_MAIN}}}c"):
            self._cells += 1
            if self._cells > min(_MAX_CELLS, self._bounds.max_cells):
                raise _TooLarge("too_many_cells", min(_MAX_CELLS, self._bounds.max_cells))
            column = _column(cell.get("r")) or next_column
            if column < next_column:
                raise ValueError("cells out of order")
            next_column = column + 1
            value = self._value(cell)
            if cell.find(f"{{{_MAIN}}}f") is not None:
                sheet.formulas += 1
                sheet.without_value += not value
            yield column, value

    def _value(self, cell: Any) -> str:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            inside = cell.find(f"{{{_MAIN}}}is")
            return _string(inside) if inside is not None else ""
        value = cell.findtext(f"{{{_MAIN}}}v") or ""
        if kind == "s" and value:
            return self._strings[int(value)]
        if kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(value, value)
        if kind == "n" and value and int(cell.get("s", "0")) in self._dates:
            return _date(value)
        return value


def _string(element: Any) -> str:
    texts = [
        one.text or "" for one in element.iter(f"{{{_MAIN}}}t") if not one.getparent().tag.endswith("}rPh")
    ]
    return "".join(texts)


def _date(value: str) -> str:
    from openpyxl.utils.datetime import from_excel

    try:
        made = from_excel(float(value))
        return made.isoformat() if made is not None else value
    except (ValueError, OverflowError):
        return value


def _column(reference: str | None) -> int:
    match = re.match(r"[A-Z]{1,3}", reference or "")
    number = 0
    for letter in match.group() if match else "":
        number = number * 26 + ord(letter) - 64
    return number


def _hidden_columns(root: Any) -> list[tuple[int, int]]:
    return [
        (int(one.get("min")), int(one.get("max")))
        for one in root.iter(f"{{{_MAIN}}}col")
        if one.get("hidden") in ("1", "true")
    ]


def _drop_columns(rows: list[list[str]], hidden: list[tuple[int, int]]) -> None:
    """Close the gaps that hidden columns left."""
    width = max((len(row) for row in rows), default=0)
    gone = [n - 1 for n in range(1, width + 1) if any(first <= n <= last for first, last in hidden)]
    for row in rows:
        for at in reversed(gone):
            if at < len(row):
                del row[at]

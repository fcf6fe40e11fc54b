"""Delimited tables and JSON in the form in which they leave."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from hub.checks.canonical_texts import (
    Cleaning,
    clean_characters,
    clean_line,
    clean_text,
    count_ends,
    fix_numbers,
    rounded,
)
from hub.checks.findings import Place
from hub.checks.rewriting import Rewriting
from hub.checks.tables import Bounds, UnreadableTable, delimited_rows, delimiter_of
from hub.checks.texts import is_formula


def rewrite_delimited(text: str, rewriting: Rewriting, bounds: Bounds, *, tabs: bool) -> str:
    """A delimited text: `;` stays where it was the delimiter, tabs in a TSV, else commas; quotes only where
    needed; no empty rows. Text that is no table is kept as text (the rules report it).

    Raises `CannotRewrite` (too_wide, too_many_cells) beyond the bounds.
    """
    mark = "\t" if tabs else delimiter_of(text)
    try:
        rows = _bounded(delimited_rows(text, mark), rewriting, bounds)
    except UnreadableTable:
        return rewrite_text(text, rewriting, numbers=True)
    return rewrite_rows(rows, rewriting, delimiter=mark if mark in ";\t" else ",", original=text)


def _bounded(rows: Iterable[list[str]], rewriting: Rewriting, bounds: Bounds) -> list[list[str]]:
    kept, cells = [], 0
    for row in rows:
        cells += len(row)
        if len(row) > bounds.max_columns:
            raise rewriting.refusal("too_wide", limit=bounds.max_columns)
        if cells > bounds.max_cells:
            raise rewriting.refusal("too_many_cells", limit=bounds.max_cells)
        kept.append(row)
    return kept


def rewrite_rows(
    rows: Iterable[list[str]], rewriting: Rewriting, *, delimiter: str, original: str | None = None
) -> str:
    """Rows as delimited text. Cells that a spreadsheet would run get an apostrophe in front."""
    cleaning = Cleaning()
    cleaned = [[clean_line(cell, cleaning) for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    fix_numbers(cleaned, cleaning)
    if original is not None and delimiter != "\t":
        count_ends(original, cleaning)
    formulas = 0
    for row in cleaned:
        for at, cell in enumerate(row):
            if cell[:1] in ("=", "+", "-", "@") and is_formula(cell):
                row[at] = f"'{cell}"
                formulas += 1
    if formulas:
        rewriting.doubt("formula", Place(table=0), cells=formulas)
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(cleaned)
    made = out.getvalue()
    if original is not None and made != original and not (cleaning.blanks or cleaning.numbers or formulas):
        rewriting.note("quoting_normalised")
    cleaning.report(rewriting)
    return made


def rewrite_text(text: str, rewriting: Rewriting, *, numbers: bool) -> str:
    """Printed text, Markdown, LaTeX; code without `numbers`."""
    cleaning = Cleaning()
    made = clean_text(text, cleaning, numbers=numbers)
    cleaning.report(rewriting)
    return made


def rewrite_json(text: str, rewriting: Rewriting) -> str:
    """JSON with a fixed layout, clean strings and numbers, NaN as a word; what is not JSON is kept as text
    (the rules report it)."""
    cleaning = Cleaning()
    twice = 0

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        made = {clean_characters(key, cleaning): value for key, value in pairs}
        twice += len(pairs) - len(made)
        return made

    def number(literal: str) -> Any:
        value = _float(literal)
        cleaning.numbers += float(literal) != value if isinstance(value, float) else 1
        return value

    try:
        value = json.loads(
            text, object_pairs_hook=members, parse_float=number, parse_constant=lambda name: name
        )
        made = json.dumps(_clean(value, cleaning), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    except (ValueError, RecursionError):
        return rewrite_text(text, rewriting, numbers=True)
    if twice:
        rewriting.doubt("json_duplicate", count=twice)
    if made != text and not (cleaning.hidden or cleaning.numbers):
        rewriting.note("json_rewritten")
    cleaning.report(rewriting)
    return made


def _float(literal: str) -> float | str:
    """The number at its fixed precision; one too large for a float as the text it is."""
    sign, digits = ("-", literal[1:]) if literal.startswith("-") else ("", literal)
    mantissa, _, power = digits.lower().partition("e")
    whole, _, part = mantissa.partition(".")
    value = rounded(whole, part, power or None) if len(power) <= 4 else None
    made = float(f"{sign}{value}") if value is not None else float(literal)
    return made if made - made == 0 else literal[:40]


def _clean(value: Any, cleaning: Cleaning) -> Any:
    if isinstance(value, str):
        return clean_characters(value, cleaning)
    if isinstance(value, list):
        return [_clean(one, cleaning) for one in value]
    if isinstance(value, dict):
        return {key: _clean(one, cleaning) for key, one in value.items()}
    return value

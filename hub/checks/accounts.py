"""The last look at a rewritten file: every number of its bytes is in a table, a text or said to be in none.

The readers of each format should leave nothing out. Where one does, its numbers are found here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from hub.checks.intake import Kind

if TYPE_CHECKING:
    from hub.checks.contents import Contents
    from hub.checks.rewriting import Part

_RUN = re.compile(r"\d+")
_TEXTS = frozenset({Kind.CSV, Kind.TSV, Kind.TEXT, Kind.MARKDOWN, Kind.LATEX, Kind.SCRIPT})
# What a rewritten notebook says of itself; the contents of pictures are looked at as pictures.
_FORM = frozenset({"id", "nbformat", "nbformat_minor", "cell_type", "output_type", "image/png"})


def unaccounted(contents: Contents, part: Part) -> list[str]:
    """The numbers of `part` that `contents`, read from it, does not hold."""
    if part.kind in _TEXTS:
        said: Iterable[str] = [part.data.decode("utf-8", errors="replace")]
    elif part.kind in (Kind.JSON, Kind.NOTEBOOK):
        try:
            value = json.loads(part.data)
        except (ValueError, RecursionError):
            return []  # that it cannot be read is a finding
        said = _leaves(value, _FORM if part.kind is Kind.NOTEBOOK else frozenset())
    else:
        return []
    known = set(_runs(_held(contents)))
    return sorted(set(_runs(said)) - known)


def _held(contents: Contents) -> Iterator[str]:
    for table in contents.tables:
        for row in (table.columns, *table.rows):
            yield from row
    yield from (text.content for text in contents.printed)
    yield from contents.keys
    yield from contents.loose


def _leaves(value: Any, form: frozenset[str]) -> Iterator[str]:
    """Keys and plain values, to any depth."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [part for key, part in one.items() if key not in form]
            yield from (key for key in one if key not in form)
        elif isinstance(one, list):
            waiting += one
        else:
            yield str(one)


def _runs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from _RUN.findall(text)

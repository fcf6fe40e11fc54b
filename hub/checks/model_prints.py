"""Models side by side as statsmodels prints them (`summary_col`): between rulers, a column for each model,
errors in brackets below the estimates."""

from __future__ import annotations

import re

from hub.checks.fixed_widths import Lines, gutters
from hub.checks.r_forms import Print

_RULER = re.compile(r"\s*={10,}\s*")
_LINE = re.compile(r"\s*-{10,}\s*")
_WORD = re.compile(r"\S+")
_ERROR = re.compile(r"\(\d[\d.]*\)")
# What the same program prints below, whatever the models are.
_NOTE = re.compile(r"\s*(?:Standard errors in parentheses\.|\* p<\.1, \*\* p<\.05, \*\*\* ?p<\.01)\s*")
_LONGEST = 200
_LEAST_ERRORS = 2


def models_printed(lines: Lines, at: int) -> Print | None:
    """The table whose ruler is the line `at`; None where there is another."""
    if not _RULER.fullmatch(lines[at]) or at + 4 > len(lines) or not _LINE.fullmatch(lines[at + 2]):
        return None
    end = next((n for n in range(at + 3, min(len(lines), at + _LONGEST)) if _RULER.fullmatch(lines[n])), None)
    head = lines[at + 1]
    models = [(hit.start(), hit.end()) for hit in _WORD.finditer(head)]
    if end is None or not models:
        return None
    body = lines[at + 3 : end]
    spans = [(a, b) for a, b in gutters([head, *body]) if b > models[0][0]]
    if len(spans) != len(models) or any(
        not a <= first < last <= b for (a, b), (first, last) in zip(spans, models, strict=True)
    ):
        return None
    rows = [[line[: spans[0][0]].strip(), *(line[a:b].strip() for a, b in spans)] for line in (head, *body)]
    errors = sum(
        not name and all(_ERROR.fullmatch(cell) for cell in cells if cell) for name, *cells in rows[1:]
    )
    if errors < _LEAST_ERRORS:
        return None
    end += 1
    while end < len(lines) and _NOTE.fullmatch(lines[end]):
        end += 1
    return Print(at, end, rows)

"""The largest or smallest value of a variable in a sentence, a title or a note: that of a single unit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from hub.checks.findings import Finding
from hub.checks.identifiers import Text
from hub.checks.panels import Floats, Panel, fold
from hub.checks.sentences import finding
from hub.checks.tables import number_of
from hub.checks.thresholds import Thresholds

_NUMBER = re.compile(r"(?<![\w.,])[-+−]?(?:\d{1,3}(?:[ ,'’\u00a0\u202f]\d{3})+|\d+)(?:[.,]\d+)?(?!\w)")
_SAID = re.compile(
    r"\b(?:max|maximum|maximal\w*|highest|largest|biggest|richest|top|outliers?"
    r"|plus (?:haute?|hauts|eleve\w*|grand\w*|gros\w*|riches?|forte?)|min|minimum|minimal\w*|lowest|smallest"
    r"|poorest|plus (?:bas|basse|faible|petite?|pauvre)|hochst\w*|grosst\w*|kleinst\w*|niedrigst\w*"
    r"|range|etendue)\b"
)
_LEAST_DIGITS = 4
_LONGEST_LINE = 400
_MOST_NUMBERS = 200


def find_extremes_in_texts(
    texts: Sequence[Text], panels: Sequence[Panel], thresholds: Thresholds
) -> Iterator[Finding]:
    """`extreme` for a line that says which value is the largest or smallest, with a number that is: of so
    many digits that no other value is meant, and held by fewer units than a cell needs."""
    looked = 0
    for text in texts:
        for number, line in enumerate(text.content.splitlines()):
            if len(line) > _LONGEST_LINE or not _SAID.search(fold(line)):
                continue
            for hit in _NUMBER.finditer(line):
                looked += 1
                if looked > _MOST_NUMBERS:
                    return
                word = _extreme_of(hit.group(), panels, thresholds)
                if word is not None:
                    severity = thresholds.severity("extreme")
                    yield finding("extreme", severity, text.place.within(line=number), statistic=word[0],
                                  evidence={"variable": word[1]})  # fmt: skip
                    break


def _extreme_of(text: str, panels: Sequence[Panel], thresholds: Thresholds) -> tuple[str, str] | None:
    """Whether the number is a maximum or minimum, and of which variable."""
    value = number_of(text)
    if value is None or len(value.as_tuple().digits) < _LEAST_DIGITS:
        return None
    tolerance = 0.5 * 10.0 ** min(0, int(value.as_tuple().exponent)) * 1.1
    for panel in panels:
        for name in panel.numeric:
            for word, end in zip(("minimum", "maximum"), panel.span(name), strict=True):
                near = abs(float(value) - end) <= tolerance + 1e-9 * abs(end)
                if near and _held_by_few(panel, name, end, thresholds):
                    return word, name
    return None


def _held_by_few(panel: Panel, name: str, value: float, thresholds: Thresholds) -> bool:
    """Whether fewer units than a cell needs have the value."""
    values: Floats | None = panel.numbers(name)
    if values is None:
        return False
    rows = np.flatnonzero(values == value)
    if not panel.units:
        return rows.size < thresholds.min_units
    return any(np.unique(panel.unit(kind)[0][rows]).size < thresholds.min_units for kind in panel.units)

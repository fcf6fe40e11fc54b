"""Some rows of a panel, as a panel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hub.checks.codes import Codes
from hub.checks.panels import Categories, Floats, Panel, Rows
from hub.checks.runs import Runs, runs_of


class Excerpt(Panel):
    """Some rows of a panel, for guesses that can be seen to be wrong without the others."""

    is_part = True  # few rows are looked at as they are

    def __init__(self, whole: Panel, at: npt.NDArray[np.int64]) -> None:
        super().__init__(whole.part, whole.units, whole.labels, whole.titles, whole.period)
        self._whole = whole
        self._at = at
        self._rows = at.size
        self._own_runs: dict[str, Runs | None] = {}

    def reader(self, name: str) -> Callable[[Rows], Floats] | None:
        """As in the whole panel, of these rows."""
        values = self.numbers(name)
        return None if values is None else lambda rows: values[rows]

    def is_complete(self, name: str) -> bool:
        """As in the whole panel, which may have variables that its file has not."""
        return self._whole.is_complete(name)

    def span(self, name: str) -> tuple[float, float]:
        """As in the whole panel."""
        return self._whole.span(name)

    def _read_numbers(self, name: str) -> Floats | None:
        read = self._whole.reader(name)
        return read(self._at) if read is not None else None

    def few_categories(self, name: str) -> Categories:
        """`categories` of a variable that is known to have few; LookupError naming it where it has more."""
        found = self.categories(name)
        if found is None:
            raise LookupError(f"{name} has too many categories")
        return found

    def _read_categories(self, name: str) -> Categories | None:
        known = self._whole.categories(name)
        return replace(known, make=lambda: known.codes[self._at]) if known is not None else None

    def unit(self, kind: str) -> tuple[Codes, int]:
        """As in the whole panel, of these rows."""
        codes, total = self._whole.unit(kind)
        return codes[self._at], total

    def runs(self, kind: str) -> Runs | None:
        """As in the whole panel, of these rows."""
        if kind not in self._own_runs:
            self._own_runs[kind] = runs_of(self.unit(kind)[0])
        return self._own_runs[kind]

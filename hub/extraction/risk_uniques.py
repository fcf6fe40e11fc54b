"""Minimal sample uniques: the smallest sets of columns that single a person out.

After SUDA (Elliot, Manning, Ford 2002): a set of columns is a minimal unique of a person if nobody else
has the same values in it, and no part of it is enough. The smaller the set, the easier the recognition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from hub.extraction.risk_groups import Codes, Flags, Numbers, combined
from hub.extraction.risk_reports import ColumnShare

MANY_COLUMNS = 12  # beyond, only sets of two are tried: their number grows with the cube


@dataclass(frozen=True)
class MinimalUniques:
    """How many people have a minimal unique of at most `depth` columns, and how many have one of each
    size; the columns by the share of those people for whom they take part in one."""

    depth: int
    people: int
    by_size: dict[int, int]
    columns: tuple[ColumnShare, ...]

    @property
    def leader(self) -> str | None:
        """The column that takes part for most people."""
        return self.columns[0].column if self.people and self.columns else None


def minimal_uniques(columns: Mapping[str, Codes], candidates: Numbers, depth: int = 3) -> MinimalUniques:
    """Of the people `candidates`: who is not alone with all columns is not alone with a part of them."""
    names = list(columns)
    depth = max(1, min(depth if len(names) <= MANY_COLUMNS else 2, len(names)))
    unique: dict[tuple[str, ...], Flags] = {}
    takes_part = {name: np.zeros(len(candidates), dtype=np.bool_) for name in names}
    by_size: dict[int, int] = {}
    for size in range(1, depth + 1):
        anyone = np.zeros(len(candidates), dtype=np.bool_)
        for some in combinations(names, size):
            if not len(candidates):
                break
            alone = _alone(columns, some, candidates)
            # A part one column smaller is unique as soon as any part is.
            parts = [unique[part] for part in combinations(some, size - 1) if part]
            minimal = alone & ~np.any(parts, axis=0) if parts else alone
            for name in some:
                takes_part[name] |= minimal
            anyone |= minimal
            if size < depth:
                unique[some] = alone
        by_size[size] = int(anyone.sum())
    return _summary(depth, takes_part, by_size, len(candidates))


def _alone(columns: Mapping[str, Codes], names: tuple[str, ...], candidates: Numbers) -> Flags:
    some = [columns[name] for name in names]
    return combined(some, len(some[0].numbers)).alone(candidates)


def _summary(
    depth: int, takes_part: Mapping[str, Flags], by_size: dict[int, int], candidates: int
) -> MinimalUniques:
    found = np.any(list(takes_part.values()), axis=0) if candidates else np.zeros(0, dtype=np.bool_)
    people = int(found.sum())
    shares = [
        ColumnShare(column=name, share=int(flags.sum()) / people if people else 0.0)
        for name, flags in takes_part.items()
    ]
    return MinimalUniques(
        depth, people, by_size, tuple(sorted(shares, key=lambda one: (-one.share, one.column)))
    )

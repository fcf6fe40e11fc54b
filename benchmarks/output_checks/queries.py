"""Kinds of output that ACRO can make as well: the same rows and the same query, judged by both.

A query is a table of a few columns of the panel and a call; `printed` is what a researcher would write to a
file with pandas or statsmodels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

from benchmarks.output_checks.panels import Panel

_TRIES = 25
_MOST_CELLS = 150


@dataclass(frozen=True)
class Query:
    """A call of ACRO: `function` crosstab, pivot_table, ols, logit or hist, over the rows of `frame`."""

    function: str
    frame: pd.DataFrame
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def printed(self) -> tuple[str, bytes]:
        """The name and the bytes of the file that the same call gives without ACRO."""
        told = dict(self.arguments)
        if self.function in ("ols", "logit"):
            fitted = getattr(smf, self.function)(told["formula"], self.frame)
            summary = fitted.fit(disp=0).summary() if self.function == "logit" else fitted.fit().summary()
            return "model.txt", str(summary.as_text()).encode()
        if self.function == "hist":
            counts, edges = np.histogram(self.frame[told["column"]].dropna(), bins=told["bins"])
            table = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "count": counts})
            return "histogram.csv", table.to_csv(index=False).encode()
        if self.function == "pivot_table":
            return "pivot.csv", pd.pivot_table(self.frame, **told).to_csv().encode()
        index, columns = self.frame[told["index"]], self.frame[told["columns"]]
        values = {} if told["values"] is None else {"values": self.frame[told["values"]]}
        aggfunc = {} if told["values"] is None else {"aggfunc": told["aggfunc"]}
        return "crosstab.csv", pd.crosstab(index, columns, **values, **aggfunc).to_csv().encode()


@dataclass
class Rows:
    """Two groupings and an amount of a panel, without the rows that lack one of them."""

    panel: Panel
    one: str
    two: str
    of: str
    frame: pd.DataFrame

    @classmethod
    def drawn(cls, panel: Panel, chance: Random) -> Rows:
        one, two = chance.sample(panel.groups, 2)
        of = chance.choice([name for name in panel.amounts if name not in (one, two)])
        names = dict.fromkeys([*panel.units.values(), one, two, of])
        frame = panel.frame.select(list(names)).to_pandas().dropna().reset_index(drop=True)
        return cls(panel, one, two, of, frame)

    def kept(self, keep: pd.Series) -> Rows:
        """The rows of the cells that `keep` holds for."""
        cells = set(keep[keep].index)
        inside = [pair in cells for pair in zip(self.frame[self.one], self.frame[self.two], strict=True)]
        return Rows(self.panel, self.one, self.two, self.of, self.frame[inside].reset_index(drop=True))

    @property
    def cells(self) -> Any:
        return self.frame.groupby([self.one, self.two])

    def units(self) -> pd.Series:
        """The fewest distinct units of each cell."""
        counts = [self.cells[column].nunique() for column in self.panel.units.values()]
        return pd.concat(counts, axis=1).min(axis=1)

    def largest(self) -> pd.Series:
        """The share that one unit has of each cell's amount, whatever its sign."""
        found = []
        for column in self.panel.units.values():
            sums = self.frame.assign(_a=self.frame[self.of].abs()).groupby([self.one, self.two, column])["_a"]
            sums = sums.sum()
            whole = sums.groupby(level=[0, 1]).sum()
            found.append(sums.groupby(level=[0, 1]).max() / whole.where(whole > 0))
        return pd.concat(found, axis=1).max(axis=1).fillna(1.0)

    def even(self) -> bool:
        """Whether every cell of the cross table has units, and none has more than 90 % of its line."""
        table = pd.crosstab(self.frame[self.one], self.frame[self.two]).to_numpy(dtype=float)
        if table.size < 4 or (table == 0).any():
            return False
        shares = np.maximum(table / table.sum(0), table / table.sum(1, keepdims=True))
        return bool(shares.max() <= 0.9)

    def crosstab(self, aggfunc: str | None = None) -> Query:
        values = None if aggfunc is None else self.of
        told = {"index": self.one, "columns": self.two, "values": values, "aggfunc": aggfunc}
        return Query("crosstab", self.frame, told)


def has_small(rows: Rows) -> bool:
    units = rows.units()
    return bool((units < 10).any()) and units.size <= _MOST_CELLS


def enough(rows: Rows) -> bool:
    units = rows.units()
    return bool((units >= 10).all()) and 4 <= units.size <= _MOST_CELLS and rows.even()


def _many_rows(rows: Rows) -> Rows | None:
    """The lines whose cells all have at least ten rows, where one cell has fewer units."""
    sizes = pd.crosstab(rows.frame[rows.one], rows.frame[rows.two])
    lines = sizes.index[(sizes >= 10).all(axis=1)]
    frame = rows.frame[rows.frame[rows.one].isin(lines)].reset_index(drop=True)
    kept = Rows(rows.panel, rows.one, rows.two, rows.of, frame)
    return kept if len(lines) > 1 and has_small(kept) else None


def small_counts(rows: Rows) -> Query | None:
    return rows.crosstab() if has_small(rows) else None


def few_persons(rows: Rows) -> Query | None:
    kept = _many_rows(rows)
    return kept.crosstab() if kept is not None else None


def mean_of_few_persons(rows: Rows) -> Query | None:
    kept = _many_rows(rows)
    return kept.crosstab("mean") if kept is not None else None


def median_of_few_persons(rows: Rows) -> Query | None:
    kept = _many_rows(rows)
    return kept.crosstab("median") if kept is not None else None


def pivot_of_few_persons(rows: Rows) -> Query | None:
    kept = _many_rows(rows)
    return _pivot(kept) if kept is not None else None


def maxima(rows: Rows) -> Query | None:
    return rows.crosstab("max") if enough(rows) else None


def dominated_sums(rows: Rows) -> Query | None:
    units, largest = rows.units(), rows.largest()
    if units.size > _MOST_CELLS or not ((units >= 10) & (largest > 0.5)).any():
        return None
    return rows.kept(units >= 10).crosstab("sum")


def one_sided(rows: Rows) -> Query | None:
    """More than 90 % of a line in one cell; all cells with ten units."""
    table = pd.crosstab(rows.frame[rows.one], rows.frame[rows.two])
    if table.size > _MOST_CELLS or (rows.units() < 10).any() or (table == 0).to_numpy().any():
        return None
    return rows.crosstab() if bool((table.div(table.sum(axis=1), axis=0) > 0.9).to_numpy().any()) else None


def tiny_model(rows: Rows) -> Query | None:
    frame = rows.frame.head(11)
    other = next((a for a in rows.panel.amounts if a != rows.of and a in rows.frame), rows.one)
    return Query("ols", frame, {"formula": f"{rows.of} ~ {other}"}) if frame[other].nunique() > 2 else None


def dummies_of_few(rows: Rows) -> Query | None:
    """A dummy for each cell of two groupings, of which some have a few persons."""
    if not has_small(rows) or rows.units().size > 60 or rows.frame[rows.of].nunique() < 10:
        return None
    return Query("ols", rows.frame, {"formula": f"{rows.of} ~ C({rows.one}) * C({rows.two})"})


def thin_bins(rows: Rows) -> Query | None:
    counts, _ = np.histogram(rows.frame[rows.of], bins=30)
    few = bool(((counts > 0) & (counts < 10)).any())
    return Query("hist", rows.frame[[rows.of]], {"column": rows.of, "bins": 30}) if few else None


def counts(rows: Rows) -> Query | None:
    return rows.crosstab() if enough(rows) else None


def means(rows: Rows) -> Query | None:
    return rows.crosstab("mean") if enough(rows) and rows.largest().max() < 0.3 else None


def sums(rows: Rows) -> Query | None:
    return rows.crosstab("sum") if enough(rows) and rows.largest().max() < 0.3 else None


def pivot(rows: Rows) -> Query | None:
    return _pivot(rows) if enough(rows) and rows.largest().max() < 0.3 else None


def model(rows: Rows) -> Query | None:
    units = rows.frame.groupby(rows.one)[rows.panel.person].nunique()
    if units.min() < 10 or not 2 <= units.size <= 20 or rows.frame[rows.of].nunique() < 10:
        return None
    return Query("ols", rows.frame, {"formula": f"{rows.of} ~ C({rows.one})"})


def binary_model(rows: Rows) -> Query | None:
    if set(rows.frame[rows.two].unique()) != {0, 1} or rows.frame.groupby(rows.two).size().min() < 100:
        return None
    return Query("logit", rows.frame, {"formula": f"{rows.two} ~ {rows.of}"})


def _pivot(rows: Rows) -> Query:
    told = {"index": [rows.one], "columns": [rows.two], "values": [rows.of], "aggfunc": "mean"}
    return Query("pivot_table", rows.frame, told)


Ask = Callable[[Rows], Query | None]

UNSAFE_QUERIES: Mapping[str, Ask] = {
    "acro: small counts": small_counts,
    "acro: few persons behind ten rows": few_persons,
    "acro: mean of few persons": mean_of_few_persons,
    "acro: median of few persons": median_of_few_persons,
    "acro: pivot of few persons": pivot_of_few_persons,
    "acro: maxima": maxima,
    "acro: dominated sums": dominated_sums,
    "acro: more than 90 % of a line": one_sided,
    "acro: model of eleven rows": tiny_model,
    "acro: dummies of few persons": dummies_of_few,
    "acro: thin bins": thin_bins,
}
SAFE_QUERIES: Mapping[str, Ask] = {
    "acro: counts": counts,
    "acro: means": means,
    "acro: sums": sums,
    "acro: pivot": pivot,
    "acro: model": model,
    "acro: binary model": binary_model,
}


def drawn_query(ask: Ask, panel: Panel, chance: Random) -> Query | None:
    """A query of one kind, or None where the panel has none."""
    for _ in range(_TRIES if panel.frame.height < 100_000 else 4):
        query = ask(Rows.drawn(panel, chance))
        if query is not None:
            return query
    return None

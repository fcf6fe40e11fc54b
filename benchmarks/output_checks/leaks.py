"""Outputs of pandas, statsmodels and their users that may not leave: small cells, records, disguises."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from random import Random

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf

from benchmarks.output_checks.by_pandas import (
    cross,
    csv,
    few,
    latex,
    made_by,
    markdown,
    means,
    notebook,
    shown,
    text,
    workbook,
)
from benchmarks.output_checks.cases import File, Make
from benchmarks.output_checks.queries import Rows


@few
def small_page(rows: Rows, chance: Random) -> File:
    del chance
    return text("table.html", cross(rows).to_html())


@few
def small_sheet(rows: Rows, chance: Random) -> File:
    del chance
    return workbook(table=cross(rows))


@few
def small_print(rows: Rows, chance: Random) -> File:
    del chance
    return text("log.txt", cross(rows).to_string() + "\n")


@few
def small_latex(rows: Rows, chance: Random) -> File:
    del chance
    return text("table.tex", latex(cross(rows)))


@few
def small_notebook(rows: Rows, chance: Random) -> File:
    del chance
    return notebook(shown(cross(rows)))


@few
def small_margins(rows: Rows, chance: Random) -> File:
    del chance
    return csv(cross(rows, margins=True))


@few
def small_percent(rows: Rows, chance: Random) -> File:
    table = cross(rows, normalize=chance.choice(["index", "columns", "all"]))
    return csv((100 * table).map(lambda value: f"{value:.1f}%"))


@few
def small_long(rows: Rows, chance: Random) -> File:
    del chance
    table = rows.cells[rows.of].agg(["mean", "count", "std"]).reset_index()
    return csv(table.melt(id_vars=[rows.one, rows.two]), index=False)


@few
def small_pivot(rows: Rows, chance: Random) -> File:
    del chance
    told = {"index": [rows.one], "columns": [rows.two], "values": [rows.of]}
    return csv(pd.pivot_table(rows.frame, **told, aggfunc=["mean", "count"]))


@few
def small_series(rows: Rows, chance: Random) -> File:
    del chance
    return text("log.txt", rows.cells[rows.of].mean().to_string() + "\n")


@few
def counts_in_cells(rows: Rows, chance: Random) -> File:
    del chance
    table = rows.cells[rows.of].agg(["mean", "size"])
    cells = table["mean"].round(2).astype(str) + " [n=" + table["size"].astype(str) + "]"
    return csv(cells.unstack())


@few
def small_report(rows: Rows, chance: Random) -> File:
    del chance
    table = rows.cells[rows.of].agg(["size", "mean"]).round(2)
    return text("report.md", f"# Results\n\n{markdown(table)}")


def bands(rows: Rows, chance: Random) -> File | None:
    band = pd.cut(rows.frame[rows.of], bins=chance.choice([15, 25]))
    table = pd.crosstab(band, rows.frame[rows.one])
    return csv(table) if ((table > 0) & (table < 10)).to_numpy().any() and table.shape[1] > 1 else None


def bins(rows: Rows, chance: Random) -> File | None:
    counts, edges = np.histogram(rows.frame[rows.of], bins=chance.choice([30, 50]))
    if not ((counts > 0) & (counts < 10)).any():
        return None
    return text("hist.json", json.dumps({"of": rows.of, "edges": edges.tolist(), "counts": counts.tolist()}))


def own_subset(rows: Rows, chance: Random) -> File | None:
    """A cross table of those above a value that the file does not name."""
    least = rows.frame[rows.of].quantile(chance.choice([0.6, 0.9]))
    part = Rows(rows.panel, rows.one, rows.two, rows.of, rows.frame[rows.frame[rows.of] > least])
    table = cross(part)
    few_ = ((table > 0) & (table < 10)).to_numpy()
    return csv(table) if few_.any() and 4 <= table.size <= 200 else None


def _values(rows: Rows, chance: Random, size: int = 150) -> pd.DataFrame:
    return rows.frame.sample(min(size, len(rows.frame)), random_state=chance.randrange(10**6))


def shuffled(rows: Rows, chance: Random) -> File:
    return csv(_values(rows, chance)[[rows.of]], index=False)


def sorted_values(rows: Rows, chance: Random) -> File:
    return csv(_values(rows, chance)[[rows.of]].sort_values(rows.of), index=False)


def noisy(rows: Rows, chance: Random) -> File:
    part = _values(rows, chance)[[rows.one, rows.of]].astype({rows.of: float})
    noise = np.random.default_rng(chance.randrange(10**6)).normal(0, 0.03, len(part))
    part[rows.of] = (part[rows.of] * (1 + noise) + noise).round(4)
    return csv(part, index=False)


def scores(rows: Rows, chance: Random) -> File | None:
    part = _values(rows, chance)
    fitted = smf.ols(f"{rows.of} ~ C({rows.one})", part).fit()
    table = fitted.get_influence().summary_frame()[["cooks_d", "hat_diag"]]
    return csv(table.round(6), index=False)


def head(rows: Rows, chance: Random) -> File:
    return notebook(shown(_values(rows, chance, 5)), source="d.head()")


def ranking(rows: Rows, chance: Random) -> File | None:
    top = rows.panel.frame[rows.of].drop_nulls().sort(descending=True).head(chance.choice([5, 10])).to_list()
    return csv(pd.DataFrame({"rank": range(1, len(top) + 1), "value": top}), index=False) if top else None


def extremes(rows: Rows, chance: Random) -> File | None:
    of = chance.choice(["min", "max"])
    if rows.frame[rows.of].nunique() < 20 or rows.frame.groupby(rows.one)[rows.of].agg(of).nunique() < 2:
        return None
    return csv(rows.frame.groupby(rows.one)[rows.of].agg(["mean", of]).round(3))


def whiskers(rows: Rows, chance: Random) -> File:
    del chance
    groups = rows.frame.groupby(rows.one)[rows.of]
    table = groups.quantile([0.25, 0.5, 0.75]).unstack().round(3)
    table.columns = ["q1", "med", "q3"]
    return csv(table.assign(whislo=groups.min(), whishi=groups.max()))


def perfect(rows: Rows, chance: Random) -> File:
    part = _values(rows, chance, 40)[[rows.of]].assign(other=lambda frame: 3 * frame[rows.of] + 1)
    return csv(part.corr().round(3))


def tiny_summary(rows: Rows, chance: Random) -> File | None:
    part = _values(rows, chance, chance.choice([8, 9, 11]))
    if part[rows.of].nunique() < 4 or part[rows.two].nunique() < 2:
        return None
    summary = smf.ols(f"{rows.of} ~ {rows.two}", part).fit().summary()
    return (
        text("model.txt", summary.as_text()) if chance.random() < 0.5 else text("m.tex", summary.as_latex())
    )


def nearly_equal(rows: Rows, chance: Random) -> File | None:
    """Two sheets: all persons, and all but one or two."""
    person = rows.panel.person
    out = chance.sample(list(rows.frame[person].unique()), 2)
    rest = rows.frame[~rows.frame[person].isin(out)]
    tables = [frame.groupby(rows.one).size().to_frame("n") for frame in (rows.frame, rest)]
    if tables[0].shape != tables[1].shape or not 2 <= len(tables[0]) <= 40:
        return None
    return workbook(all=tables[0], restricted=tables[1])


def hidden_sheet(rows: Rows, chance: Random) -> File:
    return workbook(means=means(rows), hidden=_values(rows, chance, 30))


def literal(rows: Rows, chance: Random) -> File:
    person = rows.panel.person
    unit = chance.choice(list(rows.frame[person].unique()))
    return text("clean.py", f"d = d[d.{person} != {unit}]\nprint(d.{rows.of}.mean())\n")


def per_person(rows: Rows, chance: Random) -> File:
    """How many rows some persons have, under the name of their identifier."""
    person = rows.panel.person
    counts = rows.frame[person].value_counts().sample(40, random_state=chance.randrange(10**6))
    return csv(counts.to_frame("n_rows"))


def life_table(rows: Rows, chance: Random) -> File | None:
    values = np.sort(_values(rows, chance, 60)[rows.of].to_numpy())
    times = np.unique(values)
    if times.size < 5:
        return None
    risk = [(values >= time).sum() for time in times]
    events = [(values == time).sum() for time in times]
    survival = np.cumprod([1 - e / r for e, r in zip(events, risk, strict=True)]).round(4)
    table = {"Time": times, "Surv prob": survival, "num at risk": risk, "num events": events}
    return csv(pd.DataFrame(table), index=False)


def script_page(rows: Rows, chance: Random) -> File:
    points = _values(rows, chance, 80)[rows.of].astype(float).tolist()
    return text("plot.html", f"<html><body><script>plot({json.dumps(points)})</script></body></html>")


def points(rows: Rows, chance: Random) -> File:
    part = _values(rows, chance, 60)
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="2"/>' for x, y in zip(part[rows.of], part.index, strict=True)
    )
    return text("scatter.svg", f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 500 500">{dots}</svg>')


def container(rows: Rows, chance: Random) -> File:
    return File(chance.choice(["rows.pkl", "rows.parquet", "rows.csv"]), b"PAR1" + base64.b64encode(
        _values(rows, chance, 20).to_csv().encode()
    ))  # fmt: skip


def cumulated(rows: Rows, chance: Random) -> File | None:
    del chance
    counts = rows.frame[rows.one].value_counts().sort_index()
    return csv(counts.cumsum().to_frame("cumulated")) if (counts < 10).any() and len(counts) > 2 else None


def case(rows: Rows, chance: Random) -> File:
    one = _values(rows, chance, 1).iloc[0]
    return text(
        "notes.md", f"One respondent ({rows.one} {one[rows.one]}) reported {rows.of} {one[rows.of]}.\n"
    )


UNSAFE_BY_PANDAS: Mapping[str, Make] = {
    "small cells in a page": made_by(small_page),
    "small cells in a workbook": made_by(small_sheet),
    "small cells printed": made_by(small_print),
    "small cells in LaTeX": made_by(small_latex),
    "small cells in a notebook": made_by(small_notebook),
    "small cells with margins": made_by(small_margins),
    "small cells as percent": made_by(small_percent),
    "small cells in a long table": made_by(small_long),
    "small cells in a pivot": made_by(small_pivot),
    "small cells in a printed series": made_by(small_series),
    "small cells in a report": made_by(small_report),
    "counts inside cells": made_by(counts_in_cells),
    "own bands": made_by(bands),
    "bins of a histogram": made_by(bins),
    "own subset": made_by(own_subset),
    "shuffled values": made_by(shuffled),
    "sorted values": made_by(sorted_values),
    "values with noise": made_by(noisy),
    "influence by row": made_by(scores),
    "head of the data": made_by(head),
    "ranking": made_by(ranking),
    "extremes by group": made_by(extremes),
    "whiskers": made_by(whiskers),
    "perfect correlation": made_by(perfect),
    "summary of a tiny model": made_by(tiny_summary),
    "nearly equal sheets": made_by(nearly_equal),
    "hidden sheet": made_by(hidden_sheet),
    "unit picked by code": made_by(literal),
    "rows per person": made_by(per_person),
    "life table by event": made_by(life_table),
    "page with a script": made_by(script_page),
    "points of a drawing": made_by(points),
    "container": made_by(container),
    "cumulated counts": made_by(cumulated),
    "a case in words": made_by(case),
}

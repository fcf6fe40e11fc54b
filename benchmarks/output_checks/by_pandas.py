"""Outputs as pandas, statsmodels and their users write them: cross tables, pivots, pages, workbooks, prints.

Each kind draws two groupings and an amount, and answers with a file or, where they do not suit, with none.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pandas as pd
import statsmodels.formula.api as smf

from benchmarks.output_checks.cases import Draw, File, Make
from benchmarks.output_checks.queries import Rows, enough, has_small

Write = Callable[[Rows, Random], "File | None"]


def made_by(write: Write) -> Make:
    """A kind of the evaluation out of a function of drawn rows."""

    def make(draw: Draw) -> File | None:
        return write(Rows.drawn(draw.panel, draw.chance), draw.chance)

    return make


def text(name: str, content: str) -> File:
    return File(name, content.encode())


def csv(table: pd.DataFrame | pd.Series, name: str = "table", **options: Any) -> File:
    return text(f"{name}.csv", table.to_csv(**options))


def markdown(table: pd.DataFrame) -> str:
    """A table as `to_markdown` writes it, without the package that it needs."""
    frame = table.reset_index()
    lines = [[str(name) for name in frame.columns], ["---"] * frame.shape[1]]
    lines += [[str(cell) for cell in row] for row in frame.itertuples(index=False)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def latex(table: pd.DataFrame) -> str:
    """As `to_latex` writes it: names of columns, then of the index; floats with six decimals."""
    heads = [str(table.columns.name or ""), *(_padded(name) for name in table.columns)]
    lines = [heads, [str(table.index.name or ""), *[""] * table.shape[1]]]
    cells = zip(table.index, table.itertuples(index=False), strict=True)
    lines += [[_padded(label), *(_padded(cell) for cell in row)] for label, row in cells]
    body = "\n".join(" & ".join(line).replace("_", "\\_") + r" \\" for line in lines)
    return "\\begin{tabular}{lrr}\n\\toprule\n" + body + "\n\\bottomrule\n\\end{tabular}\n"


def _padded(value: Any) -> str:
    return f"{value:.6f}" if isinstance(value, float) else str(value)


def workbook(**sheets: pd.DataFrame) -> File:
    """Sheets by name; those called hidden… are hidden."""
    out = io.BytesIO()
    with pd.ExcelWriter(out, engine="openpyxl") as writer:
        for name, table in sheets.items():
            table.to_excel(writer, sheet_name=name)
            if name.startswith("hidden"):
                writer.book[name].sheet_state = "hidden"
    return File("tables.xlsx", out.getvalue())


def notebook(*outputs: Mapping[str, Any], source: str = "table") -> File:
    cell = {
        "cell_type": "code", "id": "a1", "metadata": {}, "execution_count": 1, "source": source,
        "outputs": list(outputs),
    }  # fmt: skip
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": [cell]}
    return text("notebook.ipynb", json.dumps(whole))


def shown(table: pd.DataFrame) -> dict[str, Any]:
    data = {"text/plain": table.to_string(), "text/html": table.to_html()}
    return {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}


def cross(rows: Rows, **more: Any) -> pd.DataFrame:
    return pd.crosstab(rows.frame[rows.one], rows.frame[rows.two], **more)


def told(file: File, rows: Rows, by: list[str], *measures: Mapping[str, Any], **more: Any) -> File:
    """The file with what an honest researcher declares of it; `rows` have a value of their amount."""
    where = {"field": rows.of, "operator": "is present"}
    output = {"kind": "table", "table": "units", "by": [{"variable": one} for one in by],
              "measures": list(measures), "where": where, **more}  # fmt: skip
    return File(file.name, file.content, output)


def of_means(file: File, rows: Rows, count: str = "count", mean: str = "mean") -> File:
    measures = ({"stat": "count", "column": count}, {"stat": "mean", "of": rows.of, "column": mean})
    return told(file, rows, [rows.one], *measures)


def of_counts(file: File, rows: Rows) -> File:
    return told(file, rows, [rows.one, rows.two], {"stat": "count", "column": "n"}, spread=True)


def means(rows: Rows) -> pd.DataFrame:
    found = rows.frame.groupby(rows.one)[rows.of].agg(["count", "mean"])
    return found.round(3)


def _quiet(rows: Rows) -> bool:
    """Whether counts and means of the first grouping may leave."""
    groups = rows.frame.groupby(rows.one)
    units = pd.concat([groups[column].nunique() for column in rows.panel.units.values()], axis=1).min(axis=1)
    sizes = groups.size()
    amounts = rows.frame.assign(_a=rows.frame[rows.of].abs())
    for column in rows.panel.units.values():
        tops = amounts.groupby([rows.one, column])["_a"].sum()
        whole = tops.groupby(level=0).sum()
        if not (whole > 0).all() or (tops.groupby(level=0).max() / whole).max() > 0.3:
            return False
    return bool(2 <= units.size <= 60 and units.min() >= 10 and sizes.max() <= 0.9 * sizes.sum())


def quiet(write: Write) -> Write:
    """Only for groupings whose counts and means may leave, over all rows that have both."""

    def made(rows: Rows, chance: Random) -> File | None:
        names = dict.fromkeys([*rows.panel.units.values(), rows.one, rows.of])
        frame = rows.panel.frame.select(list(names)).to_pandas().dropna().reset_index(drop=True)
        own = Rows(rows.panel, rows.one, rows.two, rows.of, frame)
        return write(own, chance) if _quiet(own) else None

    return made


def even(write: Write) -> Write:
    """Only for cross tables that may leave."""
    return lambda rows, chance: write(rows, chance) if enough(rows) else None


def few(write: Write) -> Write:
    """Only where some cell has fewer than ten units."""
    return lambda rows, chance: write(rows, chance) if has_small(rows) else None


@quiet
def report(rows: Rows, chance: Random) -> File:
    del chance
    file = text("report.md", f"# Results\n\nTable 1 shows means by group.\n\n{markdown(means(rows))}")
    return of_means(file, rows)


@quiet
def page(rows: Rows, chance: Random) -> File:
    del chance
    return of_means(text("table.html", means(rows).to_html()), rows)


@quiet
def long_table(rows: Rows, chance: Random) -> File:
    del chance
    return csv(means(rows).reset_index().melt(id_vars=rows.one), index=False)


@quiet
def sheet(rows: Rows, chance: Random) -> File:
    del chance
    return workbook(means=means(rows), counts=means(rows)[["count"]])


@quiet
def series(rows: Rows, chance: Random) -> File:
    del chance
    return text("log.txt", rows.frame.groupby(rows.one)[rows.of].mean().to_string() + "\n")


@quiet
def decimal_commas(rows: Rows, chance: Random) -> File:
    del chance
    table = means(rows).rename(columns={"count": "Effectif", "mean": "Moyenne"})
    return of_means(csv(table, sep=";", decimal=","), rows, "Effectif", "Moyenne")


@quiet
def frequencies(rows: Rows, chance: Random) -> File:
    del chance
    counts = rows.frame[rows.one].value_counts().sort_index()
    file = csv(pd.DataFrame({"Freq.": counts, "Percent": (100 * counts / counts.sum()).round(2)}))
    measures = ({"stat": "count", "column": "Freq."}, {"stat": "share", "column": "Percent"})
    return told(file, rows, [rows.one], *measures)


@quiet
def several_levels(rows: Rows, chance: Random) -> File:
    del chance
    return csv(rows.frame.groupby(rows.one).agg({rows.of: ["mean", "std", "count"]}).round(3))


@quiet
def aggregated_notebook(rows: Rows, chance: Random) -> File:
    del chance
    return of_means(notebook(shown(means(rows))), rows)


@even
def printed_cross(rows: Rows, chance: Random) -> File:
    del chance
    return of_counts(text("log.txt", cross(rows).to_string() + "\n"), rows)


@even
def latex_cross(rows: Rows, chance: Random) -> File:
    del chance
    return of_counts(text("table.tex", latex(cross(rows))), rows)


@even
def pivot(rows: Rows, chance: Random) -> File | None:
    del chance
    if rows.largest().max() > 0.3:
        return None
    told = {"index": [rows.one], "columns": [rows.two], "values": [rows.of]}
    return csv(pd.pivot_table(rows.frame, **told).round(3))


@even
def percent_and_base(rows: Rows, chance: Random) -> File:
    del chance
    table = cross(rows)
    return csv((100 * table.div(table.sum(axis=1), axis=0)).round(1).assign(N=table.sum(axis=1)))


@quiet
def model_summary(rows: Rows, chance: Random) -> File | None:
    del chance
    if rows.frame[rows.of].nunique() < 10:
        return None
    fitted = smf.ols(f"{rows.of} ~ C({rows.one})", rows.frame).fit()
    term = {"variables": [rows.one], "categorical": [rows.one]}
    output = {"kind": "regression", "table": "units", "model": "ols", "outcome": rows.of, "terms": [term]}
    return File("model.txt", fitted.summary().as_text().encode(), output)


def program(rows: Rows, chance: Random) -> File:
    del chance
    return text("table.py", f"import pandas as pd\n\nprint(d.groupby({rows.one!r})[{rows.of!r}].mean())\n")


SAFE_BY_PANDAS: Mapping[str, Make] = {
    "report in Markdown": made_by(report),
    "page": made_by(page),
    "long table": made_by(long_table),
    "workbook": made_by(sheet),
    "printed series": made_by(series),
    "decimal commas": made_by(decimal_commas),
    "frequencies": made_by(frequencies),
    "several levels of heads": made_by(several_levels),
    "notebook of aggregates": made_by(aggregated_notebook),
    "printed cross table": made_by(printed_cross),
    "cross table in LaTeX": made_by(latex_cross),
    "pivot table": made_by(pivot),
    "percent and base": made_by(percent_and_base),
    "summary of a model": made_by(model_summary),
    "program": made_by(program),
}

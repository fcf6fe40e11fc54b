"""Kinds of output that may leave: every number has ten persons and households, and no rule is broken."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from benchmarks.output_checks.cases import Draw, Make, Table, fewest, grouped, plain, publishable, units_of


def _declared(by: list[str], measures: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "kind": "table",
        "table": "units",
        "by": [{"variable": one} for one in by],
        "measures": measures,
        **more,
    }


def _count(column: str = "n") -> dict[str, Any]:
    return {"stat": "count", "column": column}


def _of(stat: str, of: str, column: str, **more: Any) -> dict[str, Any]:
    return {"stat": stat, "of": of, "column": column, **more}


def _enough(table: pl.DataFrame, rows: int = 2) -> bool:
    return table.height >= rows


def _no_group(draw: Draw, frame: pl.DataFrame, by: list[str]) -> bool:
    """Whether no cell has more than 90 % of its row or column, among all rows with both labels."""
    known = draw.frame.drop_nulls(by)
    for axis in by:
        others = [one for one in by if one != axis]
        whole = known.group_by(others).len("_w") if others else known.select(pl.len().alias("_w"))
        joined = frame.join(whole, on=others) if others else frame.join(whole, how="cross")
        if bool((joined["n"] > 0.9 * joined["_w"]).any()):
            return False
    return True


def counts(draw: Draw) -> Table | None:
    by = draw.group()
    table = publishable(draw, grouped(draw, [by]))
    if not _enough(table) or not _no_group(draw, table, [by]):
        return None
    head = draw.chance.choice(["n", "N", "count", "freq", "obs"])
    frame = plain(table).rename({"n": head})
    return Table(frame, _declared([by], [_count(head)]))


def counts_renamed(draw: Draw) -> Table | None:
    by = draw.group()
    table = publishable(draw, grouped(draw, [by]))
    if not _enough(table, 3) or not _no_group(draw, table, [by]):
        return None
    return Table(
        plain(table).rename({by: "category"}),
        _declared([by], [_count()]) | {"by": [{"variable": by, "column": "category"}]},
    )


def counts_two_way(draw: Draw) -> Table | None:
    one = draw.group()
    by = [one, draw.group(one)]
    table = publishable(draw, grouped(draw, by))
    if not _enough(table, 4) or not _no_group(draw, table, by):
        return None
    return Table(plain(table), _declared(by, [_count()]))


def crosstab(draw: Draw, *, totals: bool = False) -> Table | None:
    one = draw.group()
    two = draw.group(one)
    table = grouped(draw, [one, two])
    if table.filter(fewest(draw.panel) < 10).height or not _no_group(draw, table, [one, two]):
        return None
    wide = table.pivot(on=two, index=one, values="n").sort(one)
    if wide.width > 15 or wide.null_count().sum_horizontal().item() or wide.height < 2:
        return None
    if totals:
        wide = wide.with_columns(All=pl.sum_horizontal(pl.exclude(one)))
        last = wide.select(pl.lit("All").alias(one), *[pl.col(c).sum() for c in wide.columns[1:]])
        wide = pl.concat([wide.with_columns(pl.col(one).cast(pl.String)), last])
    output = _declared([one, two], [_count()], spread=True, **({"total": "All"} if totals else {}))
    return Table(wide, output)


def crosstab_totals(draw: Draw) -> Table | None:
    return crosstab(draw, totals=True)


def means(draw: Draw) -> Table | None:
    by, of, digits = draw.group(), draw.amount(), draw.decimals()
    table = publishable(draw, grouped(draw, [by], pl.col(of).mean().round(digits).alias("m"), of=of))
    if not _enough(table):
        return None
    head = draw.chance.choice([f"mean_{of}", of, "mean", f"{of} / mean", f"average {of}"])
    frame = plain(table).rename({"m": head})
    measures = [{"stat": "count", "column": "n"}, _of("mean", of, head)]
    return Table(frame, _declared([by], measures, where={"field": of, "operator": "is present"}))


def means_alone(draw: Draw) -> Table | None:
    by, of, digits = draw.group(), draw.amount(), draw.decimals() + 1
    table = publishable(draw, grouped(draw, [by], pl.col(of).mean().round(digits).alias("m"), of=of))
    if not _enough(table, 3):
        return None
    head = f"mean_{of}"
    return Table(plain(table).drop("n").rename({"m": head}), _declared([by], [_of("mean", of, head)]))


def means_two_way(draw: Draw) -> Table | None:
    one = draw.group()
    by, of, digits = [one, draw.group(one)], draw.amount(), draw.decimals()
    table = publishable(draw, grouped(draw, by, pl.col(of).mean().round(digits).alias("mean"), of=of))
    if not _enough(table, 4):
        return None
    where = {"field": of, "operator": "is present"}
    return Table(plain(table), _declared(by, [_count(), _of("mean", of, "mean")], where=where))


def means_pivot(draw: Draw) -> Table | None:
    one = draw.group()
    two, of, digits = draw.group(one), draw.amount(), draw.decimals()
    table = publishable(draw, grouped(draw, [one, two], pl.col(of).mean().round(digits).alias("mean"), of=of))
    wide = plain(table).pivot(on=two, index=one, values="mean").sort(one)
    if wide.width > 15 or wide.width < 3 or wide.height < 2:
        return None
    return Table(wide, _declared([one, two], [_of("mean", of, "mean")], spread=True))


def sums(draw: Draw) -> Table | None:
    by, of = draw.group(), draw.amount()
    table = publishable(draw, grouped(draw, [by], pl.col(of).sum().round(1).alias("total"), of=of))
    if not _enough(table):
        return None
    where = {"field": of, "operator": "is present"}
    frame = plain(table).rename({"total": f"sum_{of}"})
    return Table(frame, _declared([by], [_count(), _of("sum", of, f"sum_{of}")], where=where))


def moments(draw: Draw) -> Table | None:
    by, of, digits = draw.group(), draw.amount(), draw.decimals()
    more = (pl.col(of).mean().round(digits).alias("mean"), pl.col(of).std().round(digits).alias("sd"))
    table = publishable(draw, grouped(draw, [by], *more, of=of), 15)
    table = table.filter(pl.max_horizontal(pl.col("^_away_.*$")) <= 0.5)  # nobody makes up a deviation
    if not _enough(table):
        return None
    where = {"field": of, "operator": "is present"}
    return Table(
        plain(table), _declared([by], [_count(), _of("mean", of, "mean"), _of("sd", of, "sd")], where=where)
    )


def medians(draw: Draw) -> Table | None:
    by, of = draw.group(), draw.amount()
    table = publishable(draw, grouped(draw, [by], pl.col(of).median().round(3).alias("median"), of=of), 20)
    if not _enough(table):
        return None
    where = {"field": of, "operator": "is present"}
    frame = plain(table).rename({"median": f"median_{of}"})
    return Table(frame, _declared([by], [_count(), _of("median", of, f"median_{of}")], where=where))


def quartiles(draw: Draw) -> Table | None:
    by, of = draw.group(), draw.amount()
    cuts = [pl.col(of).quantile(q, "linear").round(3).alias(f"p{round(100 * q)}") for q in (0.25, 0.5, 0.75)]
    table = publishable(draw, grouped(draw, [by], *cuts, of=of), 40)
    if not _enough(table):
        return None
    measures = [_of("quantile", of, f"p{p}", quantile=p / 100) for p in (25, 50, 75)]
    where = {"field": of, "operator": "is present"}
    return Table(plain(table), _declared([by], [_count(), *measures], where=where))


def shares(draw: Draw) -> Table | None:
    by = draw.group()
    table = grouped(draw, [by])
    if table.filter(fewest(draw.panel) < 10).height or not _no_group(draw, table, [by]) or table.height < 3:
        return None
    frame = plain(table).with_columns(
        percent=(100 * pl.col("n") / pl.col("n").sum()).round(draw.chance.choice([1, 2]))
    )
    return Table(frame, _declared([by], [_count(), {"stat": "share", "column": "percent"}]))


def row_percent(draw: Draw) -> Table | None:
    one = draw.group()
    two = draw.group(one)
    table = grouped(draw, [one, two])
    if table.filter(fewest(draw.panel) < 10).height or not _no_group(draw, table, [one, two]):
        return None
    table = plain(table).with_columns(row_percent=(100 * pl.col("n") / pl.col("n").sum().over(one)).round(2))
    measures = [_count(), {"stat": "share", "column": "row_percent", "within": [one]}]
    return Table(table, _declared([one, two], measures))


def rates(draw: Draw) -> Table | None:
    of = draw.chance.choice(draw.panel.binaries)
    by = draw.group(of)
    frame = draw.frame.drop_nulls([by, of])
    table = grouped(draw, [by], pl.col(of).mean().round(3).alias("rate"), where=pl.col(of).is_not_null())
    for value in (0, 1):
        part = frame.filter(pl.col(of) == value).group_by(by).agg(*units_of(draw.panel))
        part = part.select(by, fewest(draw.panel).alias(f"_side{value}"))
        table = table.join(part, on=by, how="left")
    table = publishable(draw, table).filter(
        (pl.col("_side0").fill_null(0) >= 10) & (pl.col("_side1").fill_null(0) >= 10)
        & pl.col("rate").is_between(0.1, 0.9)
    )  # fmt: skip
    if not _enough(table):
        return None
    where = {"field": of, "operator": "is present"}
    frame = plain(table).rename({"rate": f"{of}_rate"})
    return Table(frame, _declared([by], [_count(), _of("mean", of, f"{of}_rate")], where=where))


def age_bands(draw: Draw) -> Table | None:
    age, of = draw.panel.age, draw.amount()
    low, high = int(draw.frame[age].quantile(0.05) or 0), int(draw.frame[age].quantile(0.95) or 0)
    step = max(2, (high - low) // draw.chance.choice([3, 4, 5]))
    edges = list(range(low, high + step, step))
    labels = [f"{a}-{b - 1}" for a, b in pairwise(edges)]
    at = pl.lit(labels[-1])
    for edge, label in list(zip(edges[1:-1], labels, strict=False))[::-1]:
        at = pl.when(pl.col(age) < edge).then(pl.lit(label)).otherwise(at)
    inside = pl.col(age).is_between(edges[0], edges[-1] - 1)
    banded = Draw(
        type(draw.panel)(
            **{**draw.panel.__dict__, "frame": draw.frame.filter(inside).with_columns(age_group=at)}
        ),
        draw.chance,
    )
    table = publishable(
        banded, grouped(banded, ["age_group"], pl.col(of).mean().round(2).alias("mean"), of=of)
    )
    if not _enough(table):
        return None
    by = [{"variable": age, "breaks": [float(e) for e in edges], "labels": labels, "column": "age_group"}]
    where = {"field": of, "operator": "is present"}
    output = _declared([], [_count(), _of("mean", of, "mean")], where=where) | {"by": by}
    return Table(
        plain(table).rename({"mean": f"mean_{of}"}),
        output | {"measures": [_count(), _of("mean", of, f"mean_{of}")]},
    )


def histogram(draw: Draw) -> Table | None:
    of = draw.amount()
    values = draw.frame[of].drop_nulls().to_numpy()
    low, high = np.quantile(values, [0.02, 0.97])
    step = float(f"{max((high - low) / 10, 1e-3):.1g}")
    edges = [round(float(np.floor(low / step)) * step + step * k, 6) for k in range(11)]
    banded = draw.frame.filter((pl.col(of) >= edges[0]) & (pl.col(of) < edges[-1])).with_columns(
        _bin=((pl.col(of) - edges[0]) / step + 1e-9).floor().cast(pl.Int64)
    )
    rows = []
    for at, (a, b) in enumerate(pairwise(edges)):
        part = banded.filter((pl.col(of) >= a) & (pl.col(of) < b))
        least = min([part[u].n_unique() for u in draw.panel.units.values()], default=0)
        if least < 10:
            return None
        rows.append({"bin": f"[{a:g}, {b:g})", "count": part.height})
        del at
    labels = [row["bin"] for row in rows]
    by = [{"variable": of, "breaks": edges, "labels": labels, "column": "bin"}]
    frame = pl.DataFrame(rows).rename({"bin": f"{of} bin"})
    by[0]["column"] = f"{of} bin"
    return Table(frame, _declared([], [_count("count")]) | {"by": by}, formats=("csv", "tsv"))


def descriptives(draw: Draw) -> Table | None:
    names = draw.chance.sample(draw.panel.amounts, 3)
    rows = [
        {
            "variable": name,
            "mean": round(draw.frame[name].mean(), 3),
            "sd": round(draw.frame[name].std(), 3),
            "n": int(draw.frame[name].count()),
        }
        for name in names
    ]
    return Table(pl.DataFrame(rows))


def _correlation(frame: pl.DataFrame, one: str, two: str) -> float:
    return round(float(frame.select(pl.corr(one, two)).item()), 4)


def correlations(draw: Draw) -> Table | None:
    names = list(draw.panel.amounts[:3])
    frame = draw.frame.select(names).drop_nulls()
    matrix = np.corrcoef(frame.to_numpy().T).round(4)
    if frame.height < draw.frame.height and draw.frame.select(names).null_count().sum_horizontal().item():
        pairs = {(a, b): draw.frame.select(a, b).drop_nulls() for a in names for b in names if a != b}
        matrix = np.array(
            [[1.0 if a == b else _correlation(pairs[a, b], a, b) for b in names] for a in names]
        )
    rows = [
        {"": name, **dict(zip(names, [float(v) for v in line], strict=True))}
        for name, line in zip(names, matrix, strict=True)
    ]
    return Table(pl.DataFrame(rows), formats=("csv", "tsv", "md"))


def by_period(draw: Draw) -> Table | None:
    if draw.panel.period is None:
        return None
    by, of = draw.panel.period, draw.amount()
    table = publishable(draw, grouped(draw, [by], pl.col(of).mean().round(3).alias("mean"), of=of))
    where = {"field": of, "operator": "is present"}
    return Table(
        plain(table), _declared([by], [_count(), _of("mean", of, "mean")], where=where), name=f"{of}_by_year"
    )


def transitions(draw: Draw) -> Table | None:
    """Where persons go from one observation to the next: the moves of many, from states and to states that
    no more than nine in ten come from or go to."""
    period = draw.panel.period
    if period is None:
        return None
    state = draw.group(period)
    frame = draw.frame.drop_nulls(state).sort(draw.panel.person, period)
    if frame.select(draw.panel.person, period).is_duplicated().any():
        return None  # what comes next is not told by the period
    frame = frame.with_columns(next=pl.col(state).shift(-1).over(draw.panel.person)).drop_nulls("next")
    table = frame.group_by(state, "next").agg(pl.len().alias("n"), *units_of(draw.panel)).sort(state, "next")
    largest = [(pl.col("n").max() / pl.col("n").sum()).over(one) for one in (state, "next")]
    table = table.filter(pl.max_horizontal(largest) <= 0.9)
    kept = publishable(draw, table)
    return Table(plain(kept).rename({"next": f"next_{state}"})) if _enough(kept, 6) else None


def subset(draw: Draw) -> Table | None:
    of, by = draw.amount(), draw.group()
    within = draw.group(by)
    value = draw.chance.choice(draw.frame[within].drop_nulls().unique().to_list())
    table = publishable(
        draw,
        grouped(draw, [by], pl.col(of).mean().round(2).alias("mean"), of=of, where=pl.col(within) == value),
    )
    if not _enough(table, 3):
        return None
    where = {
        "and": [
            {"field": within, "operator": "==", "values": [value]},
            {"field": of, "operator": "is present"},
        ]
    }
    frame = plain(table).rename({"mean": f"mean_{of}"})
    return Table(
        frame,
        _declared([by], [_count(), _of("mean", of, f"mean_{of}")], where=where),
        name=f"{within}_{value}",
    )


def rounded(draw: Draw) -> Table | None:
    by, base = draw.group(), draw.chance.choice([5, 10])
    table = publishable(draw, grouped(draw, [by]))
    if not _enough(table, 3) or not _no_group(draw, table, [by]):
        return None
    frame = plain(table).with_columns(n=((pl.col("n") / base + 0.5).floor() * base).cast(pl.Int64))
    return Table(frame, _declared([by], [_count()], rounding=base))


def suppressed(draw: Draw) -> Table | None:
    one = draw.group()
    two = draw.group(one)
    table = grouped(draw, [one, two])
    if not table.filter(fewest(draw.panel) < 10).height or not _no_group(draw, table, [one, two]):
        return None
    mark = draw.chance.choice(["<10", "", "s", "*"])
    table = table.with_columns(
        n=pl.when(fewest(draw.panel) < 10).then(pl.lit(mark)).otherwise(pl.col("n").cast(pl.String))
    )
    if (table["n"] != mark).sum() < 4:
        return None
    return Table(
        plain(table), _declared([one, two], [_count()], suppressed=mark or None), formats=("csv", "tsv")
    )


def persons(draw: Draw) -> Table | None:
    by = draw.group()
    table = publishable(draw, grouped(draw, [by]))
    if not _enough(table) or not _no_group(draw, table, [by]):
        return None
    frame = table.select(by, pl.col("_persons").alias("persons"))
    return Table(frame, _declared([by], [{"stat": "persons", "column": "persons"}]))


def gini(draw: Draw) -> Table | None:
    by = draw.group()
    of = draw.panel.amounts[0]
    table = publishable(draw, grouped(draw, [by], of=of), 20)
    if not _enough(table):
        return None
    rows = []
    for value in table[by].to_list():
        x = np.sort(draw.frame.filter(pl.col(by) == value)[of].drop_nulls().cast(pl.Float64).to_numpy())
        rank = np.arange(1, x.size + 1)
        rows.append({by: value, "gini": round(float((2 * rank - x.size - 1) @ x / (x.size * x.sum())), 4)})
    return Table(
        pl.DataFrame(rows).rename({"gini": f"gini_{of}"}), _declared([by], [_of("gini", of, f"gini_{of}")])
    )


def deciles(draw: Draw) -> Table | None:
    of = draw.amount()
    values = draw.frame[of].drop_nulls()
    rows = [
        {"percentile": f"p{q}0", of: round(float(values.quantile(q / 10, "linear") or 0), 3)}
        for q in range(1, 10)
    ]
    measures = [_of("quantile", of, of, quantile=q / 10) for q in range(1, 10)]
    del measures
    return Table(pl.DataFrame(rows))


def regression(draw: Draw) -> Table | None:
    import statsmodels.api as sm

    outcome = draw.panel.amounts[0]
    terms = [draw.panel.age, *draw.panel.amounts[1:3]]
    frame = draw.frame.select(outcome, *terms).drop_nulls()
    fit = sm.OLS(
        frame[outcome].to_numpy().astype(float), sm.add_constant(frame.select(terms).to_numpy().astype(float))
    ).fit()
    digits = draw.chance.choice([4, 5])
    table = pl.DataFrame(
        {
            "term": ["Intercept", *terms],
            "coef": [round(float(v), digits) for v in fit.params],
            "se": [round(float(v), digits) for v in fit.bse],
        }
    )
    output = {
        "kind": "regression", "table": "units", "model": "ols", "outcome": outcome,
        "terms": [{"variables": [name]} for name in terms],
        "columns": {"term": "term", "estimate": "coef", "se": "se"},
    }  # fmt: skip
    return Table(table, output, formats=("csv", "tsv", "md"))


SAFE: Mapping[str, Make] = {
    "counts": counts,
    "counts renamed": counts_renamed,
    "counts two-way": counts_two_way,
    "crosstab": crosstab,
    "crosstab with totals": crosstab_totals,
    "means": means,
    "means alone": means_alone,
    "means two-way": means_two_way,
    "means spread": means_pivot,
    "sums": sums,
    "mean and sd": moments,
    "medians": medians,
    "quartiles": quartiles,
    "shares": shares,
    "row percent": row_percent,
    "rates": rates,
    "age bands": age_bands,
    "histogram": histogram,
    "descriptives": descriptives,
    "correlations": correlations,
    "by period": by_period,
    "transitions that may leave": transitions,
    "subset": subset,
    "rounded counts": rounded,
    "suppressed counts": suppressed,
    "persons": persons,
    "gini": gini,
    "deciles": deciles,
    "regression": regression,
}

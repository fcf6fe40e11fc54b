"""Kinds of output that may not leave, each with one of the ways in which a table tells about a few units."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import polars as pl

from benchmarks.output_checks.cases import Draw, Make, Table, fewest, grouped, plain
from benchmarks.output_checks.safe import _count, _declared, _of


def _small_by(draw: Draw, axes: int = 2) -> list[str]:
    first = draw.group()
    found = [first]
    while len(found) < axes:
        found.append(draw.group(*found))
    return found


def _with_small(
    draw: Draw, table: pl.DataFrame, *, rows_from: int = 1, most: int = 25
) -> pl.DataFrame | None:
    """Some groups, of which at least one is too small though it has enough rows."""
    small = table.filter((fewest(draw.panel) < 10) & (pl.col("n") >= rows_from))
    large = table.filter(fewest(draw.panel) >= 10)
    if not small.height:
        return None
    kept = pl.concat([small.head(draw.chance.randint(1, 4)), large.head(most)])
    return kept.sort(table.columns[0])


def small_counts(draw: Draw) -> Table | None:
    by = _small_by(draw)
    kept = _with_small(
        draw, grouped(draw, by).filter(pl.col("n") < 10) if draw.chance.random() < 0.2 else grouped(draw, by)
    )
    return None if kept is None else Table(plain(kept), _declared(by, [_count()]))


def few_persons(draw: Draw) -> Table | None:
    by = _small_by(draw)
    kept = _with_small(draw, grouped(draw, by), rows_from=10)
    return None if kept is None else Table(plain(kept), _declared(by, [_count()]))


def few_households(draw: Draw) -> Table | None:
    if draw.panel.household is None:
        return None
    by = _small_by(draw)
    table = grouped(draw, by)
    small = table.filter((pl.col("_households") < 10) & (pl.col("_persons") >= 10))
    if not small.height:
        return None
    large = table.filter(pl.col("_households") >= 10).head(20)
    return Table(plain(pl.concat([small.head(2), large]).sort(by)))


def mean_of_few(draw: Draw) -> Table | None:
    by, of = _small_by(draw), draw.amount()
    table = grouped(draw, by, pl.col(of).mean().round(draw.decimals()).alias("mean"), of=of)
    kept = _with_small(draw, table)
    if kept is None:
        return None
    return Table(
        plain(kept).drop("n").rename({"mean": f"mean_{of}"}), _declared(by, [_of("mean", of, f"mean_{of}")])
    )


def mean_and_rows(draw: Draw) -> Table | None:
    by, of = _small_by(draw), draw.amount()
    table = grouped(draw, by, pl.col(of).mean().round(2).alias("mean"), of=of)
    kept = _with_small(draw, table, rows_from=10)
    return None if kept is None else Table(plain(kept))


def renamed_means(draw: Draw) -> Table | None:
    by, of = _small_by(draw), draw.amount()
    kept = _with_small(draw, grouped(draw, by, pl.col(of).mean().round(3).alias("mean"), of=of))
    if kept is None:
        return None
    frame = plain(kept)
    return Table(frame.rename(dict(zip(frame.columns, ["g1", "g2", "c", "value"], strict=True))))


def sum_of_few(draw: Draw) -> Table | None:
    by, of = _small_by(draw), draw.amount()
    kept = _with_small(draw, grouped(draw, by, pl.col(of).sum().round(1).alias(f"sum_{of}"), of=of))
    return None if kept is None else Table(plain(kept).drop("n"))


def _dominated(draw: Draw, column: str, *, mean: bool) -> Table | None:
    by, of = _small_by(draw, draw.chance.choice([1, 2])), draw.amount()
    value = (pl.col(of).mean() if mean else pl.col(of).sum()).round(2).alias(column)
    table = grouped(draw, by, value, of=of).filter(fewest(draw.panel) >= 10)
    bad = table.filter((pl.col("_top") > 0.55) | (pl.col("_two") > 0.72))
    if not bad.height:
        return None
    kept = pl.concat([bad.head(3), table.filter(pl.col("_two") < 0.5).head(20)]).sort(by)
    return Table(plain(kept).rename({column: f"{column}_{of}"}))


def dominated_sum(draw: Draw) -> Table | None:
    return _dominated(draw, "sum", mean=False)


def dominated_mean(draw: Draw) -> Table | None:
    return _dominated(draw, "mean", mean=True)


def trajectory(draw: Draw) -> Table | None:
    if draw.panel.period is None:
        return None
    person = draw.chance.choice(draw.frame[draw.panel.person].unique().to_list())
    of = [draw.panel.amounts[0], draw.panel.amounts[1]]
    rows = draw.frame.filter(pl.col(draw.panel.person) == person).sort(draw.panel.period)
    if rows.height < 5:
        return None
    return Table(rows.select(draw.panel.period, *of).unique(subset=draw.panel.period, maintain_order=True))


def _extreme(draw: Draw, name: str, head: str) -> Table | None:
    by, of = [draw.group()], draw.amount()
    expression = getattr(pl.col(of), name)().round(3).alias("x")
    table = grouped(draw, by, expression, of=of).filter(fewest(draw.panel) >= 10)
    if table.height < 2:
        return None
    frame = plain(table).rename({"x": head.format(of)})
    return Table(frame, _declared(by, [_count(), _of(name, of, head.format(of))]))


def minima(draw: Draw) -> Table | None:
    return _extreme(draw, "min", draw.chance.choice(["min_{}", "{}", "lowest {}"]))


def maxima(draw: Draw) -> Table | None:
    return _extreme(draw, "max", draw.chance.choice(["max_{}", "{}", "top {}"]))


def described(draw: Draw) -> Table | None:
    names = draw.chance.sample(draw.panel.amounts, 2)
    rows = []
    for word, make in (
        ("count", lambda s: s.count()), ("mean", lambda s: s.mean()), ("std", lambda s: s.std()),
        ("min", lambda s: s.min()),
        ("50%", lambda s: s.median()), ("max", lambda s: s.max()),
    ):  # fmt: skip
        rows.append(
            {"": word, **{name: round(float(make(draw.frame[name].drop_nulls())), 4) for name in names}}
        )
    return Table(pl.DataFrame(rows), formats=("csv", "tsv", "md", "txt"))


def medians_of_few(draw: Draw) -> Table | None:
    by, of = _small_by(draw), draw.amount()
    table = grouped(draw, by, pl.col(of).median().round(3).alias(f"median_{of}"), of=of)
    table = table.filter(fewest(draw.panel) >= 10)
    few = table.filter(fewest(draw.panel) < 20)
    if not few.height:
        return None
    return Table(plain(pl.concat([few.head(3), table.filter(fewest(draw.panel) >= 20).head(20)]).sort(by)))


def tails(draw: Draw) -> Table | None:
    by, of = [draw.group()], draw.amount()
    table = grouped(draw, by, pl.col(of).quantile(0.99, "linear").round(3).alias("p99"), of=of)
    table = table.filter((fewest(draw.panel) >= 10) & (fewest(draw.panel) < 400))
    return Table(plain(table).rename({"p99": f"p99 {of}"})) if table.height >= 2 else None


def one_sided(draw: Draw) -> Table | None:
    """More than 90 % of a row in one cell, all cells with enough units."""
    one = draw.group()
    two = draw.group(one)
    table = grouped(draw, [one, two])
    whole = table.with_columns(_share=pl.col("n") / pl.col("n").sum().over(one))
    if table.filter(fewest(draw.panel) < 10).height or not whole.filter(pl.col("_share") > 0.92).height:
        return None
    wide = plain(table).pivot(on=two, index=one, values="n").sort(one)
    if wide.width > 15 or wide.height < 2 or wide.width < 3:
        return None
    return Table(wide)


def empty_cells(draw: Draw) -> Table | None:
    one = draw.group()
    two = draw.group(one)
    table = grouped(draw, [one, two])
    if table.filter(fewest(draw.panel) < 10).height:
        return None
    wide = plain(table).pivot(on=two, index=one, values="n").sort(one)
    if not wide.null_count().sum_horizontal().item() or wide.width > 15 or wide.width < 3:
        return None
    return Table(wide.fill_null(0))


def raw_rows(draw: Draw) -> Table | None:
    names = [draw.panel.age, *draw.panel.groups[:3], *draw.panel.amounts[:2]]
    return Table(
        draw.sample(draw.chance.choice([25, 60, 200])).select(list(dict.fromkeys(names))), name="data"
    )


def few_raw_rows(draw: Draw) -> Table | None:
    names = [draw.panel.age, *draw.panel.groups[:3], *draw.panel.amounts[:2]]
    return Table(draw.sample(draw.chance.choice([6, 9, 14])).select(list(dict.fromkeys(names))), name="cases")


def renamed_rows(draw: Draw) -> Table | None:
    names = list(dict.fromkeys([*draw.panel.groups[:3], *draw.panel.amounts[:3]]))
    rows = draw.sample(40).select(names)
    return Table(rows.rename({name: f"v{at}" for at, name in enumerate(names)}))


def rounded_rows(draw: Draw) -> Table | None:
    names = [draw.panel.age, *draw.panel.groups[:2], *draw.panel.amounts[:3]]
    rows = draw.sample(50).select(list(dict.fromkeys(names)))
    return Table(rows.with_columns(pl.col(pl.Float64).round(2)))


def copied_column(draw: Draw) -> Table | None:
    of = draw.panel.amounts[0]
    values = (
        draw.frame[of].drop_nulls().sample(draw.chance.choice([60, 200]), seed=draw.chance.randrange(999))
    )
    return Table(pl.DataFrame({draw.chance.choice(["x", of, "value"]): values}), formats=("csv", "tsv"))


def top_earners(draw: Draw) -> Table | None:
    of = draw.panel.amounts[0]
    values = draw.frame[of].drop_nulls().sort(descending=True).head(draw.chance.choice([20, 30]))
    return Table(
        pl.DataFrame({"rank": list(range(1, values.len() + 1)), of: values}), formats=("csv", "tsv", "md")
    )


def _fitted(draw: Draw) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    outcome, terms = draw.panel.amounts[0], [draw.panel.age, *draw.panel.amounts[1:3]]
    frame = draw.frame.select(outcome, *terms).drop_nulls().sample(80, seed=draw.chance.randrange(999))
    x = np.column_stack([np.ones(frame.height), frame.select(terms).to_numpy()]).astype(float)
    y = frame[outcome].to_numpy().astype(float)
    fitted = x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return frame, fitted, y - fitted


def residuals(draw: Draw) -> Table | None:
    _, _, left = _fitted(draw)
    return Table(
        pl.DataFrame({draw.chance.choice(["resid", "residual", "e"]): left.round(5)}), formats=("csv", "tsv")
    )


def fitted_values(draw: Draw) -> Table | None:
    _, fitted, _ = _fitted(draw)
    return Table(
        pl.DataFrame({draw.chance.choice(["fitted", "yhat", "predicted"]): fitted.round(5)}), formats=("csv",)
    )


def by_person(draw: Draw) -> Table | None:
    of = draw.amount()
    table = (
        draw.frame.drop_nulls(of)
        .group_by(draw.panel.person)
        .agg(pl.len().alias("n"), pl.col(of).mean().round(3).alias(f"mean_{of}"))
    )
    return Table(table.sort(draw.panel.person).head(draw.chance.choice([10, 40])))


def undone_suppression(draw: Draw) -> Table | None:
    """One cell suppressed, and the total printed."""
    by = draw.group()
    table = grouped(draw, [by])
    small = table.filter(fewest(draw.panel) < 10)
    if small.height != 1 or table.height < 4:
        return None
    total = int(table["n"].sum())
    frame = plain(table).with_columns(
        pl.col(by).cast(pl.String),
        n=pl.when(fewest_plain(table, draw) < 10).then(pl.lit("<10")).otherwise(pl.col("n").cast(pl.String)),
    )
    last = pl.DataFrame({by: ["Total"], "n": [str(total)]})
    return Table(pl.concat([frame, last]), formats=("csv", "tsv", "md"))


def fewest_plain(table: pl.DataFrame, draw: Draw) -> pl.Series:
    """`fewest` as a column of its own."""
    return table.select(fewest(draw.panel).alias("x"))["x"]


def omitted_group(draw: Draw) -> Table | None:
    """The small group is left out, and the total of all is printed."""
    by = draw.group()
    table = grouped(draw, [by])
    small = table.filter(fewest(draw.panel) < 10)
    if not 1 <= small.height <= 1 or table.height < 4:
        return None
    kept = plain(table.filter(fewest(draw.panel) >= 10)).with_columns(pl.col(by).cast(pl.String))
    last = pl.DataFrame({by: ["All"], "n": [int(table["n"].sum())]}, schema=kept.schema)
    return Table(pl.concat([kept, last]), formats=("csv", "tsv", "md"))


def small_numerator(draw: Draw) -> Table | None:
    one = draw.group()
    two = draw.group(one)
    table = grouped(draw, [one, two])
    table = table.with_columns(share=(100 * pl.col("n") / pl.col("n").sum().over(one)).round(2))
    kept = _with_small(draw, table)
    if kept is None or kept.height < 5:
        return None
    return Table(plain(kept).drop("n").sort(one, two))


def saturated(draw: Draw) -> Table | None:
    """A regression on all cells of two groupings: its coefficients are means of groups that are too small."""
    by, of = _small_by(draw), draw.panel.amounts[0]
    table = grouped(draw, by, pl.col(of).mean().alias("m"), of=of)
    if not table.filter(fewest(draw.panel) < 10).height or table.height > 60 or table.height < 4:
        return None
    base = float(table["m"][0])
    rows = [{"term": "Intercept", "coef": round(base, 5)}]
    for line in table.rows(named=True)[1:]:
        rows.append(
            {
                "term": f"C({by[0]})[T.{line[by[0]]}]:C({by[1]})[T.{line[by[1]]}]",
                "coef": round(line["m"] - base, 5),
            }
        )
    return Table(pl.DataFrame(rows), formats=("csv", "tsv"))


def person_effects(draw: Draw) -> Table | None:
    of = draw.panel.amounts[0]
    table = (
        draw.frame.drop_nulls(of)
        .group_by(draw.panel.person)
        .agg(pl.col(of).mean().alias("m"), pl.len().alias("k"))
    )
    table = table.filter(pl.col("k") >= 3).sort(draw.panel.person).head(30)
    if table.height < 10:
        return None
    rows = [{"term": f"C({draw.panel.person})[T.{p}]", "coef": round(m, 5)} for p, m, _ in table.rows()]
    return Table(pl.DataFrame(rows), formats=("csv", "tsv"))


def tiny_regression(draw: Draw) -> Table | None:
    """A regression on twelve rows; its table says so."""
    import statsmodels.api as sm

    outcome, terms = draw.panel.amounts[0], [draw.panel.age, *draw.panel.amounts[1:3]]
    frame = draw.frame.select(outcome, *terms).drop_nulls().sample(12, seed=draw.chance.randrange(999))
    fit = sm.OLS(
        frame[outcome].to_numpy().astype(float),
        sm.add_constant(frame.select(terms).to_numpy().astype(float), has_constant="add"),
    ).fit()
    rows = [
        {"term": t, "coef": str(round(float(c), 4)), "se": str(round(float(s), 4))}
        for t, c, s in zip(["const", *terms], fit.params, fit.bse, strict=True)
    ]
    rows += [{"term": "N", "coef": "12", "se": ""}, {"term": "df_resid", "coef": "8", "se": ""}]
    return Table(pl.DataFrame(rows), formats=("csv", "md"))


def hidden_subset(draw: Draw) -> Table | None:
    """Means within a combination that the table does not name, each of a few persons."""
    one, of = draw.group(), draw.amount()
    two = draw.group(one)
    within = draw.group(one, two)
    values = draw.frame.drop_nulls([two, within]).select(two, within).unique()
    a, b = draw.chance.choice(values.rows())
    where = (pl.col(two) == a) & (pl.col(within) == b)
    table = grouped(draw, [one], pl.col(of).mean().round(2).alias("mean"), of=of, where=where)
    kept = _with_small(draw, table)
    if kept is None or kept.height < 3:
        return None
    return Table(plain(kept).drop("n").rename({"mean": f"mean_{of}"}))


def twin_tables(draw: Draw) -> Table | None:
    """A table of all, and one without a single person, side by side."""
    by = draw.group()
    table = grouped(draw, [by])
    person = draw.chance.choice(draw.frame[draw.panel.person].unique().to_list())
    without = grouped(draw, [by], where=pl.col(draw.panel.person) != person)
    table = table.filter(fewest(draw.panel) >= 10)
    joined = plain(table).join(plain(without).rename({"n": "n_without"}), on=by)
    return Table(joined) if joined.height >= 2 and not joined["n"].equals(joined["n_without"]) else None


def small_bands(draw: Draw) -> Table | None:
    """Bands of a variable whose last one holds a few persons."""
    of = draw.panel.amounts[0]
    values = draw.frame[of].drop_nulls()
    top = float(values.sort(descending=True)[6])
    edges = [float(values.quantile(q) or 0) for q in (0.0, 0.4, 0.7, 0.9)]
    edges = [round(e, 1) for e in edges] + [round(top, 1), round(float(values.max() or 0) + 1, 1)]
    if sorted(set(edges)) != edges:
        return None
    rows = []
    for a, b in pairwise(edges):
        part = draw.frame.filter((pl.col(of) >= a) & (pl.col(of) < b))
        rows.append({f"{of}_band": f"[{a:g}, {b:g})", f"mean_{of}": round(float(part[of].mean() or 0), 3)})
    return Table(pl.DataFrame(rows), formats=("csv", "tsv"))


def correlation_of_few(draw: Draw) -> Table | None:
    by = _small_by(draw)
    a, b = draw.panel.amounts[0], draw.panel.amounts[1]
    frame = draw.frame.drop_nulls([*by, a, b])
    table = frame.group_by(by).agg(pl.len().alias("_k"), pl.corr(a, b).round(3).alias(f"corr {a} {b}"))
    table = table.filter(pl.col("_k") >= 4).drop_nans().drop_nulls().sort("_k")
    few = table.filter(pl.col("_k") < 9)
    if not few.height:
        return None
    return Table(plain(pl.concat([few.head(3), table.tail(10)]).unique(maintain_order=True)))


def deviation_of_few(draw: Draw) -> Table | None:
    by, of = _small_by(draw), draw.amount()
    table = grouped(draw, by, pl.col(of).std().round(3).alias(f"sd_{of}"), of=of).drop_nulls()
    kept = _with_small(draw, table)
    return None if kept is None else Table(plain(kept).drop("n"))


def rounded_small(draw: Draw) -> Table | None:
    by = _small_by(draw)
    table = grouped(draw, by)
    kept = table.filter(pl.col("n").is_between(3, 7))
    if not kept.height:
        return None
    kept = pl.concat([kept.head(3), table.filter(fewest(draw.panel) >= 10).head(20)]).sort(by)
    return Table(plain(kept).with_columns(n=((pl.col("n") / 5 + 0.5).floor() * 5).cast(pl.Int64)))


def small_crosstab(draw: Draw) -> Table | None:
    one = draw.group()
    two = draw.group(one)
    table = grouped(draw, [one, two])
    wide = plain(table).pivot(on=two, index=one, values="n").sort(one)
    if not table.filter(fewest(draw.panel) < 10).height or not 3 <= wide.width <= 16:
        return None
    return Table(wide)


def small_spread_means(draw: Draw) -> Table | None:
    one = draw.group()
    two, of = draw.group(one), draw.amount()
    table = grouped(draw, [one, two], pl.col(of).mean().round(3).alias("mean"), of=of)
    wide = plain(table).pivot(on=two, index=one, values="mean").sort(one)
    if not table.filter(fewest(draw.panel) < 10).height or not 3 <= wide.width <= 16:
        return None
    return Table(wide)


def few_in_subset(draw: Draw) -> Table | None:
    """Counts within one value of another variable that the name of the file tells."""
    by, within = draw.group(), draw.group()
    if by == within:
        return None
    value = draw.chance.choice(draw.frame[within].drop_nulls().unique().to_list())
    kept = _with_small(draw, grouped(draw, [by], where=pl.col(within) == value), rows_from=10)
    if kept is None or kept.height < 3:
        return None
    return Table(plain(kept), name=f"{within}_{value}")


def unit_columns(draw: Draw) -> Table | None:
    """The identifiers of persons, beside harmless labels."""
    rows = draw.sample(30).select(draw.panel.person, draw.panel.groups[0], draw.panel.amounts[0])
    return Table(rows)


def counts_in_words(draw: Draw) -> Table | None:
    by = draw.group()
    table = grouped(draw, [by])
    kept = _with_small(draw, table)
    return None if kept is None else Table(plain(kept).rename({"n": "effectif"}))


def transition(draw: Draw) -> Table | None:
    """Where persons go from one year to the next, with rare moves."""
    if draw.panel.period is None:
        return None
    state = draw.group(draw.panel.period)
    frame = draw.frame.drop_nulls(state).sort(draw.panel.person, draw.panel.period)
    frame = frame.with_columns(next=pl.col(state).shift(-1).over(draw.panel.person)).drop_nulls("next")
    table = frame.group_by(state, "next").agg(
        pl.len().alias("n"), pl.col(draw.panel.person).n_unique().alias("_persons")
    )
    if not table.filter(pl.col("_persons") < 10).height:
        return None
    return Table(plain(table.sort(state, "next")).rename({"next": f"next_{state}"}))


UNSAFE: Mapping[str, Make] = {
    "small counts": small_counts,
    "few persons behind many rows": few_persons,
    "few households behind enough persons": few_households,
    "mean of a few": mean_of_few,
    "mean of a few with rows": mean_and_rows,
    "renamed means of a few": renamed_means,
    "sum of a few": sum_of_few,
    "dominated sum": dominated_sum,
    "dominated mean": dominated_mean,
    "trajectory of one person": trajectory,
    "minima": minima,
    "maxima": maxima,
    "describe with extremes": described,
    "medians of a few": medians_of_few,
    "tails": tails,
    "more than 90 %": one_sided,
    "empty cells": empty_cells,
    "raw rows": raw_rows,
    "a few raw rows": few_raw_rows,
    "renamed rows": renamed_rows,
    "rounded rows": rounded_rows,
    "copied column": copied_column,
    "top earners": top_earners,
    "residuals": residuals,
    "fitted values": fitted_values,
    "means by person": by_person,
    "suppression undone by the total": undone_suppression,
    "omitted group with total": omitted_group,
    "small numerators": small_numerator,
    "saturated regression": saturated,
    "person effects": person_effects,
    "regression of twelve rows": tiny_regression,
    "hidden subset": hidden_subset,
    "twin tables": twin_tables,
    "small bands": small_bands,
    "correlation of a few": correlation_of_few,
    "deviation of a few": deviation_of_few,
    "rounded small counts": rounded_small,
    "small crosstab": small_crosstab,
    "small spread means": small_spread_means,
    "few in a named subset": few_in_subset,
    "identifiers": unit_columns,
    "counts in French": counts_in_words,
    "transitions": transition,
}

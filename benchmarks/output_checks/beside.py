"""Leaks beside what tables show: in JSON, names, heads and prose; through shares, marks, deviations, edges
and columns that count nearly the same people. With their safe twins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from random import Random

import numpy as np
import pandas as pd

from benchmarks.output_checks.by_pandas import File, csv, made_by, markdown, means, quiet, text
from benchmarks.output_checks.cases import Make
from benchmarks.output_checks.queries import Rows

_FEW = ("two", "six", "deux", "sept", "drei", "neun", "sole", "⑥", "³")
_TITLES = (
    "Table 1. Means by group",
    "# Results\n\n## By group",
    "Tableau 1 : moyennes par groupe",
    "Own survey",
)


def _least(rows: Rows, by: str) -> pd.Series:
    """The fewest units of any kind per group."""
    groups = rows.frame.groupby(by)
    return pd.concat([groups[column].nunique() for column in rows.panel.units.values()], axis=1).min(axis=1)


def _value(rows: Rows, chance: Random) -> float:
    return float(rows.frame[rows.of].sample(1, random_state=chance.randrange(10**6)).iloc[0])


@quiet
def json_beside(rows: Rows, chance: Random) -> File:
    records = means(rows).reset_index().to_dict("records")
    values = [_value(rows, chance) for _ in range(chance.choice([1, 3, 12]))]
    whole = chance.choice(
        [
            {"table": records, **{f"{rows.of}_{at}": value for at, value in enumerate(values)}},
            {f"{rows.of} of one is {values[0]}": records},
            [records, values[0]],
            {**means(rows).reset_index().to_dict("split"), "index": values},
            {"table": records, "rest": {"a": {"b": [values]}}},
        ]
    )
    return text("tables.json", json.dumps(whole))


@quiet
def json_named(rows: Rows, chance: Random) -> File:
    records = means(rows).reset_index().to_dict("records")
    whole = chance.choice(
        [
            {"results": records},
            {"tables": {f"{rows.of}_by_{rows.one}": records}},
            means(rows).reset_index().to_dict("split"),
            [records],
        ]
    )
    return text("tables.json", json.dumps(whole))


def in_name(rows: Rows, chance: Random) -> File:
    said = chance.choice(["max", "n", "alone"])
    name = (
        f"{rows.of}_{said}_{_value(rows, chance):.2f}"
        if said != "n"
        else f"{rows.one}_n{chance.randrange(2, 10)}"
    )
    return csv(means(rows), name=name)


def in_head(rows: Rows, chance: Random) -> File:
    few = chance.randrange(2, 10)
    head = chance.choice(
        [f"mean ({few} left out)", f"mean of {few}", f"mean {_value(rows, chance)}", "mean ⑥"]
    )
    return csv(means(rows).rename(columns={"mean": head}))


def in_prose(rows: Rows, chance: Random) -> File:
    few = chance.choice(_FEW)
    said = chance.choice(
        [
            f"There are only {few} persons in the last group, who earn most.",
            f"Il y a {few} personnes dans le dernier groupe.",
            f"Note {chance.randrange(2, 10)}: the last group. Model {chance.randrange(2, 60)}.",
            "One person of the last group is a man who lives alone. The others are of his family.",
        ]
    )
    table = means(rows)
    return text("report.md", f"# Results\n\n{markdown(table)}\n{said}\n")


@quiet
def beside(rows: Rows, chance: Random) -> File:
    return chance.choice([in_name, in_head, in_prose])(rows, chance)


@quiet
def titled(rows: Rows, chance: Random) -> File:
    return text("report.md", f"{chance.choice(_TITLES)}\n\n{markdown(means(rows))}")


def one_deviation(rows: Rows, chance: Random) -> File | None:
    """Standard deviations of groups that are large enough, of which one unit makes up more than half."""
    large = _least(rows, rows.one) >= 10
    frame = rows.frame[rows.frame[rows.one].isin(large.index[large])]
    away = (frame[rows.of] - frame.groupby(rows.one)[rows.of].transform("mean")) ** 2
    person = rows.panel.person
    sums = away.groupby([frame[rows.one], frame[person]]).sum()
    tops = sums.groupby(level=0).max() / sums.groupby(level=0).sum()
    if not (tops > 0.55).any() or len(tops) < 2:
        return None
    return csv(frame.groupby(rows.one)[rows.of].agg(["count", chance.choice(["std", "var", "sem"])]).round(4))


def few_left_out(rows: Rows, chance: Random) -> File | None:
    """Shares of all, without the lines of the small groups, which together are too few."""
    by = [rows.one] if chance.random() < 0.3 else [rows.one, rows.two]
    groups = rows.frame.groupby(by)
    units = pd.concat([groups[column].nunique() for column in rows.panel.units.values()], axis=1).min(axis=1)
    small = units.index[units < 10]
    left = rows.frame[pd.MultiIndex.from_frame(rows.frame[by]).isin(small)] if len(by) > 1 else (
        rows.frame[rows.frame[rows.one].isin(small)]
    )  # fmt: skip
    few = min(left[column].nunique() for column in rows.panel.units.values())
    if not 0 < few < 10 or not 3 <= (units >= 10).sum() <= 150:
        return None
    counts = groups.size()
    table = pd.DataFrame({"n": counts, "percent": (100 * counts / counts.sum()).round(chance.choice([2, 3]))})
    return csv(table[units >= 10])


def shares_of_shown(rows: Rows, chance: Random) -> File | None:
    """The same of the groups shown."""
    least = _least(rows, rows.one)
    frame = rows.frame[rows.frame[rows.one].isin(least.index[least >= 10])]
    counts = frame[rows.one].value_counts().sort_index()
    if not 3 <= len(counts) <= 60 or counts.max() > 0.9 * counts.sum():
        return None
    share = (100 * counts / counts.sum()).round(chance.choice([2, 3]))
    return csv(pd.DataFrame({"n": counts, "percent": share}))


def telling_marks(rows: Rows, chance: Random) -> File | None:
    """Counts of persons with a mark for each small one that says nearly how many they are."""
    counts = rows.frame.groupby(rows.one)[rows.panel.person].nunique()
    if not ((counts < 10) & (counts > 0)).any() or (counts >= 10).sum() < 3:
        return None
    word = chance.choice(["<{}", "< {}", "less than {}", "moins de {}", "fewer than {}"])
    marked = counts.map(lambda n: str(n) if n >= 10 else word.format(min(9, n + 1)))
    return csv(marked.to_frame("persons"))


def a_few_without(rows: Rows, chance: Random) -> File | None:
    """How many rows groups have, and how many with a value, where a few persons have none."""
    names = dict.fromkeys([*rows.panel.units.values(), rows.one, rows.of])
    frame = rows.panel.frame.select(list(names)).to_pandas().dropna(subset=[rows.one])
    groups = frame.groupby(rows.one)
    gaps = frame[frame[rows.of].isna()].groupby(rows.one)[rows.panel.person].nunique()
    least = groups[rows.panel.person].nunique()
    few = gaps.reindex(least.index).fillna(0)
    if not few.between(1, 9).any() or least.min() < 10 or not 2 <= len(least) <= 60:
        return None
    table = groups.agg(n=(rows.of, "size"), valid=(rows.of, "count"), mean=(rows.of, "mean")).round(3)
    return csv(table.rename(columns={"valid": f"n_{rows.of}", "mean": f"mean_{rows.of}"}).drop(
        columns=chance.choice([[], [f"mean_{rows.of}"]])
    ))  # fmt: skip


def edges(rows: Rows, chance: Random) -> File | None:
    """Bands from the smallest to the largest value, which are those of single persons."""
    values = rows.panel.frame.get_column(rows.of).drop_nulls().to_numpy().astype(float)
    low, high = float(values.min()), float(values.max())
    if (values == high).sum() > 1 or high == int(high) or np.unique(values).size < 100:
        return None
    inner = sorted({round(float(np.quantile(values, share)), 0) for share in (0.3, 0.6, 0.9)})
    outer = high if chance.random() < 0.5 else round(high, 2)
    limits = [min(0.0, np.floor(low)), *inner, outer]
    if any(a >= b for a, b in pairwise(limits)):
        return None
    counts = [((values > a) & (values <= b)).sum() for a, b in pairwise(limits)]
    if min(counts) < 100:
        return None
    labels = [f"({a:g}, {b if b == outer else f'{b:g}'}]" for a, b in pairwise(limits)]
    return csv(pd.DataFrame({rows.of: labels, "n": counts}), index=False)


UNSAFE_BESIDE: Mapping[str, Make] = {
    "values beside a table in JSON": made_by(json_beside),
    "a result beside a table": made_by(beside),
    "deviation of one person": made_by(one_deviation),
    "shares with a few left out": made_by(few_left_out),
    "marks that tell counts": made_by(telling_marks),
    "columns that differ by a few": made_by(a_few_without),
    "extremes as edges": made_by(edges),
}
SAFE_BESIDE: Mapping[str, Make] = {
    "tables under names in JSON": made_by(json_named),
    "table with a title": made_by(titled),
    "shares of those shown": made_by(shares_of_shown),
}

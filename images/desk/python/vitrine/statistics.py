"""The statistics of a declared table, per group, defined as the platform defines them.

sd, variance and se have n - 1 below; quantiles are interpolated (type 7); share is a ratio of 0 to 1; gini is
that of values from 0 on. Missing values of the variable count nowhere but in `count`, `persons` and `share`,
which have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .words import BadArgument

STATISTICS = (
    "count", "persons", "share", "sum", "mean", "median", "quantile", "sd", "variance", "se",
    "ci_low", "ci_high", "min", "max", "gini",
)  # fmt: skip
WITHOUT_VARIABLE = ("count", "persons", "share")
WEIGHTED = ("count", "share", "sum", "mean")
Keys = Sequence[str]


def measure_rows(rows: pd.DataFrame, keys: Keys, measure: Mapping[str, Any], person: str | None) -> pd.Series:
    """The measure's value per group, indexed by the keys (with no key: one value, index 0)."""
    stat, weight = measure["stat"], measure.get("weight")
    if stat not in STATISTICS:
        raise BadArgument("stat", fr=f"une de {', '.join(STATISTICS)}", en=f"one of {', '.join(STATISTICS)}")
    if weight is not None and stat not in WEIGHTED:
        raise BadArgument("weight", fr=f"pas avec « {stat} »", en=f"not with “{stat}”")
    if stat == "persons":
        if person is None:
            raise BadArgument("stat", fr="la table n’a pas de personnes", en="the table has no persons")
        return grouped(rows, keys, lambda part: part[person].nunique())
    if stat in ("count", "share"):
        counts = grouped(rows, keys, lambda part: float(part[weight].sum()) if weight else len(part))
        return counts if stat == "count" else _shares(counts, keys, measure.get("within") or ())
    column = measure["of"]
    if not pd.api.types.is_numeric_dtype(rows[column].dtype):
        raise BadArgument("of", fr=f"« {column} » n’est pas un nombre", en=f"“{column}” is not a number")
    rows = rows[rows[column].notna()]
    if weight is not None:
        return grouped(rows, keys, lambda part: _weighted(part, column, weight, measure))
    return grouped(rows, keys, lambda part: _plain(part[column].to_numpy(dtype="float64"), measure))


def grouped(rows: pd.DataFrame, keys: Keys, value: Callable[[pd.DataFrame], Any]) -> pd.Series:
    """`value` of each group's rows; groups without rows are left out."""
    if not keys:
        return pd.Series([value(rows)])
    parts = {
        key if isinstance(key, tuple) else (key,): value(part)
        for key, part in rows.groupby(list(keys), observed=True, sort=False, dropna=True)
    }
    index = (
        pd.MultiIndex.from_tuples(parts, names=list(keys))
        if parts
        else pd.MultiIndex.from_arrays([[] for _ in keys], names=list(keys))
    )
    return pd.Series(list(parts.values()), index=index)


def _shares(counts: pd.Series, keys: Keys, within: Sequence[str]) -> pd.Series:
    kept = [key for key in keys if key in within]
    if not kept:
        return counts / counts.sum()
    return counts / counts.groupby(level=kept).transform("sum")


def _plain(values: np.ndarray[Any, Any], measure: Mapping[str, Any]) -> float:
    stat = measure["stat"]
    if not len(values):
        return float("nan")
    if stat in ("sd", "variance"):
        if len(values) < 2:
            return float("nan")
        return float(np.std(values, ddof=1) if stat == "sd" else np.var(values, ddof=1))
    if stat in ("se", "ci_low", "ci_high"):
        return _of_mean(values, stat)
    if stat == "gini":
        return _gini(values)
    if stat in ("median", "quantile"):
        return float(np.quantile(values, 0.5 if stat == "median" else measure["quantile"]))
    answers = {"sum": np.sum, "mean": np.mean, "min": np.min, "max": np.max}
    return float(answers[stat](values))


def _of_mean(values: np.ndarray[Any, Any], stat: str) -> float:
    """Standard error of the mean, or an end of its interval of 95 % by the normal distribution."""
    if len(values) < 2:
        return float("nan")
    error = float(np.std(values, ddof=1) / np.sqrt(len(values)))
    side = {"se": 0.0, "ci_low": -1.0, "ci_high": 1.0}[stat]
    return error if stat == "se" else float(values.mean()) + side * 1.959963984540054 * error


def _gini(values: np.ndarray[Any, Any]) -> float:
    ordered, count = np.sort(values), len(values)
    total = ordered.sum()
    if total <= 0:
        return float("nan")
    return float((2 * np.arange(1, count + 1) - count - 1) @ ordered / (count * total))


def _weighted(part: pd.DataFrame, column: str, weight: str, measure: Mapping[str, Any]) -> float:
    stat = measure["stat"]
    part = part[part[weight].notna()]
    values, weights = part[column].to_numpy(dtype="float64"), part[weight].to_numpy(dtype="float64")
    if not len(values) or weights.sum() <= 0:
        return float("nan")
    if stat == "sum":
        return float(values @ weights)
    return float(values @ weights / weights.sum())

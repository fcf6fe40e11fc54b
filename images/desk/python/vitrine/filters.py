"""`where`: the rows a result is about, as the platform's filters: field, operator, values; and, or, not.

    ("age_head", ">=", 18)
    [("age_head", "between", [18, 64]), ("fips", "in", [1, 2])]          all of them
    {"or": [{"field": "MARS", "operator": "==", "values": [2]}, {"not": …}]}

A comparison with a missing value is false, and its `not` therefore true.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .words import BadArgument

OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "is missing", "is present")
Where = dict[str, Any]


def normalise(where: object) -> Where | None:
    """The filter in the form that a declaration has. BadArgument `where` if it is none."""
    if where is None or where == []:
        return None
    if isinstance(where, tuple):
        return _from_tuple(where)
    if isinstance(where, list):
        terms = [term for term in map(normalise, where) if term is not None]
        return terms[0] if len(terms) == 1 else {"and": terms}
    if isinstance(where, dict):
        for word in ("and", "or"):
            if set(where) == {word}:
                return {word: [normalise(term) for term in where[word]]}
        if set(where) == {"not"}:
            return {"not": normalise(where["not"])}
        if {"field", "operator"} <= set(where) <= {"field", "operator", "values"}:
            return _comparison(where["field"], where["operator"], where.get("values", []))
    raise BadArgument(
        "where",
        fr='un filtre est ("variable", "opérateur", valeur), une liste de tels filtres, ou and/or/not',
        en='a filter is ("variable", "operator", value), a list of such filters, or and/or/not',
    )


def _from_tuple(where: tuple[Any, ...]) -> Where:
    if not 2 <= len(where) <= 3:
        raise BadArgument("where", fr="(variable, opérateur, valeur)", en="(variable, operator, value)")
    return _comparison(where[0], where[1], where[2] if len(where) == 3 else [])


def _comparison(field: Any, operator: Any, values: Any) -> Where:
    if isinstance(values, np.ndarray | pd.Series):
        values = values.tolist()
    listed = list(values) if isinstance(values, list | tuple | set) else [values]
    plain = [value.item() if isinstance(value, np.generic) else value for value in listed]
    if operator not in OPERATORS or not isinstance(field, str):
        raise BadArgument(
            "where", fr=f"opérateurs : {', '.join(OPERATORS)}", en=f"operators: {', '.join(OPERATORS)}"
        )
    many = operator in ("in", "not in")
    wanted = {"between": 2, "is missing": 0, "is present": 0}.get(operator, 1)
    if (not plain if many else len(plain) != wanted) or not all(
        isinstance(value, bool | int | float | str) for value in plain
    ):
        raise BadArgument("where", fr=f"valeurs de « {operator} »", en=f"values of “{operator}”")
    return {"field": field, "operator": operator, "values": plain}


def fields(where: Where | None) -> Iterator[str]:
    """Every variable in the filter."""
    if where is None:
        return
    if "field" in where:
        yield where["field"]
    for term in (*where.get("and", ()), *where.get("or", ()), *([where["not"]] if "not" in where else ())):
        yield from fields(term)


def matching(frame: pd.DataFrame, where: Where | None) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows the filter leaves."""
    if where is None:
        return np.ones(len(frame), dtype=bool)
    if "and" in where:
        return np.logical_and.reduce([matching(frame, term) for term in where["and"]])
    if "or" in where:
        return np.logical_or.reduce([matching(frame, term) for term in where["or"]])
    if "not" in where:
        return ~matching(frame, where["not"])
    return _compare(frame[where["field"]], where["operator"], where["values"])


def _compare(column: pd.Series, operator: str, values: Sequence[Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    present = column.notna().to_numpy()
    if operator in ("is missing", "is present"):
        return present if operator == "is present" else ~present
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or _holds_dates(column):
        column, values = pd.to_datetime(column), [pd.Timestamp(value) for value in values]
    first = values[0]
    answers = {
        "==": lambda: column == first,
        "!=": lambda: column != first,
        "<": lambda: column < first,
        "<=": lambda: column <= first,
        ">": lambda: column > first,
        ">=": lambda: column >= first,
        "in": lambda: column.isin(list(values)),
        "not in": lambda: ~column.isin(list(values)),
        "between": lambda: column.between(first, values[-1]),
    }
    answer = answers[operator]()
    return answer.fillna(value=False).to_numpy(dtype=bool) & present


def _holds_dates(column: pd.Series) -> bool:
    return column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) in ("date", "datetime")

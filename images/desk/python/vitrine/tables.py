"""`vitrine.table`: a table made from the extract, its file, and the declaration the platform recomputes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd

from .declarations import column_decimals, result_path, write_result
from .extracts import ExtractTable, read_extract, require_columns, require_untouched, table_behind
from .filters import fields, matching, normalise
from .statistics import WITHOUT_VARIABLE, grouped, measure_rows
from .suppression import suppressed_lines
from .transitions import title_of, with_next, with_transitions
from .words import BadArgument, say

TOTAL = "\0total"
UNITS = "\0units"
RANK = "\0rank"
THRESHOLD = 10


@dataclass(frozen=True)
class Table:
    """A written table. `frame` is what the file shows, `counts` the units behind each of its lines (before
    any spreading), `output` its declaration (None: it has none)."""

    file: str
    frame: pd.DataFrame
    counts: pd.Series
    output: dict[str, Any] | None
    recipe: Recipe

    def small(self, below: int = THRESHOLD) -> int:
        """How many lines have fewer than `below` units and are still shown."""
        return int((self.counts < below).sum()) if self.recipe.below is None else 0

    def __repr__(self) -> str:
        return f"{self.frame!r}\n{self._note()}"

    def _repr_html_(self) -> str:
        return f"{self.frame.to_html(index=False)}<p>{self._note()}</p>"

    def _note(self) -> str:
        note = self.file if self.output is None else f"{self.file} + {self.file}.spec.json"
        small = self.small()
        return f"{note}. {say('small_cells', cells=small, below=THRESHOLD)}" if small else note


@dataclass(frozen=True)
class Recipe:
    """All that makes a table: its declaration's content, and what its printing adds."""

    file: str
    output: dict[str, Any]
    data: object = None
    digits: int = 6
    below: int | None = None
    secondary: bool = True


def table(  # noqa: PLR0913  (one argument per choice of the declaration)
    data: object = None,
    by: str | Sequence[str] = (),
    stat: str | None = None,
    of: str | None = None,
    *,
    file: str | os.PathLike[str],
    measures: Sequence[Mapping[str, Any]] | None = None,
    where: object = None,
    breaks: Mapping[str, Sequence[float]] | Sequence[float] | None = None,
    labels: Mapping[str, Sequence[str]] | Sequence[str] | None = None,
    right: bool = False,
    groups: Mapping[str, Any] | None = None,
    quantile: float | None = None,
    weight: str | None = None,
    within: Sequence[str] | None = None,
    column: str | None = None,
    spread: bool = False,
    total: str | None = None,
    rounding: int | None = None,
    suppress_below: int | None = None,
    secondary: bool = True,
    suppressed: str | None = None,
    table: str | None = None,
    digits: int = 6,
    time: str | None = None,
) -> Table:
    """Make a table of the extract, write it to `file` (.csv) and its declaration beside it.

    One line per group of `by` (numbers cut into bands by `breaks`; codes merged by `groups`: {"South": [1,
    5]}, or such by variable; codes in no group stand for themselves), one column per measure: `stat` `of` a
    variable, or several `measures` ({"stat", "of", "quantile", "weight", "within", "column"}). `where` as in
    vitrine.filters. `spread` puts the last grouping into columns; `total` names total lines. The numbers come
    from the extract itself: `data` (what read_extract() gave, or a table's name) says which table is meant.
    stat="transition" with `time`: from the last variable of `by` in a row to that in the same person's next
    row by `time`, as a count of such pairs, of their persons, and a share of those that leave the state.

    NotDeclarable, and nothing written, if `data` has derived or changed columns, or other rows than `where`
    leaves. BadArgument for what cannot be made.
    """
    names = [by] if isinstance(by, str) else list(by)
    behind = table_behind(data, table)
    listed = (
        list(measures)
        if measures is not None
        else [
            {
                "stat": stat or "count",
                "of": of,
                "quantile": quantile,
                "weight": weight,
                "within": within,
                "column": column,
            }
        ]
    )
    listed = with_transitions(listed, names, time)
    groupings = [
        _grouping(name, _for(breaks, name, names), _for(labels, name, names), right=right)
        | _groups_for(groups, name, names)
        for name in names
    ]
    if time is not None:
        groupings.append({**groupings[-1], "next": True, "column": f"next_{names[-1]}"})
    output: dict[str, Any] = {
        "kind": "table",
        "table": behind.name,
        "by": groupings,
        "measures": [_measure(each) for each in listed],
    }
    optional = {"where": normalise(where), "total": total, "rounding": rounding, "suppressed": suppressed}
    optional["time"] = time
    output |= {name: value for name, value in optional.items() if value is not None}
    if spread:
        output["spread"] = True
    _require_sense(output)
    return make(Recipe(str(result_path(file)), output, data, digits, suppress_below, secondary))


def _for(given: Any, name: str, names: Sequence[str]) -> Any:
    """The bands of one grouping: by name, or the list itself if there is one grouping."""
    if isinstance(given, Mapping) or given is None:
        return (given or {}).get(name)
    if len(names) != 1:
        raise BadArgument("breaks", fr="un dictionnaire par variable", en="a dictionary by variable")
    return given


def _groups_for(given: Any, name: str, names: Sequence[str]) -> dict[str, Any]:
    """The groups of codes of one grouping: by name, or the groups themselves if there is one grouping."""
    if given is None:
        return {}
    if given and all(isinstance(each, Mapping) for each in given.values()) and set(given) <= set(names):
        return {"groups": named_groups(given[name])} if name in given else {}
    if len(names) != 1:
        raise BadArgument("groups", fr="un dictionnaire par variable", en="a dictionary by variable")
    return {"groups": named_groups(given)}


def named_groups(given: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """The codes of each group as a declaration has them; none in two groups."""
    lists = {
        str(label): [] if isinstance(codes, str | Mapping) else list(codes) for label, codes in given.items()
    }
    named = {label: [_code(code) for code in codes] for label, codes in lists.items()}
    codes = [str(code) for each in named.values() for code in each]
    if not named or not all(named.values()) or len(set(codes)) < len(codes):
        raise BadArgument(
            "groups",
            fr="{libellé: [codes]}, chaque code dans un seul groupe",
            en="{label: [codes]}, each code in one group",
        )
    return named


def _code(code: Any) -> Any:
    plain = code.item() if isinstance(code, np.generic) else code
    if not isinstance(plain, str | int | float | bool) or (
        isinstance(plain, float) and not np.isfinite(plain)
    ):
        raise BadArgument("groups", fr="des codes : textes ou nombres", en="codes: texts or numbers")
    return plain


def _grouping(name: str, breaks: Any, labels: Any, *, right: bool) -> dict[str, Any]:
    grouping: dict[str, Any] = {"variable": name}
    if breaks is not None:
        edges = [float(edge) for edge in breaks]
        if len(edges) < 2 or not np.isfinite(edges).all() or sorted(set(edges)) != edges:
            raise BadArgument(
                "breaks",
                fr="au moins deux bornes finies, croissantes",
                en="at least two finite edges, ascending",
            )
        grouping["breaks"] = edges
        if right:
            grouping["right"] = True
        if labels is None and any(f"{edge:g}" != edge_text(edge) for edge in edges):
            labels = band_names(edges, right=right)
        if labels is not None:
            grouping["labels"] = [str(label) for label in labels]
            if len(grouping["labels"]) != len(edges) - 1:
                raise BadArgument("labels", fr="un libellé par classe", en="one label per band")
    elif labels is not None:
        raise BadArgument("labels", fr="seulement avec breaks", en="only with breaks")
    return grouping


def _measure(given: Mapping[str, Any]) -> dict[str, Any]:
    measure = {name: value for name, value in given.items() if value is not None}
    unknown = set(measure) - {"stat", "of", "quantile", "weight", "within", "column"}
    if unknown or "stat" not in measure:
        raise BadArgument(
            "measures",
            fr="stat, of, quantile, weight, within, column",
            en="stat, of, quantile, weight, within, column",
        )
    stat = measure["stat"]
    if ("of" in measure) == (stat in WITHOUT_VARIABLE):
        raise BadArgument(
            "of",
            fr="count, persons et share n’ont pas de variable, toute autre statistique en a une",
            en="count, persons and share have no variable, every other statistic has one",
        )
    if ("quantile" in measure) != (stat == "quantile"):
        raise BadArgument("quantile", fr='va avec stat="quantile"', en='goes with stat="quantile"')
    if "within" in measure:
        measure["within"] = (
            [measure["within"]] if isinstance(measure["within"], str) else list(measure["within"])
        )
    part = f"p{round(100 * measure['quantile'])}" if stat == "quantile" else stat
    measure.setdefault("column", f"{part}_{measure['of']}" if "of" in measure else part)
    return measure


def _require_sense(output: Mapping[str, Any]) -> None:
    groupings, measures = output["by"], output["measures"]
    if not measures:
        raise BadArgument("measures", fr="une mesure au moins", en="at least one measure")
    titles = [title_of(each) for each in groupings] + [each["column"] for each in measures]
    if len(set(titles)) != len(titles):
        raise BadArgument("column", fr="deux colonnes du même nom", en="two columns of the same name")
    if output.get("spread") and (len(measures) != 1 or len(groupings) < 2):
        raise BadArgument(
            "spread",
            fr="une mesure et deux variables de by au moins",
            en="one measure and at least two variables in by",
        )
    if "total" in output and len(groupings) > 2:
        raise BadArgument(
            "total", fr="avec deux variables de by au plus", en="with at most two variables in by"
        )


def make(recipe: Recipe) -> Table:
    """Compute, print and write what the recipe says."""
    output = recipe.output
    behind = table_behind(None, output["table"])
    chosen = _read(recipe, behind)
    keys = [title_of(each) for each in output["by"]]
    person = behind.units.get("person")
    units = list(behind.units.values())
    cells = _cells(chosen, keys, output, person)
    counts = _unit_counts(chosen, keys, output, units)
    lines = _ordered(cells.assign(**{UNITS: counts.reindex(cells.index)}), keys, output)
    hidden = np.zeros(len(lines), dtype=bool)
    if recipe.below is not None:
        hidden = suppressed_lines(
            lines, keys, lines[UNITS], below=recipe.below, secondary=recipe.secondary, total=TOTAL,
            together=_together(chosen, lines, keys, output, units),
        )  # fmt: skip
    shown = _printed(lines, keys, recipe, hidden)
    if output.get("spread"):
        shown = _spread(shown, keys, lines[RANK].to_numpy())
    write_result(result_path(recipe.file), list(shown.columns), shown.to_numpy().tolist(), output)
    return Table(recipe.file, shown, lines[UNITS].reset_index(drop=True), output, recipe)


def _read(recipe: Recipe, behind: ExtractTable) -> pd.DataFrame:
    """The columns in use of the rows that the filter leaves, bands and merged codes in place."""
    output = recipe.output
    where = output.get("where")
    used = [each["variable"] for each in output["by"]]
    for measure in output["measures"]:
        used += [measure[name] for name in ("of", "weight") if name in measure]
    used += [*fields(where), *([output["time"]] if "time" in output else [])]
    require_columns(behind, used)
    rows = read_extract(behind.name, [*used, *behind.units.values()])
    chosen = rows[matching(rows, where)]
    compared = list(dict.fromkeys(used))
    require_untouched(recipe.data, rows[compared], chosen[compared], behind)
    chosen = with_next(chosen, output, behind.units.get("person"))
    for grouping in output["by"]:
        name = title_of(grouping)
        if "breaks" in grouping or "groups" in grouping:
            measured = {each.get("of") for each in output["measures"]} | {
                each.get("weight") for each in output["measures"]
            }
            if name in measured:
                raise BadArgument("by", fr=f"« {name} » est aussi mesurée", en=f"“{name}” is also measured")
            cut = _bands if "breaks" in grouping else _merged
            chosen[name] = cut(chosen[name], grouping)
    if "total" in output:  # totals are of the lines shown: else they would give away those without a group
        chosen = chosen.dropna(subset=[title_of(each) for each in output["by"]])
    return chosen


def _merged(column: pd.Series, grouping: Mapping[str, Any]) -> pd.Series:
    """The name of each code's group; a code in none stands for itself, and no group may be named like it."""
    names = {code: label for label, codes in grouping["groups"].items() for code in codes}
    alone = {key_text(code) for code in column.dropna().unique() if code not in names}
    if alone & set(grouping["groups"]):
        raise BadArgument("groups", fr="un groupe porte le nom d’un code", en="a group is named like a code")
    return column.astype(object).map(lambda code: names.get(code, code))


def _bands(column: pd.Series, grouping: Mapping[str, Any]) -> pd.Series:
    edges, right = grouping["breaks"], grouping.get("right", False)
    labels = grouping.get("labels") or band_names(edges, right=right)
    return pd.cut(column, edges, right=right, labels=labels, ordered=len(set(labels)) == len(labels))


def band_names(edges: Sequence[float], *, right: bool) -> list[str]:
    """ "[18, 40)", or with `right` "(18, 40]": what the bands are called unless they have labels."""
    return [
        f"({edge_text(low)}, {edge_text(high)}]" if right else f"[{edge_text(low)}, {edge_text(high)})"
        for low, high in pairwise(edges)
    ]


def edge_text(edge: float) -> str:
    """An edge as it is written in a band's name: 18, 0.5."""
    return str(int(edge)) if edge == int(edge) else repr(edge)


def _subsets(keys: Sequence[str], output: Mapping[str, Any]) -> list[list[str]]:
    """The groupings to compute: all keys, and with totals every choice of them."""
    if "total" not in output:
        return [list(keys)]
    kept = product((True, False), repeat=len(keys))
    return [[key for key, keep in zip(keys, choice, strict=True) if keep] for choice in kept]


def _whole(values: pd.Series, keys: Sequence[str], kept: Sequence[str]) -> pd.Series:
    """Values per group of `kept`, indexed by all keys: those summed over stand as TOTAL."""
    if not keys:
        return values
    tuples = [
        tuple(
            dict(zip(kept, each if isinstance(each, tuple) else (each,), strict=True)).get(key, TOTAL)
            for key in keys
        )
        for each in (values.index if kept else [()])
    ]
    return pd.Series(values.to_numpy(), index=pd.MultiIndex.from_tuples(tuples, names=list(keys)))


def _cells(
    rows: pd.DataFrame, keys: Sequence[str], output: Mapping[str, Any], person: str | None
) -> pd.DataFrame:
    columns = {}
    for measure in output["measures"]:
        parts = [
            _whole(measure_rows(rows, kept, measure, person), keys, kept) for kept in _subsets(keys, output)
        ]
        columns[measure["column"]] = pd.concat(parts)
    if not keys:
        return pd.DataFrame(columns)
    groups = dict.fromkeys(group for values in columns.values() for group in values.index)
    index = (
        pd.MultiIndex.from_tuples(groups, names=list(keys)) if groups else next(iter(columns.values())).index
    )
    return pd.DataFrame({name: values.reindex(index) for name, values in columns.items()}, index=index)


def _unit_counts(
    rows: pd.DataFrame, keys: Sequence[str], output: Mapping[str, Any], units: Sequence[str]
) -> pd.Series:
    """The fewest distinct units of any type behind a line: rows with a value of every variable measured."""
    valued = _valued(rows, output)
    parts = [
        _whole(grouped(valued, kept, lambda part: _fewest(part, units)), keys, kept)
        for kept in _subsets(keys, output)
    ]
    return pd.concat(parts)


def _valued(rows: pd.DataFrame, output: Mapping[str, Any]) -> pd.DataFrame:
    measured = [each["of"] for each in output["measures"] if "of" in each]
    return rows.dropna(subset=measured) if measured else rows


def _fewest(rows: pd.DataFrame, units: Sequence[str]) -> int:
    return min((rows[unit].nunique() for unit in units), default=len(rows))


def _together(
    rows: pd.DataFrame,
    lines: pd.DataFrame,
    keys: Sequence[str],
    output: Mapping[str, Any],
    units: Sequence[str],
) -> Callable[[Sequence[int]], float]:
    """The fewest distinct units of any type behind several lines together."""
    valued = _valued(rows, output)
    behind: dict[tuple[str, ...], dict[tuple[Any, ...], Any]] = {}

    def rows_of(position: int) -> Any:
        line = lines.iloc[position]
        kept = tuple(key for key in keys if line[key] != TOTAL)
        if not kept:
            return np.arange(len(valued))
        if kept not in behind:
            found = valued.groupby(list(kept), observed=True, sort=False, dropna=True).indices
            behind[kept] = {key if isinstance(key, tuple) else (key,): at for key, at in found.items()}
        return behind[kept].get(tuple(line[key] for key in kept), np.arange(0))

    return lambda positions: _fewest(
        valued.iloc[np.unique(np.concatenate([rows_of(position) for position in positions]))], units
    )


def _ordered(cells: pd.DataFrame, keys: Sequence[str], output: Mapping[str, Any]) -> pd.DataFrame:
    """Lines in the order of their groups (bands by their edges), totals last; the keys as columns."""
    lines = cells.reset_index() if keys else cells.reset_index(drop=True)
    lines[UNITS] = lines[UNITS].fillna(0)
    if not keys:
        return lines
    ranks = pd.DataFrame(index=lines.index)
    for key, grouping in zip(keys, output["by"], strict=True):
        found = [value for value in lines[key].unique() if value != TOTAL]
        if "breaks" in grouping:
            order = list(_bands(pd.Series(dtype="float64"), grouping).cat.categories)
        else:
            order = sorted(found, key=lambda value: (isinstance(value, str), value))
        rank = {value: place for place, value in enumerate(order)}
        ranks[key] = [rank.get(value, len(rank)) for value in lines[key]]
    order = ranks.sort_values(list(keys), kind="stable").index
    lines[RANK] = ranks[keys[-1]]
    return lines.loc[order].reset_index(drop=True)


def _printed(
    lines: pd.DataFrame, keys: Sequence[str], recipe: Recipe, hidden: np.ndarray[Any, Any]
) -> pd.DataFrame:
    """All cells as text, rounded, the hidden ones replaced."""
    output = recipe.output
    shown = pd.DataFrame(index=lines.index)
    for key in keys:
        shown[key] = [output.get("total", "") if value == TOTAL else key_text(value) for value in lines[key]]
    for measure in output["measures"]:
        values = lines[measure["column"]].to_numpy(dtype="float64")
        counted = measure["stat"] in ("count", "persons") and "weight" not in measure
        base = output.get("rounding") if measure["stat"] in ("count", "persons", "sum") else None
        if base:
            values = np.floor(values / base + 0.5) * base
        decimals = 0 if counted or base else column_decimals(values, recipe.digits)
        texts = ["" if np.isnan(value) else f"{value:.{decimals}f}" for value in values]
        empty = output.get("suppressed", "")
        shown[measure["column"]] = [empty if hide else text for text, hide in zip(texts, hidden, strict=True)]
    return shown.astype(object)


def key_text(value: Any) -> str:
    """A group's name as it is printed: 3 for 3.0, 2014-01-01 for that day."""
    if isinstance(value, pd.Timestamp) and value == value.normalize():
        return value.date().isoformat()
    if isinstance(value, float | np.floating) and value == int(value):
        return str(int(value))
    return str(value)


def _spread(shown: pd.DataFrame, keys: Sequence[str], ranks: np.ndarray[Any, Any]) -> pd.DataFrame:
    rest, last = list(keys[:-1]), keys[-1]
    value = shown.columns[-1]
    heads = list(dict.fromkeys(shown[last].iloc[np.argsort(ranks, kind="stable")]))
    if set(heads) & set(rest):
        raise BadArgument(
            "spread", fr="une modalité a le nom d’une colonne", en="a category has a column’s name"
        )
    lines: dict[tuple[str, ...], dict[str, str]] = {}
    for row in shown.to_dict("records"):
        lines.setdefault(tuple(row[key] for key in rest), {})[row[last]] = row[value]
    records = [
        {**dict(zip(rest, names, strict=True)), **{head: cells.get(head, "") for head in heads}}
        for names, cells in lines.items()
    ]
    return pd.DataFrame(records, columns=[*rest, *heads], dtype=object)


def remake(written: Table, **changes: Any) -> Table:
    """The same table with other choices: keys of its declaration, or fields of its recipe."""
    fields_of_recipe = {name: changes.pop(name) for name in ("below", "secondary") if name in changes}
    output = {**written.recipe.output, **changes}
    output = {name: value for name, value in output.items() if value is not None}
    return make(replace(written.recipe, output=output, **fields_of_recipe))

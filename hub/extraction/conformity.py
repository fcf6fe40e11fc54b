"""Does a table say what its dictionary says? The first differing row of each column, never a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from hub.documents.dictionaries import Dictionary, Variable, VariableType
from hub.extraction.filtering import dtype
from hub.extraction.wordings import TYPE_NAMES

Format = Literal["csv", "parquet", "stata"]
_ROW = " row"  # no variable can be called this


@dataclass(frozen=True)
class Difference:
    """Where file and dictionary disagree. `row` counts data rows from 1 (a CSV's header is not one), in the
    file called `file` where the source is a folder."""

    code: str
    column: str | None
    row: int | None
    en: str
    fr: str
    file: str | None = None

    def message(self, language: str) -> str:
        """The sentence in French or English."""
        return self.fr if language.lower().startswith("fr") else self.en


def column_differences(schema: pl.Schema, dictionary: Dictionary, form: Format) -> list[Difference]:
    """Missing and unexpected columns, and columns of another type altogether."""
    found = set(schema.names())
    differences = [
        Difference("missing_column", name, None, f"column {name} is missing", f"la colonne {name} manque")
        for name in dictionary.variables
        if name not in found
    ]
    differences += [
        Difference(
            "unexpected_column",
            name if name.isprintable() else None,
            None,
            f"column {_printable(name)} is not in the dictionary",
            f"la colonne {_printable(name)} n’est pas au dictionnaire",
        )
        for name in schema.names()
        if name not in dictionary.variables
    ]
    differences += [
        _type_difference(name, None, variable)
        for name, variable in dictionary.variables.items()
        if name in found and not _comparable(schema[name], variable.type, form)
    ]
    return differences


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in name)[:60] or "(no name)"


def _comparable(found: pl.DataType, kind: VariableType, form: Format) -> bool:
    """Whether the stored type can hold the declared one; Stata has few types, CSV only text."""
    if form == "csv":
        return True
    numeric = found.is_integer() or (form == "stata" and found.is_float())
    return {
        VariableType.INTEGER: numeric,
        VariableType.FLOAT: found.is_integer() or found.is_float(),
        VariableType.STRING: found == pl.String,
        VariableType.BOOLEAN: found == pl.Boolean or (form == "stata" and numeric),
        VariableType.DATE: found == pl.Date or (form == "stata" and found == pl.Datetime),
    }[kind]


def _type_difference(name: str, row: int | None, variable: Variable) -> Difference:
    where_en, where_fr = ("", "") if row is None else (f", row {row},", f", ligne {row},")
    return Difference(
        "wrong_type",
        name,
        row,
        f"column {name}{where_en} is not of type {variable.type}",
        f"la colonne {name}{where_fr} n’est pas du type {TYPE_NAMES[variable.type].fr}",
    )


def converted(name: str, variable: Variable, found: pl.DataType) -> pl.Expr:
    """The column in the warehouse's type; null where it is missing or not convertible."""
    column = pl.col(name)
    kind = variable.type
    if found == pl.String:
        if kind is VariableType.DATE:
            iso = column.str.contains(r"^\d{4}-\d{2}-\d{2}$")
            return pl.when(iso).then(column).str.to_date("%Y-%m-%d", strict=False).alias(name)
        if kind is VariableType.BOOLEAN:
            return _boolean(column.is_in(["true", "1"]), column.is_in(["false", "0"])).alias(name)
    elif kind is VariableType.BOOLEAN and found != pl.Boolean:
        return _boolean(column == 1, column == 0).alias(name)
    elif kind is VariableType.INTEGER and found.is_float():
        column = pl.when(column == column.floor()).then(column)
    result = column.cast(dtype(kind), strict=False)
    if kind is VariableType.FLOAT:
        result = pl.when(result.is_finite()).then(result)
    return result.alias(name)


def _boolean(true: pl.Expr, false: pl.Expr) -> pl.Expr:
    return pl.when(true).then(pl.lit(value=True)).when(false).then(pl.lit(value=False))


def row_differences(
    table: pl.LazyFrame, dictionary: Dictionary, *, parts: Iterable[pl.LazyFrame] | None = None
) -> tuple[int, list[Difference]]:
    """The number of rows, and per column the first row of a wrong type, missing, or outside its domain.

    `table` has exactly the dictionary's columns. One streaming pass over it or, where given, over `parts`:
    the same rows in their order, one after the other.
    """
    schema = table.collect_schema()
    checks = [
        (name, code, (pl.when(wrong).then(pl.col(_ROW)).min()))
        for name, variable in dictionary.variables.items()
        for code, wrong in _wrong(name, variable, schema[name])
    ]
    aggregates = [check.alias(str(position)) for position, (_, _, check) in enumerate(checks)]
    rows, found = 0, dict[int, int]()
    for part in [table] if parts is None else parts:
        counted = part.with_row_index(_ROW, offset=1).select(pl.len().alias("rows"), *aggregates)
        result = counted.collect(engine="streaming")
        for position in range(len(checks)):
            if (row := result[str(position)].item()) is not None:
                found.setdefault(position, rows + int(row))
        rows += int(result["rows"].item())
    firsts = [(row, *checks[position][:2]) for position, row in found.items()]
    order = {name: position for position, name in enumerate(dictionary.variables)}
    firsts.sort(key=lambda first: (first[0], order[first[1]]))
    return rows, [row_difference(code, name, row, dictionary.variables[name]) for row, name, code in firsts]


def _wrong(name: str, variable: Variable, found: pl.DataType) -> Iterable[tuple[str, pl.Expr]]:
    value = converted(name, variable, found)
    yield "wrong_type", pl.col(name).is_not_null() & value.is_null()
    if not variable.missing_allowed:
        yield "missing_value", pl.col(name).is_null()
    if variable.codes is not None:
        codes = pl.Series([code.value for code in variable.codes], dtype=dtype(variable.type))
        yield "outside_domain", ~value.is_in(codes.implode())
    outside = []
    if variable.minimum is not None:
        outside.append(value < variable.minimum)
    if variable.maximum is not None:
        outside.append(value > variable.maximum)
    if outside:
        yield "outside_domain", pl.any_horizontal(outside)


def row_difference(code: str, name: str, row: int, variable: Variable) -> Difference:
    """The difference `code` (wrong_type, missing_value, outside_domain) of this column and row."""
    if code == "wrong_type":
        return _type_difference(name, row, variable)
    en, fr = {
        "missing_value": ("has no value", "n’a pas de valeur"),
        "outside_domain": ("is outside the value domain", "est hors du domaine de valeurs"),
    }[code]
    return Difference(
        code, name, row, f"column {name}, row {row}, {en}", f"la colonne {name}, ligne {row}, {fr}"
    )


def duplicate_difference(table: pl.LazyFrame, key: tuple[str, ...]) -> Difference | None:
    """The first row whose record key an earlier row has, if any."""
    keys = table.select(key).collect(engine="streaming")
    repeated = keys.select(pl.struct(key).is_first_distinct()).to_series().not_().arg_true()
    if repeated.is_empty():
        return None
    return repeated_key(key, int(repeated[0]) + 1)


def repeated_key(key: tuple[str, ...], row: int) -> Difference:
    """The difference that this row repeats a record key."""
    names = ", ".join(key)
    return Difference(
        "duplicate_key",
        names,
        row,
        f"row {row} repeats the record key ({names}) of an earlier row",
        f"la ligne {row} répète la clé ({names}) d’une ligne antérieure",
    )

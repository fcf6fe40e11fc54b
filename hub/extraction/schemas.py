"""A pandera schema made from a dictionary, and what it finds in a producer's file.

Registration uses the one streaming pass of `conformity`, which is faster; this is what `vitrine source
check` runs, by another library's rules. Both must find the same: a test compares them on broken files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors
from polars.exceptions import PolarsError

from hub.documents.dictionaries import Dictionary, Variable
from hub.extraction.conformity import Difference, converted, duplicate_difference, row_difference
from hub.extraction.files import (
    GivenFile,
    count_differences,
    hash_differences,
    open_file,
    schema_differences,
)
from hub.extraction.filtering import dtype
from hub.extraction.tables import translated

_PIECE = 250_000
_TYPED, _GIVEN = " typed ", " given "  # no variable can be called this


def check_file(path: Path, dictionary: Dictionary) -> tuple[int, list[Difference]]:
    """The number of rows of the file or folder, and where it differs from the dictionary: the first row of
    each kind and column, never a value. Nothing is registered.

    1. Hash, columns and types. 2. Rows, by the schema. 3. The number of rows. 4. Repeated record keys.
    """
    given = open_file(path, dictionary.file.format)
    try:
        with TemporaryDirectory() as folder, given.table(Path(folder)) as table:
            return _check(given, table, dictionary)
    except (OSError, PolarsError) as error:
        raise translated(error) from None


def _check(given: GivenFile, table: pl.LazyFrame, dictionary: Dictionary) -> tuple[int, list[Difference]]:
    wrong_hash = hash_differences(given, dictionary)
    if differences := schema_differences(given, table, dictionary):
        return 0, wrong_hash + differences
    rows, differences = schema_row_differences(table, dictionary)
    placed = [given.placed(difference) for difference in differences]
    differences = [*wrong_hash, *count_differences(rows, dictionary), *placed]
    if not placed:
        schema = table.collect_schema()
        key = [converted(name, dictionary.variables[name], schema[name]) for name in dictionary.record.key]
        duplicate = duplicate_difference(table.select(key), dictionary.record.key)
        differences += [] if duplicate is None else [given.placed(duplicate)]
    return rows, differences


def schema_of(dictionary: Dictionary) -> pa.DataFrameSchema:
    """The schema of a table that `_prepared` has made ready: the values in the warehouse's types, and beside
    each whether it was of its type and whether it was there."""
    columns: dict[str, pa.Column] = {}
    for name, variable in dictionary.variables.items():
        columns[_TYPED + name] = pa.Column(pl.Boolean, pa.Check.equal_to(True))  # noqa: FBT003  # a value
        if not variable.missing_allowed:
            columns[_GIVEN + name] = pa.Column(pl.Boolean, pa.Check.equal_to(True))  # noqa: FBT003
        columns[name] = pa.Column(dtype(variable.type), _checks(variable), nullable=True)
    return pa.DataFrameSchema(columns, strict=True)


def _checks(variable: Variable) -> list[pa.Check]:
    checks = []
    if variable.codes is not None:
        checks.append(pa.Check.isin([code.value for code in variable.codes]))
    if variable.minimum is not None:
        checks.append(pa.Check.greater_than_or_equal_to(variable.minimum))
    if variable.maximum is not None:
        checks.append(pa.Check.less_than_or_equal_to(variable.maximum))
    return checks


def schema_row_differences(table: pl.LazyFrame, dictionary: Dictionary) -> tuple[int, list[Difference]]:
    """What `conformity.row_differences` finds, found by pandera: the number of rows, and per column the
    first row of a wrong type, missing, or outside its domain."""
    schema = schema_of(dictionary)
    found = table.collect_schema()
    prepared = table.select(
        [
            one
            for name, variable in dictionary.variables.items()
            for one in _prepared(name, variable, found[name])
        ]
    )
    rows = 0
    firsts: dict[tuple[str, str], int] = {}
    for piece in prepared.collect_batches(chunk_size=_PIECE, maintain_order=True, engine="streaming"):
        for name, code, row in _failures(schema, piece):
            firsts.setdefault((name, code), rows + row + 1)
        rows += piece.height
    order = {name: position for position, name in enumerate(dictionary.variables)}
    sorted_firsts = sorted((row, order[name], name, code) for (name, code), row in firsts.items())
    return rows, [
        row_difference(code, name, row, dictionary.variables[name]) for row, _, name, code in sorted_firsts
    ]


def _prepared(name: str, variable: Variable, found: pl.DataType) -> Iterator[pl.Expr]:
    value = converted(name, variable, found)
    there = pl.col(name).is_not_null()
    yield (~there | value.is_not_null()).alias(_TYPED + name)
    if not variable.missing_allowed:
        yield there.alias(_GIVEN + name)
    yield value


def _failures(schema: pa.DataFrameSchema, piece: pl.DataFrame) -> list[tuple[str, str, int]]:
    """Column, code and first row (from 0) of every check that fails, the smallest row first."""
    try:
        schema.validate(piece, lazy=True)
    except SchemaErrors as errors:
        found = []
        for error in errors.schema_errors:
            outcome = error.check_output
            name = error.schema.name
            if not isinstance(outcome, pl.DataFrame) or not isinstance(name, str):
                raise  # not a failing row: the schema and the prepared table do not fit each other
            row = int(outcome["check_output"].not_().arg_true()[0])
            found.append((*_named(name), row))
        return sorted(found, key=lambda failure: failure[2])
    return []


def _named(column: str) -> tuple[str, str]:
    """The variable and the code behind a column of the schema."""
    for prefix, code in ((_TYPED, "wrong_type"), (_GIVEN, "missing_value")):
        if column.startswith(prefix):
            return column.removeprefix(prefix), code
    return column, "outside_domain"

"""Columns at their level: the scheme that fits a variable, and values turned into its classes."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from hub.documents import Document
from hub.documents.classes import BandScheme, ClassScheme, ClassSchemes, DateScheme, GroupScheme
from hub.documents.dictionaries import Dictionary, Sha256, Variable, VariableType
from hub.documents.projects import ColumnRequest
from hub.domain.errors import Refused
from hub.domain.levels import Level, choose_level

# No class has this code: what falls outside a scheme is marked with it and then refused.
OUTSIDE = -1
_CODE = pl.Int16()
_EVERY = {"month": "1mo", "quarter": "1q", "year": "1y"}


class PlannedColumn(Document):
    """A column as it will be delivered: its level, and the exact class scheme that makes it. `asked`: the
    finer level that was asked for, where a rule did not allow it."""

    name: str
    level: Level
    scheme: str | None = None
    scheme_sha256: Sha256 | None = None
    justification: str = ""
    asked: Level | None = None


def plan_column(
    request: ColumnRequest, dictionary: Dictionary, schemes: ClassSchemes, *, field: str
) -> PlannedColumn:
    """The column that `request` asks for; Refused naming `field` or the part of it at fault."""
    name = request.variable
    variable = dictionary.variables.get(name)
    if variable is None:
        raise Refused(
            "unknown_variable",
            f"The source has no variable {name}.",
            f"La source n’a pas de variable {name}.",
            field=field,
        )
    if not variable.deliverable:
        raise Refused(
            "direct_identifier",
            f"{name} identifies units directly and is never delivered.",
            f"{name} identifie directement les unités et n’est jamais livrée.",
            field=field,
        )
    level = choose_level(variable.offered, request.level, request.justification, name=name, field=field)
    scheme_name = variable.offered[level]
    scheme = None if scheme_name is None else fitting_scheme(name, variable, scheme_name, schemes, field)
    return PlannedColumn(
        name=name,
        level=level,
        scheme=scheme_name,
        scheme_sha256=None if scheme is None else scheme.digest,
        justification=request.justification.strip(),
    )


def check_schemes(dictionary: Dictionary, schemes: ClassSchemes) -> None:
    """Return only if every level of every variable can be made; Refused naming variable and level."""
    for name, variable in dictionary.variables.items():
        for level, scheme in variable.offered.items():
            if scheme is not None:
                fitting_scheme(name, variable, scheme, schemes, f"variables.{name}.levels.{level}")


def fitting_scheme(
    name: str, variable: Variable, scheme_name: str, schemes: ClassSchemes, field: str
) -> ClassScheme:
    """The class scheme of this name, which has a class for every value that the variable may have."""
    scheme = schemes.get(scheme_name)
    if scheme is None:
        raise Refused(
            "unknown_scheme",
            f"There is no class scheme {scheme_name} among the policies.",
            f"Il n’y a pas de nomenclature {scheme_name} parmi les règles.",
            field=field,
        )
    if not _covers(scheme, variable):
        raise Refused(
            "scheme_does_not_fit",
            f"The class scheme {scheme_name} does not cover the value domain of {name}.",
            f"La nomenclature {scheme_name} ne couvre pas le domaine de valeurs de {name}.",
            field=field,
        )
    return scheme


def _covers(scheme: ClassScheme, variable: Variable) -> bool:
    if isinstance(scheme, DateScheme):
        return variable.type is VariableType.DATE
    codes = None if variable.codes is None else {code.value for code in variable.codes}
    if isinstance(scheme, GroupScheme):
        return codes is not None and codes <= {member for group in scheme.classes for member in group.members}
    if variable.type not in (VariableType.INTEGER, VariableType.FLOAT):
        return False
    least, most = variable.minimum, variable.maximum
    if codes is not None:
        numbers = [code for code in codes if isinstance(code, int)]
        least, most = min(numbers), max(numbers)
    above = scheme.lowest is None or (least is not None and least >= scheme.lowest)
    highest = scheme.classes[-1].below
    return above and (highest is None or (most is not None and most < highest))


def delivered(column: PlannedColumn, schemes: ClassSchemes) -> pl.Expr:
    """The column as it leaves: missing stays missing, what no class has (NaN too) becomes OUTSIDE."""
    values = pl.col(column.name)
    if column.scheme is None:
        return values
    scheme = schemes[column.scheme]
    if isinstance(scheme, DateScheme):
        return _cut(values, scheme)
    found = _band(values, scheme) if isinstance(scheme, BandScheme) else _group(values, scheme)
    return pl.when(values.is_not_null()).then(found).alias(column.name)


def _cut(values: pl.Expr, scheme: DateScheme) -> pl.Expr:
    """The first day of the period of each date."""
    if scheme.cut == "month":  # in half the time of truncate
        return (values.to_physical() + 1 - values.dt.day()).cast(pl.Date)
    return values.dt.truncate(_EVERY[scheme.cut])


def _band(values: pl.Expr, scheme: BandScheme) -> pl.Expr:
    """How many edges a value has reached is the number of its band, from 1 where there is a lowest."""
    edges = [edge for edge in (scheme.lowest, *(band.below for band in scheme.classes)) if edge is not None]
    below = [] if scheme.lowest is None else [OUTSIDE]
    above = [] if scheme.classes[-1].below is None else [OUTSIDE]
    codes = pl.Series([*below, *(band.code for band in scheme.classes), *above], dtype=_CODE)

    def classed(numbers: pl.Series) -> pl.Series:
        whole = numbers.dtype.is_integer() and all(isinstance(edge, int) for edge in edges)
        kind = pl.Int64() if whole else pl.Float64()
        return codes.gather(pl.Series(edges, dtype=kind).search_sorted(numbers.cast(kind), side="right"))

    # NaN is above every number to Polars: it would look like the top class.
    finite = values.cast(pl.Float64).is_finite()
    found = values.map_batches(classed, return_dtype=_CODE, is_elementwise=True)
    return pl.when(finite).then(found).otherwise(pl.lit(OUTSIDE, _CODE))


def _group(values: pl.Expr, scheme: GroupScheme) -> pl.Expr:
    codes = {member: group.code for group in scheme.classes for member in group.members}
    return values.replace_strict(codes, default=OUTSIDE, return_dtype=_CODE)


def check_delivered(table: pl.LazyFrame, columns: Iterable[PlannedColumn], schemes: ClassSchemes) -> None:
    """Return only if every value of the written columns is one of its scheme; Refused otherwise."""
    wrong = [
        _foreign(pl.col(column.name), schemes[column.scheme]).any().alias(column.name)
        for column in columns
        if column.scheme is not None
    ]
    if not wrong:
        return
    found = table.select(wrong).collect(engine="streaming").row(0, named=True)
    for name, outside in found.items():
        if outside:
            raise Refused(
                "outside_scheme",
                f"A value of {name} belongs to no class of its scheme.",
                f"Une valeur de {name} n’appartient à aucune classe de sa nomenclature.",
                field="extract.columns",
            )


def _foreign(values: pl.Expr, scheme: ClassScheme) -> pl.Expr:
    if isinstance(scheme, DateScheme):
        return (values != _cut(values, scheme)).fill_null(value=False)
    codes = pl.Series([one.code for one in scheme.classes], dtype=_CODE)
    return (~values.is_in(codes.implode())).fill_null(value=False)

"""Row filters as documents: field, operator, values; and, or, not. Never Python or SQL.

    and:
      - {field: age_head, operator: between, values: [18, 64]}
      - not: {field: fips, operator: in, values: [2, 15]}

A comparison with a missing value is false (and its `not` therefore true).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from hub.documents.base import Document, bad_value

Scalar = bool | int | float | str


class Operator(StrEnum):
    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    IN = "in"
    NOT_IN = "not in"
    BETWEEN = "between"
    MISSING = "is missing"
    PRESENT = "is present"


_COUNTS = {Operator.IN: (1, 1000), Operator.NOT_IN: (1, 1000), Operator.BETWEEN: (2, 2)} | {
    Operator.MISSING: (0, 0),
    Operator.PRESENT: (0, 0),
}


class Comparison(Document):
    """One variable against values; `between` includes both ends."""

    field: str
    operator: Operator
    values: tuple[Scalar, ...] = ()

    @model_validator(mode="after")
    def _as_many_values_as_needed(self) -> Comparison:
        fewest, most = _COUNTS.get(self.operator, (1, 1))
        if not fewest <= len(self.values) <= most:
            if most == 0:
                raise bad_value("this operator takes no value", "cet opérateur ne prend pas de valeur")
            en, fr = (f"{fewest} to {most}", f"de {fewest} à {most}") if fewest != most else (f"{most}",) * 2
            raise bad_value(
                f"this operator takes {en} {'value' if most == 1 else 'values'}",
                f"cet opérateur demande {fr} {'valeurs' if most > 1 else 'valeur'}",
            )
        return self


class And(Document):
    terms: tuple[Filter, ...] = Field(alias="and", min_length=1, max_length=200)


class Or(Document):
    terms: tuple[Filter, ...] = Field(alias="or", min_length=1, max_length=200)


class Not(Document):
    term: Filter = Field(alias="not")


def _branch(value: Any) -> str:
    """Which of the four forms this is; an unclear one is judged as a comparison and refused there."""
    if isinstance(value, And | Or | Not):
        return type(value).__name__.lower()
    if isinstance(value, dict):
        for name in ("and", "or", "not"):
            if name in value:
                return name
    return "comparison"


Filter = Annotated[
    Annotated[Comparison, Tag("comparison")]
    | Annotated[And, Tag("and")]
    | Annotated[Or, Tag("or")]
    | Annotated[Not, Tag("not")],
    Discriminator(_branch),
]

And.model_rebuild()
Or.model_rebuild()
Not.model_rebuild()


def comparisons(condition: Filter, path: str = "filter") -> Iterator[tuple[str, Comparison]]:
    """Every comparison with where it stands: `filter.and[0].not`."""
    if isinstance(condition, And | Or):
        word = "and" if isinstance(condition, And) else "or"
        for position, term in enumerate(condition.terms):
            yield from comparisons(term, f"{path}.{word}[{position}]")
    elif isinstance(condition, Not):
        yield from comparisons(condition.term, f"{path}.not")
    else:
        yield path, condition

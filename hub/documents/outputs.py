"""Declared outputs: what a file says it is, so that the platform can make it again from the extract.

In the desk `vitrine.table(…)` and `vitrine.regression(…)` write the file and, beside it, a declaration
(`table.csv` → `table.csv.spec.json`). It is a claim: the checks recompute it and believe nothing else.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from hub.documents.base import Document, Sparse, bad_value
from hub.documents.filters import Filter
from hub.documents.requests import PartName
from hub.domain.errors import Refused

SUFFIX = ".spec.json"
MAX_BYTES = 64_000
MAX_DEPTH = 40
Column = Annotated[str, Field(min_length=1, max_length=200)]
Statistic = Literal[
    "count", "persons", "share", "sum", "mean", "median", "quantile", "sd", "variance", "se", "ci_low",
    "ci_high", "min", "max", "gini",
]  # fmt: skip


Label = Annotated[str, Field(min_length=1, max_length=200)]
Code = Annotated[str, Field(max_length=200)] | bool | int | Annotated[float, Field(allow_inf_nan=False)]


class Grouping(Sparse):
    """A column to group by; with `breaks` (ascending) its numbers are cut into bands that hold their lower
    edge (`right: true`: their upper edge). `labels` are the names of the bands, one fewer than `breaks`, as
    in pandas.cut; without them the bands are called "[a, b)". With `groups` its codes are merged: the name of
    each group and the codes in it, none in two; codes in no group stand for themselves. `next`: the variable
    in the unit's next row."""

    variable: Column
    next: bool = False
    groups: Annotated[
        dict[Label, Annotated[tuple[Code, ...], Field(min_length=1, max_length=1_000)]] | None,
        Field(min_length=1, max_length=200),
    ] = None
    breaks: tuple[float, ...] | None = Field(default=None, min_length=2, max_length=500)
    labels: tuple[str, ...] | None = None
    right: bool = False
    column: Column | None = None

    @model_validator(mode="after")
    def _labels_fit(self) -> Grouping:
        if self.labels is not None and (self.breaks is None or len(self.labels) != len(self.breaks) - 1):
            raise bad_value("one label per band", "un libellé par classe")
        return self

    @model_validator(mode="after")
    def _groups_are_apart(self) -> Grouping:
        codes = [str(code) for each in (self.groups or {}).values() for code in each]
        if len(set(codes)) < len(codes):
            raise bad_value("each code in one group, once", "chaque code dans un seul groupe, une fois")
        if self.groups is not None and self.breaks is not None:
            raise bad_value("groups or breaks, not both", "groups ou breaks, pas les deux")
        return self


class Measure(Sparse):
    """One statistic per group, printed in the column `column`. `of`: the variable; `quantile`: 0 to 1 for
    the statistic quantile; `se`, `ci_low` and `ci_high` are the standard error of the mean and the ends of
    its interval of 95 %; `weight`: the variable that weights it; `share` is of the whole table (`within`:
    of the groups that agree on these variables)."""

    stat: Statistic
    column: Column
    of: Column | None = None
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = None
    weight: Column | None = None
    within: tuple[Column, ...] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Measure:
        if (self.of is None) != (self.stat in ("count", "persons", "share")):
            raise bad_value(
                "count, persons and share have no variable, every other statistic has one",
                "count, persons et share n’ont pas de variable, toute autre statistique en a une",
            )
        if (self.quantile is None) == (self.stat == "quantile"):
            raise bad_value("quantile goes with stat: quantile", "quantile va avec stat: quantile")
        return self


class DeclaredTable(Sparse):
    """A table of one line per group (`by`), or spread over columns by the last grouping (`spread: true`,
    one measure). `table`: the extract's table; `rounding`: values were rounded to this base; a suppressed
    cell is empty or has the text `suppressed`. With `time` the lines are of transitions: each row that
    `where` leaves goes with the next one of the same person in the order of that column."""

    kind: Literal["table"]
    table: PartName
    by: tuple[Grouping, ...] = Field(max_length=8)
    where: Filter | None = None
    measures: tuple[Measure, ...] = Field(min_length=1, max_length=200)
    spread: bool = False
    total: str | None = None
    rounding: Annotated[int, Field(ge=2, le=1000)] | None = None
    suppressed: str | None = None
    time: Column | None = None

    @model_validator(mode="after")
    def _transitions_fit(self) -> DeclaredTable:
        if (self.time is None) == any(one.next for one in self.by):
            raise bad_value("time goes with a next grouping", "time va avec un regroupement next")
        return self


class Term(Sparse):
    """One regressor: a variable or the product of several; `categorical` ones enter as dummies without
    the smallest level."""

    variables: tuple[Column, ...] = Field(min_length=1, max_length=3)
    categorical: tuple[Column, ...] = ()
    transform: Literal["log", "square"] | None = None


class DeclaredRegression(Sparse):
    """A table of coefficients: one line per parameter, the columns named as in `columns`; without `columns` a
    summary as statsmodels or R print it. `cluster`: the type of unit (person, household, employer) by whose
    units the errors are clustered."""

    kind: Literal["regression"]
    table: PartName
    model: Literal["ols", "logit", "probit", "poisson"]
    outcome: Column
    outcome_transform: Literal["log"] | None = None
    terms: tuple[Term, ...] = Field(max_length=100)
    intercept: bool = True
    where: Filter | None = None
    weight: Column | None = None
    covariance: Literal["nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster"] = "nonrobust"
    cluster: Column | None = None
    columns: dict[Literal["term", "estimate", "se", "statistic", "p", "low", "high"], Column] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _clusters_fit(self) -> DeclaredRegression:
        if (self.cluster is None) == (self.covariance == "cluster"):
            raise bad_value("cluster goes with covariance: cluster", "cluster va avec covariance: cluster")
        if self.weight is not None and self.covariance != "nonrobust":
            raise bad_value("weight goes with covariance: nonrobust", "weight va avec covariance: nonrobust")
        return self


DeclaredOutput = Annotated[
    Annotated[DeclaredTable, Tag("table")] | Annotated[DeclaredRegression, Tag("regression")],
    Discriminator("kind"),
]


class Declaration(Document):
    """One declared file. `file` is its name beside the declaration."""

    version: Literal[1] = 1
    file: Annotated[str, Field(min_length=1, max_length=200)]
    output: DeclaredOutput


def parse_declaration(content: bytes, *, file: str) -> Declaration:
    """The declaration of `file` as a researcher sent it (JSON, at most MAX_BYTES, nested at most MAX_DEPTH).

    Raises Refused `bad_declaration` with the place that is wrong, never its value.
    """
    try:
        raw = json.loads(content.decode("utf-8"), object_pairs_hook=_each_key_once)
        _require_depth(raw, MAX_DEPTH)
        declaration = Declaration.model_validate_json(json.dumps(raw, allow_nan=False))
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_url=False, include_input=False)[0]["loc"])
        raise _bad_declaration(place[:200]) from None
    except (ValueError, RecursionError):
        raise _bad_declaration("JSON") from None
    if declaration.file != file:
        raise _bad_declaration("file")
    return declaration


def _bad_declaration(place: str) -> Refused:
    return Refused(
        "bad_declaration",
        f"The declaration beside the file is not valid ({place}). Write it again with vitrine, or remove it.",
        f"La déclaration jointe au fichier n’est pas valable ({place}). Refaites-la avec vitrine ou ôtez-la.",
    )


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _require_depth(value: Any, left: int) -> None:
    if left == 0:
        raise ValueError("nested too deep")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _require_depth(each, left - 1)

"""The rules for regressions that are fitted again, and declared tables of coefficients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hub.checks.codes import Codes
from hub.checks.declared import UnreadableClaim, panel_of
from hub.checks.estimation import Estimate
from hub.checks.findings import Finding, Place
from hub.checks.panels import Floats, Panel
from hub.checks.regressions import (
    Fitted,
    differs,
    fit_prepared,
    prepared,
    printed_parameters,
    stacked,
    summary_value,
)
from hub.checks.runs import taken
from hub.checks.tables import Table, number_of
from hub.checks.terms import told_of_model, units_among
from hub.checks.thresholds import Thresholds
from hub.documents.outputs import DeclaredRegression

_MANY = 1_000_000
_DRAWN, _USUAL_SHARE, _SEED = (
    20_000,
    0.4,
    20_260_101,
)  # half of the rows are 0.4 of the drawn but for 28 sigma
_FIRST_ROWS = 2_000
_MOST_BITS = 50


@dataclass(frozen=True)
class ModelCheck:
    """A declared regression against its file: numbers that differ, and rows that nobody declared."""

    fitted: Fitted
    outcome: Floats
    wrong: tuple[tuple[int, int], ...]
    unexplained: tuple[tuple[int, int], ...]
    right: int


def check_declared(table: Table, declared: DeclaredRegression, panels: Sequence[Panel]) -> ModelCheck:
    """Fit the declaration and compare every number of the table. Raises UnreadableClaim."""
    panel = panel_of(declared.table, panels)
    fitted, outcome = _fit(declared, panel)
    heads = [one.strip() for one in table.columns]
    roles = {}
    for role, head in declared.columns.items():
        if head.strip() not in heads:
            raise UnreadableClaim(f"column: {head[:80]}")
        roles[role] = heads.index(head.strip())
    if "term" not in roles or "estimate" not in roles:
        raise UnreadableClaim("columns: term, estimate")
    rows = printed_parameters(table, fitted, roles["term"])
    if not rows or len(set(rows.values())) < len(rows):
        raise UnreadableClaim("terms are missing")
    wrong, unexplained, right = [], [], 0
    at_role = {at: role for role, at in roles.items()}
    unexplained += [(row, roles["term"]) for row in _rows_of_words(table) if row not in rows]
    for row, cells in enumerate(table.rows):
        for at, text in enumerate(cells):
            if at == roles["term"] or (number_of(text) is None and not text.strip()):
                continue
            expected = _expected(fitted, rows.get(row), at_role.get(at), cells[roles["term"]])
            if expected is None:
                unexplained.append((row, at))
            elif differs(text, expected, _decimals(table, at)):
                wrong.append((row, at))
            else:
                right += 1
    return ModelCheck(fitted, outcome, tuple(wrong), tuple(unexplained), right)


def _rows_of_words(table: Table) -> list[int]:
    """The rows that say something and have no number."""
    return [
        row
        for row, cells in enumerate(table.rows)
        if any(text.strip() for text in cells) and all(number_of(text) is None for text in cells)
    ]


def _fit(declared: DeclaredRegression, panel: Panel) -> tuple[Fitted, Floats]:
    """The declared regression with the errors it declares, and its outcome."""
    ready = prepared(declared, panel)
    if declared.covariance == "nonrobust":
        return fit_prepared(declared, panel, ready), ready.outcome
    groups = None
    if declared.covariance == "cluster":
        if declared.cluster not in panel.units:
            raise UnreadableClaim("cluster")
        groups = panel.unit(str(declared.cluster))[0][ready.rows]
        if groups.size and int(groups.min()) < 0:
            raise UnreadableClaim("cluster")
    design = stacked(ready.parameters)
    made = Estimate(declared.model, design, ready.outcome, declared.covariance, groups)
    fitted = Fitted(
        panel, ready.rows, ready.parameters, made.estimates, made.errors, made.degrees, normal=True,
        r_squared=made.number("r_squared"),
    )  # fmt: skip
    return fitted, ready.outcome


def _expected(fitted: Fitted, parameter: int | None, role: str | None, label: str) -> float | None:
    if parameter is None:
        return summary_value(label, fitted)
    return float(fitted.column(role)[parameter]) if role is not None else None


def _decimals(table: Table, at: int) -> int:
    numbers = [number_of(text) for text in table.column(at)]
    exponents = [n.as_tuple().exponent for n in numbers if n is not None]
    return max((-e for e in exponents if isinstance(e, int)), default=0)


def find_in_fitted(
    fitted: Fitted, outcome: Floats, place: Place, thresholds: Thresholds
) -> Iterator[Finding]:
    """Degrees of freedom, levels of few units, saturation, one unit, effects per unit; `outcome`: its value
    in each row of the estimation."""
    panel, table = fitted.panel, Table((), (), place)
    kinds = {kind: panel.unit(kind) for kind in panel.units}
    inside = {kind: taken(codes, fitted.rows) for kind, (codes, _) in kinds.items()}
    units = {kind: units_among(codes) for kind, codes in inside.items()}
    needed = int(thresholds.limit("degrees_of_freedom", "degrees_of_freedom"))
    least = min([fitted.rows.size, *units.values()]) - len(fitted.parameters)
    evidence = {"observations": int(fitted.rows.size), "units": units, "parameters": len(fitted.parameters)}
    if min(units.values(), default=2) < 2:
        yield told_of_model("unit_series", thresholds, table, evidence)
    elif least < needed:
        yield told_of_model("degrees_of_freedom", thresholds, table, evidence, limit=needed)
    few = int(thresholds.limit("dummy_units", "units"))
    runs = {kind: panel.runs(kind) for kind in panel.units}
    whole = all(run is not None and run.size == panel.rows for run in runs.values())  # each row has its units
    longest = max(run.longest for run in runs.values() if run) if whole and runs else fitted.rows.size + 1
    for one in fitted.parameters:
        counts = _few_beside(one.values, inside, few, longest)
        if counts:
            told = {"term": one.name[:80], "units": counts}
            yield told_of_model("dummy_units", thresholds, table, told, limit=few)
    yield from _find_saturated(fitted, outcome, inside, table, thresholds)


def _find_saturated(
    fitted: Fitted, outcome: Floats, inside: Mapping[str, Codes], table: Table, thresholds: Thresholds
) -> Iterator[Finding]:
    """A model with a coefficient for each of its groups is a table of their means: their rules hold."""
    if len(_cells(stacked(fitted.parameters, _FIRST_ROWS))[0]) > len(fitted.parameters):
        return  # more different rows than coefficients, however many follow
    cells, codes = _cells(fitted.design)
    if len(cells) > len(fitted.parameters):
        return
    binary = bool(np.isin(outcome, (0.0, 1.0)).all())
    sides = codes * 2 + (outcome == 1) if binary else codes
    smallest = min(
        (units_among(unit[sides == at]) for unit in inside.values() for at in range(int(sides.max()) + 1)),
        default=0,
    )
    if smallest < thresholds.min_units:
        yield told_of_model("saturated_model", thresholds, table, {"groups": len(cells), "units": smallest})
    elif not binary:
        yield from _find_dominated(outcome, codes, inside, table, thresholds)


def _find_dominated(
    outcome: Floats, codes: Codes, inside: Mapping[str, Codes], table: Table, thresholds: Thresholds
) -> Iterator[Finding]:
    limits = (
        ("dominance_one", thresholds.limit("dominance_one", "share")),
        ("dominance_two", thresholds.limit("dominance_two", "share")),
    )
    for kind, unit in inside.items():
        for at in range(int(codes.max()) + 1):
            own = (codes == at) & (unit >= 0)
            sums = np.sort(np.bincount(unit[own], np.abs(outcome[own])))[::-1]
            whole = float(sums.sum())
            if not whole > 0:
                continue
            for count, (rule, limit) in enumerate(limits, start=1):
                share = float(sums[:count].sum()) / whole
                if share > limit:
                    evidence = {"unit": kind, "largest" if count == 1 else "two_largest": round(share, 4)}
                    yield told_of_model(rule, thresholds, table, evidence, percent=round(100 * limit))
                    return


def _cells(design: Floats) -> tuple[Floats, Codes]:
    if bool(((design == 0) | (design == 1)).all()):
        codes = np.zeros(design.shape[0], dtype=np.int64)
        for start in range(0, design.shape[1], _MOST_BITS):
            part = design[:, start : start + _MOST_BITS]
            keys = part @ 2.0 ** np.arange(part.shape[1])  # exact: dummies are the digits of a number
            _, own = np.unique(keys, return_inverse=True)
            codes = codes * (int(own.max(initial=0)) + 1) + own
        _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
        return design[first], codes.ravel().astype(np.int32)
    cells, codes = np.unique(design.round(9), axis=0, return_inverse=True)
    return cells, codes.ravel().astype(np.int32)


def _few_beside(values: Floats, inside: Mapping[str, Codes], few: int, longest: int) -> dict[str, int]:
    """Units behind all values of a regressor but its usual one (of two values behind each), where these are
    fewer than `few`; only where it is like a dummy. `longest`: the most rows of one unit."""
    usual = _value_of_half(values)
    if usual is None:
        return {}
    other = values != usual
    beside = values[other]
    sides = (other,) if beside.size and bool((beside != beside[0]).any()) else (other, ~other)
    near = [side for side in sides if 0 < np.count_nonzero(side) < few * longest]  # else they are enough
    if not near or not beside.size:
        return {}
    counts = {kind: min(units_among(unit[side]) for side in near) for kind, unit in inside.items()}
    return counts if min(counts.values(), default=few) < few else {}


def _value_of_half(values: Floats) -> float | None:
    """The value that half of the rows have, or more; of many rows it is among the values of a few drawn."""
    if not values.size:
        return None
    if values.size > _MANY:
        drawn = values[np.random.default_rng(_SEED).integers(0, values.size, _DRAWN)]
        held, rows = np.unique(drawn, return_counts=True)
        likely = held[rows >= _USUAL_SHARE * _DRAWN].tolist()
    else:
        likely = [float(np.partition(values, values.size // 2)[values.size // 2])]
    return next((one for one in likely if 2 * np.count_nonzero(values == one) >= values.size), None)

"""A term of a model that no variable makes, and that is the dummy of one person, household or employer: what
its coefficient and its error say decides which, for all units at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from hub.checks.codes import Codes
from hub.checks.panels import Floats, Panel
from hub.checks.regressions import Parameter, stacked
from hub.checks.summaries import PLAIN_NUMBER, Summary

_MOST_FOUND = 5
_MOST_CELLS = 10_000_000  # of the design: rows times coefficients
_SLACK = 1e-6


def with_unit(
    summary: Summary,
    panel: Panel,
    rows: npt.NDArray[np.int64],
    parameters: Mapping[str, Parameter],
    outcome: Floats,
    unknown: str | None,
) -> Iterator[Mapping[str, Parameter]]:
    """The parameters; with each dummy of one unit that a term nobody knows may be."""
    if unknown is None:
        yield parameters
        return
    cells = next(one.cells for one in summary.coefficients if one.term == unknown)
    said = [_printed_number(cells.get(role, "")) for role in ("estimate", "se")]
    if said[0] is None or said[1] is None or not parameters or rows.size <= len(parameters) + 1:
        return
    if rows.size * len(parameters) > _MOST_CELLS:
        return
    design = stacked(tuple(parameters.values()))
    for kind in panel.units:
        for dummy in units_behind(design, outcome, panel.unit(kind)[0][rows], said[0], said[1]):
            yield {**parameters, unknown: Parameter(unknown, (), dummy)}


def _printed_number(text: str) -> tuple[float, float] | None:
    """A number and half a unit of its last digit."""
    if not PLAIN_NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    return (float(number), 0.5 * 10.0**exponent) if isinstance(exponent, int) else None


def units_behind(
    design: Floats, outcome: Floats, codes: Codes, estimate: tuple[float, float], error: tuple[float, float]
) -> Iterator[Floats]:
    """The dummies of single units (`codes` of the rows, −1: none) that, beside the design, least squares
    gives this coefficient and error: each a number and half a unit of its last digit.

    By Frisch and Waugh both follow from what the design leaves of the outcome and of the dummy; sums by unit
    of the former, and of an orthonormal basis of the design, give them for every unit.
    """
    base, upper = np.linalg.qr(design)
    diagonal = np.abs(np.diag(upper))
    degrees = outcome.size - design.shape[1] - 1
    if degrees < 1 or not diagonal.size or diagonal.min() <= 1e-10 * diagonal.max():
        return
    left = outcome - base @ (base.T @ outcome)
    known = codes >= 0
    own, size = codes[known], int(codes.max(initial=-1)) + 1
    if size < 1:
        return
    rows = np.bincount(own, minlength=size).astype(np.float64)
    inside = sum(np.bincount(own, base[known, at], minlength=size) ** 2 for at in range(base.shape[1]))
    spread = rows - inside  # of the dummy, once the design is taken out of it
    usable = (rows > 0) & (spread > 1e-9 * np.maximum(rows, 1))
    safe = np.where(usable, spread, 1.0)
    coefficients = np.bincount(own, left[known], minlength=size) / safe
    squares = float(left @ left) - coefficients**2 * safe
    errors = np.sqrt(np.maximum(squares, 0) / degrees / safe)
    near = usable & _is(coefficients, *estimate) & _is(errors, *error)
    for at in np.flatnonzero(near)[:_MOST_FOUND].tolist():
        yield (codes == at).astype(np.float64)


def _is(values: Floats, said: float, half: float) -> npt.NDArray[np.bool_]:
    return np.asarray(np.abs(values - said) <= half * (1 + _SLACK) + 1e-9 * abs(said))

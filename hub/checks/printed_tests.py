"""What R prints of a test of hypotheses, made again from the extract: t tests of two groups, chi-squared
tests of a table by two variables, and the analysis of variance of a linear model.

Each is a claim about variables that it names. It is taken as made again only where every line is as R writes
it and every number is right; what it is of is then judged as a model of the same rows is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from hub.checks.declared import UnreadableClaim
from hub.checks.formula_terms import factors_of, parameter_of, present
from hub.checks.panels import Categories, Floats, Panel
from hub.checks.printed_models import prints
from hub.checks.regressions import Fitted, Parameter, least_squares
from hub.checks.terms import units_among

Rows = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int64]
_MOST_LEVELS = 60
_MOST_TERMS = 20
_MOST_LINES = 40  # of one print
_MOST_CELLS = 40_000_000  # of a design: rows times coefficients
_NUMBER = r"(-?[\d.]+(?:e[-+]\d+)?)"
_P = rf"p-value (= |< )({_NUMBER[1:-1]})"
_NAME = r"(?:[A-Za-z_.]{1,12}\$)?([A-Za-z][\w.]*)"
_T_TITLE = re.compile(r"\t(Welch )?Two Sample t-test")
_T_DATA = re.compile(rf"data:  {_NAME} by {_NAME}")
_T_LINE = re.compile(rf"t = {_NUMBER}, df = {_NUMBER}, {_P}")
_T_GROUPS = re.compile(
    r"alternative hypothesis: true difference in means between group (.+) and group (.+) is not equal to 0"
)
_T_INTERVAL = re.compile(r"(90|95|99) percent confidence interval:")
_TWO = re.compile(rf" *{_NUMBER} +{_NUMBER} *")
_CHI_TITLE = re.compile(r"\tPearson's Chi-squared test( with Yates' continuity correction)?")
_CHI_DATA = re.compile(rf"data:  (?:table\({_NAME}, {_NAME}\)|{_NAME} and {_NAME})")
_CHI_LINE = re.compile(rf"X-squared = {_NUMBER}, df = (\d+), {_P}")
_ANOVA_HEAD = re.compile(r" +Df +Sum Sq +Mean Sq +F value +Pr\(>F\) *")
_ANOVA_ROW = re.compile(
    rf"(\S.*?) +(\d+) +{_NUMBER} +{_NUMBER} +{_NUMBER} +(< ?{_NUMBER[1:-1]}|{_NUMBER[1:-1]})"
    r" *(\*{1,3}|\.)? *"
)
_ANOVA_REST = re.compile(rf"Residuals +(\d+) +{_NUMBER} +{_NUMBER} *")
_LEGEND = "Signif. codes:  0 ‘***’ 0.001 ‘**’ 0.01 ‘*’ 0.05 ‘.’ 0.1 ‘ ’ 1"
_STARS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"***": (0, 0.001), "**": (0.001, 0.01), "*": (0.01, 0.05), ".": (0.05, 0.1), "": (0.1, 1.1)}
)


@dataclass(frozen=True)
class PrintedTest:
    """A test that was made again: its lines (from `first` up to `end`), and the models that it is judged as,
    each with its outcome. Of a t test these are the means of its groups."""

    first: int
    end: int
    models: tuple[tuple[Fitted, Floats], ...]


def find_tests(lines: Sequence[str], panels: Sequence[Panel], least: int) -> list[PrintedTest]:
    """The tests among the lines of which every number is made again, and each of whose groups has at least
    so many units of every kind."""
    found: list[PrintedTest] = []
    at = 0
    while at < len(lines):
        one = _at(lines, at, panels, least)
        if one is not None:
            found.append(one)
        at = one.end if one is not None else at + 1
    return found


def _at(lines: Sequence[str], at: int, panels: Sequence[Panel], least: int) -> PrintedTest | None:
    read = next((made for title, made in _KINDS if title.fullmatch(lines[at])), None)
    if read is None:
        return None
    for panel in panels:
        try:
            return read(lines[at : at + _MOST_LINES], at, panel, least)
        except (UnreadableClaim, IndexError):
            continue
    return None


def _match(pattern: re.Pattern[str], line: str) -> re.Match[str]:
    hit = pattern.fullmatch(line.rstrip("\n"))
    if hit is None:
        raise UnreadableClaim("line")
    return hit


def _require(*right: bool) -> None:
    if not all(right):
        raise UnreadableClaim("numbers")


def _is_p(mark: str, text: str, value: float) -> bool:
    return prints(text if mark == "= " else f"<{text}", value)


def _t_test(lines: Sequence[str], first: int, panel: Panel, least: int) -> PrintedTest:
    from scipy import special

    welch = _match(_T_TITLE, lines[0]).group(1) is not None
    _require(not lines[1].strip())
    of, by = _match(_T_DATA, lines[2]).groups()
    t, df, mark, p = _match(_T_LINE, lines[3]).groups()
    groups = _match(_T_GROUPS, lines[4]).groups()
    level = float(_match(_T_INTERVAL, lines[5]).group(1)) / 100
    low, high = _match(_TWO, lines[6]).groups()
    names = " ".join(lines[8].split())
    _require(
        lines[7].rstrip() == "sample estimates:",
        names == f"mean in group {groups[0]} mean in group {groups[1]}",
    )
    means = _match(_TWO, lines[9]).groups()
    known = _categories(by, panel)
    codes = [known.find(group) for group in groups]
    values = panel.numbers(of) if of in panel.variables else None
    if values is None or codes[0] is None or codes[1] is None or codes[0] >= codes[1]:
        raise UnreadableClaim("groups")
    keep = present(of, panel) & (known.codes >= 0)
    _require(set(np.unique(known.codes[keep]).tolist()) == {codes[0], codes[1]})
    parts = [np.flatnonzero(keep & (known.codes == code)) for code in codes]
    one, two = (values[part] for part in parts)
    _require(min(one.size, two.size) > 2)
    spread = [float(side.var(ddof=1)) / side.size for side in (one, two)]
    if welch:
        degrees = sum(spread) ** 2 / sum(
            s**2 / (side.size - 1) for s, side in zip(spread, (one, two), strict=True)
        )
        error = float(np.sqrt(sum(spread)))
    else:
        degrees = one.size + two.size - 2
        pooled = sum(float(side.var(ddof=1)) * (side.size - 1) for side in (one, two)) / degrees
        error = float(np.sqrt(pooled * (1 / one.size + 1 / two.size)))
    _require(error > 0)
    gap = float(one.mean() - two.mean())
    width = float(special.stdtrit(degrees, 0.5 + level / 2)) * error
    _require(
        prints(t, gap / error),
        prints(df, degrees),
        _is_p(mark, p, float(2 * special.stdtr(degrees, -abs(gap / error)))),
        prints(low, gap - width),
        prints(high, gap + width),
        prints(means[0], float(one.mean())),
        prints(means[1], float(two.mean())),
    )
    _require_units(panel, parts, least)
    models = tuple(_constant(panel, part, side) for part, side in zip(parts, (one, two), strict=True))
    return PrintedTest(first, first + 10, models)


def _chi_squared(lines: Sequence[str], first: int, panel: Panel, least: int) -> PrintedTest:
    from scipy import special

    yates = _match(_CHI_TITLE, lines[0]).group(1) is not None
    _require(not lines[1].strip())
    one, two = (name for name in _match(_CHI_DATA, lines[2]).groups() if name is not None)
    statistic, df, mark, p = _match(_CHI_LINE, lines[3]).groups()
    sides = [_categories(name, panel) for name in (one, two)]
    rows = np.flatnonzero((sides[0].codes >= 0) & (sides[1].codes >= 0))
    codes = [np.unique(side.codes[rows], return_inverse=True)[1].ravel() for side in sides]
    sizes = [int(code.max(initial=-1)) + 1 for code in codes]
    _require(one != two, min(sizes) >= 2, max(sizes) <= _MOST_LEVELS)
    cells = codes[0] * sizes[1] + codes[1]
    counts = np.bincount(cells, minlength=sizes[0] * sizes[1]).reshape(sizes).astype(np.float64)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / rows.size
    gaps = np.abs(counts - expected)
    _require(yates == (sizes == [2, 2]) or not yates)
    moved = min(0.5, float(gaps.min())) if yates else 0.0
    value = float(((gaps - moved) ** 2 / expected).sum())
    degrees = (sizes[0] - 1) * (sizes[1] - 1)
    _require(
        prints(statistic, value),
        df == str(degrees),
        _is_p(mark, p, float(special.chdtrc(degrees, value))),
    )
    _require_units(panel, [rows[cells == cell] for cell in range(sizes[0] * sizes[1])], least)
    parameters = [Parameter("Intercept", (), np.ones(rows.size))]
    for name, code, size in zip((one, two), codes, sizes, strict=True):
        parameters += [Parameter(f"{name}[{k}]", (), (code == k).astype(np.float64)) for k in range(1, size)]
    nothing = np.zeros(len(parameters))
    fitted = Fitted(
        panel, rows, tuple(parameters), nothing, nothing, rows.size - len(parameters),
        normal=False, r_squared=None,
    )  # fmt: skip
    return PrintedTest(first, first + 4, ((fitted, np.asarray(codes[1], dtype=np.float64)),))


def _anova(lines: Sequence[str], first: int, panel: Panel, least: int) -> PrintedTest:
    del least  # the rules for models have the say over the levels of a factor
    _require(not lines[1].strip(), lines[2].startswith("Response: "))
    of = factors_of(lines[2].removeprefix("Response: ").strip(), panel)
    _match(_ANOVA_HEAD, lines[3])
    said = []
    at = 4
    while (hit := _ANOVA_ROW.fullmatch(lines[at])) is not None:
        said.append(hit.groups())
        at += 1
    rest = _match(_ANOVA_REST, lines[at]).groups()
    end = _legend_end(lines, at + 1)
    if len(of) != 1 or of[0].made is None or not 1 <= len(said) <= _MOST_TERMS:
        raise UnreadableClaim("terms")
    used = [of[0].variable, *(_variable_of(term[0], panel) for term in said)]
    keep = np.ones(panel.rows, dtype=np.bool_)
    for name in used:
        keep &= present(name, panel)
    rows = np.flatnonzero(keep)
    outcome = parameter_of("outcome", of, panel, rows).make()
    sizes = [_size_of(term[0], panel) for term in said]
    if rows.size * (1 + sum(sizes)) > _MOST_CELLS:
        raise UnreadableClaim("terms")
    blocks = [_columns_of(term[0], panel, rows) for term in said]
    parameters = (Parameter("Intercept", (), np.ones(rows.size)), *(one for block in blocks for one in block))
    _require(rows.size > len(parameters))
    fitted = _sequential(panel, rows, parameters, outcome)
    squares, left = _squares_of(fitted, outcome)
    degrees = rows.size - len(parameters)
    _require(rest[0] == str(degrees), prints(rest[1], left), prints(rest[2], left / degrees))
    start = 1
    for (_, df, total, mean, f, p, stars), block in zip(said, blocks, strict=True):
        own = float(squares[start : start + len(block)].sum())
        start += len(block)
        _require(df == str(len(block)))
        _require_line((total, mean, f, p, stars or ""), own, len(block), left, degrees)
    return PrintedTest(first, first + end, ((fitted, outcome),))


def _require_line(
    said: tuple[str, str, str, str, str], own: float, count: int, left: float, degrees: int
) -> None:
    from scipy import special

    total, mean, f, p, stars = said
    value = own / count / (left / degrees)
    chance = float(special.fdtrc(count, degrees, value))
    low, high = _STARS[stars]
    _require(
        prints(total, own),
        prints(mean, own / count),
        prints(f, value),
        prints(p, chance),
        low <= chance < high or (stars == "***" and chance == 0),
    )


def _legend_end(lines: Sequence[str], at: int) -> int:
    if at + 1 < len(lines) and lines[at].rstrip() == "---" and lines[at + 1].rstrip() == _LEGEND:
        return at + 2
    return at


def _variable_of(term: str, panel: Panel) -> str:
    name = _factor_name(term, panel)
    if name is not None:
        if name not in panel.variables:
            raise UnreadableClaim("variable")
        return name
    factors = factors_of(term, panel)
    if len(factors) != 1 or factors[0].made is None:
        raise UnreadableClaim("term")
    return factors[0].variable


def _factor_name(term: str, panel: Panel) -> str | None:
    """The variable of a term that enters with all its levels: a factor, or a text."""
    hit = re.fullmatch(r"(?:as\.)?factor\(([A-Za-z][\w.]*)\)", term)
    if hit is not None:
        return hit.group(1)
    return term if term in panel.variables and panel.numbers(term) is None else None


def _size_of(term: str, panel: Panel) -> int:
    """How many columns a term has at most."""
    name = _factor_name(term, panel)
    return len(_categories(name, panel).values) - 1 if name is not None else 1


def _columns_of(term: str, panel: Panel, rows: Rows) -> list[Parameter]:
    name = _factor_name(term, panel)
    if name is None:
        column = parameter_of(term, factors_of(term, panel), panel, rows)
        return [Parameter(column.name, column.levels, column.make())]
    codes = _categories(name, panel).codes[rows]
    levels = np.unique(codes)
    _require(levels.size >= 2)
    return [
        Parameter(f"{name}[{at}]", ((name, at),), (codes == at).astype(np.float64))
        for at in levels[1:].tolist()
    ]


def _sequential(panel: Panel, rows: Rows, parameters: tuple[Parameter, ...], outcome: Floats) -> Fitted:
    design = np.column_stack([one.values for one in parameters])
    estimates = least_squares(design, outcome)  # and UnreadableClaim where columns are collinear
    degrees = rows.size - len(parameters)
    nothing = np.zeros(len(parameters))
    return Fitted(panel, rows, parameters, estimates, nothing, degrees, normal=False, r_squared=None)


def _squares_of(fitted: Fitted, outcome: Floats) -> tuple[Floats, float]:
    """The sum of squares that each column adds to those before it, and what all leave."""
    base, _ = np.linalg.qr(fitted.design)
    along = base.T @ outcome
    left = outcome - base @ along
    return np.asarray(along**2), float(left @ left)


def _categories(name: str, panel: Panel) -> Categories:
    known = panel.categories(name) if name in panel.variables else None
    if known is None or not 2 <= len(known.values) <= _MOST_LEVELS:
        raise UnreadableClaim("groups")
    return known


def _require_units(panel: Panel, parts: Sequence[Rows], least: int) -> None:
    """Every group has so many units of each kind, or the print is left to people."""
    for kind in panel.units:
        codes = panel.unit(kind)[0]
        _require(*(units_among(codes[part]) >= least for part in parts))


def _constant(panel: Panel, rows: Rows, values: Floats) -> tuple[Fitted, Floats]:
    """The mean of a group, as the model that has nothing else."""
    parameter = Parameter("Intercept", (), np.ones(rows.size))
    mean = np.array([values.mean()])
    error = np.array([values.std(ddof=1) / np.sqrt(values.size)])
    fitted = Fitted(
        panel, rows, (parameter,), mean, error, rows.size - 1, normal=False, r_squared=0.0
    )  # fmt: skip
    return fitted, values


Read = Callable[[Sequence[str], int, Panel, int], PrintedTest]
_KINDS: tuple[tuple[re.Pattern[str], Read], ...] = (
    (_T_TITLE, _t_test),
    (_CHI_TITLE, _chi_squared),
    (re.compile(r"Analysis of Variance Table"), _anova),
)


def lines_of(tests: Sequence[PrintedTest]) -> Iterator[int]:
    """The lines that tests take up."""
    for one in tests:
        yield from range(one.first, one.end)

"""Whether one or two units make up a number: of a sum or mean by their amounts, of a standard deviation also
by their squared distances from the mean, from which the largest amount can be solved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf

from hub.checks.groups import Groups
from hub.checks.measures import Measure
from hub.checks.panels import Floats
from hub.checks.thresholds import Thresholds

INTERVALS = frozenset({"ci_low", "ci_high"})
AMOUNTS = frozenset({"sum", "mean", "gini"}) | INTERVALS
DISPERSIONS = frozenset({"sd", "variance", "se"})


@dataclass(frozen=True)
class Dominance:
    """The rule that is broken, the share in it that may not be passed, and what was seen. `sure`: the largest
    amount is given away; else people judge."""

    rule: str
    share: float
    evidence: dict[str, object]
    sure: bool = True


def dominance(
    groups: Groups, number: int, measure: Measure, kinds: Iterable[str], thresholds: Thresholds
) -> Dominance | None:
    """The first kind of unit that dominates the number; None where none does.

    Who holds most of the squared distances is for people to judge: a reader is told how far the largest
    amount can be at most, not that it is so far, and guidelines let dispersions of enough units leave
    (DwB 3.5).
    """
    for kind in kinds:
        for part in _parts(groups, measure):
            most = part.most(kind, number)
            if (
                _broken((most, 2 * most, (1 - 2 * most) / most if most > 0 else inf), part, thresholds)
                is None
            ):
                continue
            one, two, rest = (float(found[number]) for found in part.tops(kind))
            rule = _broken((one, two, rest), part, thresholds)
            if rule is not None:
                of = part.evidence
                evidence = {"unit": kind, "largest": round(one, 4), "two_largest": round(two, 4), **of}
                return Dominance(rule, thresholds.limit(rule, "share"), evidence, sure=not of)
    return None


def _broken(tops: tuple[float, float, float], part: _Part, thresholds: Thresholds) -> str | None:
    """The first rule broken by the shares of the largest unit, of two, and what is left beside them."""
    one, two, rest = tops
    if one > thresholds.limit("dominance_one", "share"):
        return "dominance_one"
    if two > thresholds.limit("dominance_two", "share"):
        return "dominance_two"
    if not part.squared and rest < thresholds.limit("dominance_rest", "share"):
        return "dominance_rest"
    return None


@dataclass(frozen=True)
class _Part:
    """What units hold of a number: amounts of a variable, or their squared distances from its mean."""

    groups: Groups
    name: str
    weight: str | None = None
    squared: bool = False
    evidence: Mapping[str, object] = field(default_factory=dict)

    def tops(self, kind: str) -> tuple[Floats, Floats, Floats]:
        """Per group the shares of the largest unit and of two, and what is left as a share of the largest."""
        if self.squared:
            return self.groups.top_deviations(kind, self.name)
        return self.groups.top_shares(kind, self.name, self.weight)

    def most(self, kind: str, number: int) -> float:
        """A share that no unit of a group can pass: the most rows of one unit, each with the largest amount
        of the table. Infinite where that is not known."""
        runs, panel = self.groups.panel.runs(kind), self.groups.panel
        low, high = panel.span(self.name)
        if runs is None:
            return inf
        if self.squared:
            mean = float(self.groups.mean(self.name)[number])
            whole = float((self.groups.variance(self.name, 0) * self.groups.present(self.name))[number])
            largest = max(high - mean, mean - low) ** 2
        else:
            whole = abs(float(self.groups.total(self.name, self.weight)[number]))
            largest = max(abs(low), abs(high))
            if self.weight is not None:
                largest *= max(abs(end) for end in panel.span(self.weight))
        return runs.longest * largest / whole if whole > 0 else inf


def _parts(groups: Groups, measure: Measure) -> Iterator[_Part]:
    """What units hold of the number: their amounts, and their part in its dispersion."""
    name = measure.variable
    if name is None:
        return
    if measure.statistic in AMOUNTS | DISPERSIONS:
        yield _Part(groups, name, measure.weight)
    if measure.statistic in DISPERSIONS | INTERVALS:
        yield _Part(groups, name, squared=True, evidence={"of": "squared deviations"})
    if measure.statistic == "correlation" and measure.other not in (None, name):
        for one, other in ((name, str(measure.other)), (str(measure.other), name)):
            told = {"of": "squared deviations", "from": one}
            yield _Part(groups.having(other), one, squared=True, evidence=told)

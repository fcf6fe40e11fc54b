"""Whether one or two units make up a number: of a sum or mean by their amounts, of a standard deviation also
by their squared distances from the mean, from which the largest amount can be solved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

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

    Who holds most of the squared distances is for people to judge: a reader is told how far the largest amount
    can be at most, not that it is so far, and guidelines let dispersions of enough units leave (DwB 3.5).
    """
    for kind in kinds:
        for tops, of in _parts(groups, measure, kind):
            one, two, rest = (float(part[number]) for part in tops)
            for rule, broken in (
                ("dominance_one", one > thresholds.limit("dominance_one", "share")),
                ("dominance_two", two > thresholds.limit("dominance_two", "share")),
                ("dominance_rest", not of and rest < thresholds.limit("dominance_rest", "share")),
            ):
                if broken:
                    evidence = {"unit": kind, "largest": round(one, 4), "two_largest": round(two, 4), **of}
                    return Dominance(rule, thresholds.limit(rule, "share"), evidence, sure=not of)
    return None


def _parts(
    groups: Groups, measure: Measure, kind: str
) -> Iterator[tuple[tuple[Floats, Floats, Floats], dict[str, object]]]:
    """What units hold of the number: their amounts, and their part in its dispersion."""
    name = measure.variable
    if name is None:
        return
    if measure.statistic in AMOUNTS | DISPERSIONS:
        yield groups.top_shares(kind, name, measure.weight), {}
    if measure.statistic in DISPERSIONS | INTERVALS:
        yield groups.top_deviations(kind, name), {"of": "squared deviations"}
    if measure.statistic == "correlation" and measure.other not in (None, name):
        for one, other in ((name, str(measure.other)), (str(measure.other), name)):
            yield groups.having(other).top_deviations(kind, one), {"of": "squared deviations", "from": one}

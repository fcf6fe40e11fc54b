"""What a new number would tell by subtraction from released ones.

Two published numbers about nearly the same persons tell about those in whom they differ. These must be enough
persons, and enough of every kind of unit that is known: households, employers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyroaring import BitMap

from hub.checks.findings import Finding, Severity
from hub.checks.ledger import Ledger, ReleasedCell, ToldCell
from hub.checks.memberships import Behind, Memberships, behind
from hub.checks.sentences import finding

PERSON = "person"
SAME_SUBMISSION = 0  # the number of what is in another file of the submission; releases count from 1
_WORDS = {
    PERSON: ("personnes", "persons"),
    "household": ("ménages", "households"),
    "employer": ("employeurs", "employers"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """A set of fewer units than the threshold that a new number would tell, with the released number (and,
    if `parts`, others of the same table) it is the difference to. `kind`: of which unit it holds too few;
    `sure`: that it does is known, not merely to be feared."""

    new: int
    released: ReleasedCell
    parts: bool
    same_topic: bool
    kind: str = PERSON
    sure: bool = True


def differences(new: Sequence[ToldCell], ledger: Ledger, threshold: int) -> list[Difference]:
    """What the `new` numbers would tell about 1 to `threshold` − 1 units, given all released ones.

    1. A number about persons whose number was released already tells nothing by subtraction.
    2. Near: the sets differ by fewer than `threshold` persons on both sides, and do differ.
    3. The persons in whom they differ are more, but of fewer than `threshold` households or employers.
    4. A new total of which a released table shows parts: the rest is fewer than `threshold`, of any kind.
    5. A released total of which new parts (and parts of its own table) leave fewer than `threshold`.
    Sets that merely cross are no difference: their intersection would have to be known too, and if it is,
    (2) finds it. Sets of fewer than `threshold` persons are another rule's.
    """
    found: list[Difference] = []
    fresh: list[int] = []
    for position, cell in enumerate(new):
        if len(cell.units) < threshold:
            continue
        near = ledger.near(cell.units, threshold)
        if any(not only_new and not only_old and old.topic == cell.topic for old, only_new, only_old in near):
            continue  # (1)
        fresh.append(position)
        for old, only_new, only_old in near:
            if only_new or only_old:
                found.append(
                    Difference(position, old, parts=False, same_topic=old.topic == cell.topic)
                )  # (2)
        known = frozenset(old.key for old, _, _ in near)
        found += _few_units_apart(position, cell, ledger, threshold, known)  # (3)
        found += _rest_of_total(position, cell, ledger, threshold)  # (4)
    found += _rest_of_released(new, fresh, ledger, threshold)  # (5)
    return found


def _few_units_apart(
    position: int, cell: ToldCell, ledger: Ledger, threshold: int, known: frozenset[str]
) -> Iterator[Difference]:
    for old, members in ledger.nearly_nested(cell, threshold):
        if old.key in known:
            continue
        theirs = ledger.members(old)
        only_new, only_old = cell.units - members, members - cell.units
        for kind in _kinds(cell.members, theirs) if only_new or only_old else ():
            one = behind(kind, only_new, threshold, (cell.members, theirs))
            two = behind(kind, only_old, threshold, (theirs, cell.members))
            known_to = (cell.members, theirs)
            sure = _verdict(kind, max(one, two), only_new | only_old, threshold, known_to)
            if sure is not None:
                same = old.topic == cell.topic
                yield Difference(position, old, parts=False, same_topic=same, kind=kind, sure=sure)


def _kinds(*known: Memberships | None) -> list[str]:
    return sorted({name for memberships in known if memberships is not None for name in memberships.kinds})


def _verdict(
    kind: str, state: Behind, rest: BitMap, threshold: int, known: Sequence[Memberships | None]
) -> bool | None:
    """Whether it is sure that few units are behind a difference; None where there are none or many. What
    nobody kept is feared where the persons could all be of few units as large as the largest known."""
    if state in (Behind.NONE, Behind.MANY):
        return None
    if state is Behind.UNKNOWN:
        kinds = [m.kinds[kind] for m in known if m is not None and kind in m.kinds]
        return False if len(rest) <= max((k.most(threshold - 1) for k in kinds), default=0) else None
    return state is Behind.FEW


def _told_by_rest(
    whole: BitMap, parts: Sequence[BitMap], threshold: int, known: Sequence[Memberships | None]
) -> dict[str, bool]:
    """Of which units disjoint ones of `parts` leave 1 to `threshold` − 1 of `whole`, and whether that is
    sure. Tried from the first on, and from the largest on: a table may show the same persons finely and
    coarsely."""
    told: dict[str, bool] = {}
    for order in (parts, sorted(parts, key=len, reverse=True)):
        covered = BitMap()
        taken = 0
        for part in order:
            if covered.isdisjoint(part):
                covered |= part
                taken += 1
        rest = whole - covered if taken > 1 else BitMap()
        if not rest:
            continue
        if len(rest) < threshold:
            return {PERSON: True}
        for kind in _kinds(*known):
            sure = _verdict(kind, behind(kind, rest, threshold, known), rest, threshold, known)
            if sure is not None:
                told[kind] = told.get(kind, False) or sure
        if taken == len(parts):
            break  # in any order
    return told


def _rest_of_total(position: int, cell: ToldCell, ledger: Ledger, threshold: int) -> Iterator[Difference]:
    for parts in ledger.inside(cell.units, _Worth(cell, threshold)).values():
        same = [(old, members) for old, members in parts if old.topic == cell.topic] or parts
        if len(same) < 2:
            continue
        old = same[-1][0]
        known = (cell.members, ledger.members(old))
        for kind, sure in _told_by_rest(cell.units, [m for _, m in same], threshold, known).items():
            same_topic = old.topic == cell.topic
            yield Difference(position, old, parts=True, same_topic=same_topic, kind=kind, sure=sure)


class _Worth:
    """Whether the parts that a released table may show of a number can leave few of it: together they are all
    but a few of its persons, or all but those whom a few units could have."""

    def __init__(self, cell: ToldCell, threshold: int) -> None:
        self._relation = cell.relation
        self._least = len(cell.units) - threshold + 1
        kinds = cell.members.kinds if cell.members is not None else {}
        having = cell.members.having(cell.units) if cell.members is not None else {}
        self._having = {name: having[name] - kind.most(threshold - 1) for name, kind in kinds.items()}

    def __call__(self, cells: Sequence[ReleasedCell]) -> bool:
        if sum(cell.size for cell in cells) >= self._least:
            return True
        if any(cell.relation != self._relation for cell in cells):
            return any(sum(cell.size for cell in cells) >= least for least in self._having.values())
        return any(
            sum(cell.having.get(name, 0) for cell in cells) >= least for name, least in self._having.items()
        )


def _rest_of_released(
    new: Sequence[ToldCell], fresh: Sequence[int], ledger: Ledger, threshold: int
) -> Iterator[Difference]:
    wholes: dict[str, tuple[ReleasedCell, BitMap, list[int]]] = {}
    for position in fresh:
        for old, members in ledger.around(new[position].units):
            wholes.setdefault(old.key, (old, members, []))[2].append(position)
    for old, members, positions in wholes.values():
        beside = ledger.beside(old, members)
        for group in {new[position].group for position in positions}:
            inside = [p for p in positions if new[p].group == group]
            parts = [*(new[p].units for p in inside), *beside]
            if len(parts) < 2:
                continue
            known = (ledger.members(old), new[inside[0]].members)
            same = any(new[p].topic == old.topic for p in inside)
            for kind, sure in _told_by_rest(members, parts, threshold, known).items():
                yield Difference(inside[0], old, parts=True, same_topic=same, kind=kind, sure=sure)


def findings_of(
    new: Sequence[ToldCell],
    found: Iterable[Difference],
    threshold: int,
    severity: Severity = Severity.BLOCK,
) -> list[Finding]:
    """One finding per new number, release (or other file of the submission) and kind of unit, without how
    many: of the rule's severity where both numbers measure the same, so that one can be taken from the other,
    and the units are known; REVIEW where not."""
    listed: dict[tuple[int, int | str, str], Finding] = {}
    for difference in sorted(found, key=lambda d: (not d.same_topic, not d.sure, d.parts)):
        with_own = difference.released.number == SAME_SUBMISSION
        other_one = difference.released.name if with_own else difference.released.number
        key = (difference.new, other_one, difference.kind)
        if key in listed:
            continue
        released = difference.released
        evidence: dict[str, Any] = {
            "table": released.name,
            "row": (released.place.row or 0) + 1,
            "cell_column": (released.place.column or 0) + 1,
            "with_other_cells": difference.parts,
            "unit_type": difference.kind,
            "units_known": difference.sure,
        }
        other = (f"unités « {difference.kind} »", f"units “{difference.kind}”")
        french, english = _WORDS.get(difference.kind, other)
        told = finding(
            "differencing_beside" if with_own else "differencing",
            severity if difference.same_topic and difference.sure else Severity.REVIEW,
            new[difference.new].place,
            evidence=evidence,
            words={"units": french, "tells": "informe" if difference.sure else "informe peut-être"},
            units=english,
            tells="tells" if difference.sure else "may tell",
            limit=threshold,
            **({"beside": released.name} if with_own else {"release": released.number}),
        )
        listed[key] = replace(told, rule="differencing")
    return list(listed.values())

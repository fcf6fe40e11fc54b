"""The ledger at work: sets kept with a submission, compared with what was released, released with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from hub.actions.ports import Checking, Ledger, Office, Unit
from hub.checks.cells import Cell
from hub.checks.differencing import Difference, differences, findings_of
from hub.checks.findings import Finding, Place, Severity
from hub.checks.ledger import Ledger as ReleasedLedger
from hub.checks.ledger import ReleasedCell, ToldCell, probe_of, told_cells
from hub.checks.memberships import Memberships, Relation, numbered
from hub.checks.sentences import finding
from hub.domain.errors import Conflict, IntegrityError
from hub.domain.records import Json, LedgerFile, StagedSets, Submission


def stage_sets(
    office: Office,
    *,
    extract: str,
    cells: Sequence[Cell],
    persons: Mapping[str, Sequence[int]],
    relations: Mapping[str, Mapping[str, Relation]] | None = None,
) -> tuple[tuple[StagedSets, ...], list[Finding]]:
    """Keep the sets behind a file's reproduced numbers, and what they tell beside all released ones.

    `persons`: for each of the extract's tables, its sorted distinct persons (pseudonyms); `relations`: to
    which households, employers and other units they belong, by their positions. Whatever keeps the comparison
    from being made is a finding `ledger_unread`, never silence.
    """
    checking = office.checking
    kept: list[StagedSets] = []
    found: list[Finding] = []
    try:
        if checking is None:
            raise IntegrityError("ledger_damaged", "This process has no ledger.")
        for space, told in _by_space(checking.ledger, extract, cells, persons, relations or {}).items():
            kept.append(_keep(checking.ledger, space, told))
            with office.units.read() as unit:
                ledger = _released(unit, checking.ledger, space)
            found += findings_of(
                told, differences(told, ledger, checking.min_units), checking.min_units, checking.differencing
            )
    except IntegrityError:
        found.append(finding("ledger_unread", Severity.REVIEW))
    return tuple(kept), found


def note_sets(
    unit: Unit, submission: Submission, *, position: int, name: str, sets: tuple[StagedSets, ...]
) -> None:
    """The sets of one file of a submission that is stored in this transaction."""
    for k, staged in enumerate(sets):
        unit.ledger_files.add(
            LedgerFile(
                f"{submission.id}/{position}/{k}",
                submission.id,
                position,
                submission.number,
                name,
                staged.space,
                staged.sha256,
                staged.cells,
            )
        )


def release_sets(unit: Unit, checking: Checking, submission: Submission, *, now: datetime) -> int:
    """Count a submission's numbers as released, in this transaction; how many.

    Raises Conflict `differs_from_release` if something released since the submission was checked differs
    from it by fewer persons, households or employers than the threshold: two that waited together must not
    both leave.
    """
    cells = 0
    for file in unit.ledger_files.find(submission=submission.id):
        told = _told(file, checking.ledger)
        since = _released(unit, checking.ledger, file.space, after=submission.submitted_at)
        for difference in differences(told, since, checking.min_units):
            if difference.same_topic and difference.sure and checking.differencing is Severity.BLOCK:
                raise _differs(difference)
        unit.ledger_files.save(dataclasses.replace(file, released_at=now))
        cells += len(told)
    return cells


def _differs(difference: Difference) -> Conflict:
    number = difference.released.number
    return Conflict(
        "differs_from_release",
        f"Release no. {number} came out meanwhile and is about nearly the same population: together they "
        "would tell about too few. Return this submission.",
        f"La libération n° {number}, intervenue entre-temps, porte sur presque la même population : "
        "ensemble, elles informeraient sur trop peu d’unités. Renvoyez cette soumission.",
    )


def _by_space(
    ledger: Ledger,
    extract: str,
    cells: Sequence[Cell],
    persons: Mapping[str, Sequence[int]],
    relations: Mapping[str, Mapping[str, Relation]],
) -> dict[str, list[ToldCell]]:
    spaces: dict[str, str] = {}
    numbers: dict[str, Sequence[int]] = {}
    members: dict[str, tuple[str, Memberships]] = {}
    for table in {cell.table for cell in cells if cell.units is not None}:
        if table not in persons:
            raise IntegrityError("ledger_damaged", "A table's persons are not known.")
        spaces[table], numbers[table] = ledger.numbers(extract, table=table, persons=persons[table])
        if relations.get(table):
            belonging = numbered(numbers[table], relations[table])
            members[table] = (ledger.keep_members(belonging), belonging)
    told: dict[str, list[ToldCell]] = {}
    for table, of_table in told_cells(cells, numbers, members).items():
        told.setdefault(spaces[table], []).extend(of_table)
    return told


def _keep(ledger: Ledger, space: str, told: Sequence[ToldCell]) -> StagedSets:
    sha256 = ledger.keep([cell.units for cell in told])
    return StagedSets(space, sha256, tuple(_index(cell) for cell in told))


def _index(cell: ToldCell) -> Json:
    known = cell.members
    return {
        "group": cell.group,
        "topic": cell.topic,
        "size": len(cell.units),
        "probe": list(probe_of(cell.units)),
        "place": cell.place.to_json(),
    } | ({} if known is None else {"relation": cell.relation, "having": known.having(cell.units)})


def _told(file: LedgerFile, ledger: Ledger) -> list[ToldCell]:
    sets = ledger.sets(file.sha256)
    told = []
    for raw, members in zip(file.cells, sets, strict=True):
        relation = _relation(raw)
        belonging = None if relation is None else ledger.members(relation)
        told.append(ToldCell(str(raw["group"]), str(raw["topic"]), members, _place(raw), belonging, relation))
    return told


def _relation(raw: Json) -> str | None:
    """Where what the persons of a number belong to is kept; None for what was kept before that was."""
    relation = raw.get("relation")
    if relation is not None and not isinstance(relation, str):
        raise IntegrityError("ledger_damaged", "The ledger's index cannot be read.")
    return relation


def _having(raw: Json) -> dict[str, int]:
    having = raw.get("having", {})
    if not isinstance(having, dict) or not all(isinstance(count, int) for count in having.values()):
        raise IntegrityError("ledger_damaged", "The ledger's index cannot be read.")
    return having


def _place(raw: Json) -> Place:
    place = raw["place"]
    return Place(**place) if isinstance(place, dict) else Place()


def _released(unit: Unit, ledger: Ledger, space: str, *, after: datetime | None = None) -> ReleasedLedger:
    """What was released in a space; with `after`, only since then."""
    released: dict[str, tuple[str, int]] = {}
    cells = []
    for file in unit.ledger_files.find(space=space):
        if file.released_at is None or (after is not None and file.released_at < after):
            continue
        for k, cell in enumerate(_entries(file)):
            released[cell.key] = (file.sha256, k)
            cells.append(cell)
    return ReleasedLedger(
        cells, lambda cell: ledger.sets(released[cell.key][0])[released[cell.key][1]], ledger.members
    )


def _entries(file: LedgerFile) -> Iterable[ReleasedCell]:
    for k, raw in enumerate(file.cells):
        size, probe = raw["size"], raw["probe"]
        if not isinstance(size, int) or not isinstance(probe, list):
            raise IntegrityError("ledger_damaged", "The ledger's index cannot be read.")
        yield ReleasedCell(
            f"{file.id}/{k}",
            file.number,
            file.name,
            f"{file.id}/{raw['group']}",
            str(raw["topic"]),
            size,
            tuple(probe),
            _place(raw),
            _relation(raw),
            _having(raw),
        )

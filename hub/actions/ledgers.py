"""The ledger at work: sets kept with a submission, compared with what was released, released with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import IO, NamedTuple

from hub.actions.ports import Checking, ExtractFiles, Ledger, Office, Unit
from hub.actions.withholding import Named
from hub.checks.cells import Cell
from hub.checks.differencing import SAME_SUBMISSION
from hub.checks.findings import Finding, Severity
from hub.checks.headings import (
    MAX_TABLES,
    Headings,
    find_unknown,
    find_unknown_beside,
    headings_from_json,
)
from hub.checks.sentences import finding
from hub.domain.errors import Conflict, IntegrityError
from hub.domain.records import LedgerFile, StagedSets, Submission

_HEADINGS = "headings of "  # instead of a space, for tables of a project without sets


class NamedSets(NamedTuple):
    """The sets of one file of a submission that is on its way, under the name that people see."""

    name: str
    sets: tuple[StagedSets, ...]


def stage_sets(
    office: Office,
    *,
    extract: ExtractFiles,
    cells: Sequence[Cell],
    sets: IO[bytes],
    beside: Sequence[NamedSets] = (),
) -> tuple[tuple[StagedSets, ...], list[Finding]]:
    """Keep the sets behind a file's reproduced numbers, and what they tell with all released ones and with
    those `beside` them, of the files of the submission that were staged before.

    `cells` and `sets` are those of one check (`hub.checks.cells`). Whatever keeps the comparison from being
    made is a finding `ledger_unread`, never silence. Blocks while child processes work.
    """
    checking = office.checking
    if checking is None:
        return (), [finding("ledger_unread", Severity.REVIEW)] if _held(cells) else []

    def released(spaces: Iterable[str]) -> dict[str, list[LedgerFile]]:
        with office.units.read() as unit:
            return {space: _released(unit, space) for space in spaces}

    return place_sets(
        checking.ledger,
        min_units=checking.min_units,
        severity=checking.differencing,
        extract=extract,
        cells=cells,
        sets=sets,
        beside=beside,
        released=released,
    )


def place_sets(
    ledger: Ledger,
    *,
    min_units: int,
    severity: Severity,
    extract: ExtractFiles,
    cells: Sequence[Cell],
    sets: IO[bytes],
    beside: Sequence[NamedSets] = (),
    released: Callable[[Iterable[str]], Mapping[str, Sequence[LedgerFile]]] | None = None,
) -> tuple[tuple[StagedSets, ...], list[Finding]]:
    """`stage_sets` with a ledger that knows no office: `released` answers what has left, by space; without
    it, nothing has."""
    held = _held(cells)
    if not held:  # no number, or none of persons
        return (), []
    try:
        known = ledger.number(extract)
        names = {cell.table for cell in held}
        if not names <= set(known):
            raise IntegrityError("ledger_damaged", "A table's persons are not known.")
        tables = {name: known[name] for name in sorted(names)}
        spaces = dict.fromkeys(table.space for table in tables.values())
        staged, found = ledger.place(
            tables,
            held,
            sets,
            released(spaces) if released is not None else {},
            _by_space(beside),
            min_units=min_units,
            severity=severity,
        )
    except IntegrityError:
        return (), [finding("ledger_unread", Severity.REVIEW)]
    return tuple(staged), found


def _held(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.held is not None]


def stage_headings(
    office: Office, *, project: str, raw: object, beside: Sequence[tuple[str, object]] = ()
) -> tuple[tuple[StagedSets, ...], list[Finding]]:
    """What a file's tables are headed with and say (`raw`, as a check answers), to be kept where their
    numbers have no known units; and which of them are like such a table that the project has released, or
    like one `beside` them in the submission."""
    try:
        tables = _headings(raw)
    except ValueError:
        return (), [finding("ledger_unread", Severity.REVIEW)]
    if not tables:
        return (), []
    space = f"{_HEADINGS}{project}"
    with office.units.read() as unit:
        released = [
            (file.number, file.name, headings_from_json(one))
            for file in _released(unit, space)
            for one in file.cells
        ]
    unknown = tuple(one.to_json() for one in tables[:MAX_TABLES] if not one.known)
    found = [*find_unknown(tables, released), *compare_headings(raw, beside)]
    return (StagedSets(space, "", unknown),) if unknown else (), found


def compare_headings(raw: object, beside: Sequence[tuple[str, object]]) -> list[Finding]:
    """Which tables of a file differ in a few numbers from one `beside` it (the name of the file, and what its
    check says of it), where the units behind one of them are not known. What cannot be read is left to
    `stage_headings`."""
    try:
        others = [(name, one) for name, said in beside for one in _headings(said)]
        return list(find_unknown_beside(_headings(raw), others))
    except ValueError:
        return []


def _headings(raw: object) -> list[Headings]:
    return [headings_from_json(one) for one in raw] if isinstance(raw, list) else []


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


@dataclasses.dataclass(frozen=True, slots=True)
class Compared:
    """What a submission was compared with before its transaction began: pairs of its own files and released
    ones; `differs`: a release from which it must not differ so."""

    files: frozenset[tuple[str, str]] = frozenset()
    differs: int | None = None


NOTHING_COMPARED = Compared()


def compare_waiting(
    office: Office, submission: Submission, *, without: frozenset[Named] = frozenset()
) -> Compared:
    """Compare a submission with what was released since it was checked, outside of any transaction: at 25
    million rows this takes a while, in which others must be able to write. What cannot be compared is left to
    `release_sets`, which refuses. `without`: outputs that do not leave."""
    checking = office.checking
    if checking is None:
        return NOTHING_COMPARED
    with office.units.read() as unit:
        pairs = [
            (_leaving(file, without), _released(unit, file.space, after=submission.submitted_at))
            for file in unit.ledger_files.find(submission=submission.id)
            if not file.space.startswith(_HEADINGS)
        ]
    done: set[tuple[str, str]] = set()
    for file, since in pairs:
        try:
            number = _first_difference(checking, file, since)
        except IntegrityError:
            continue
        done |= {(file.id, old.id) for old in since}
        if number is not None:
            return Compared(frozenset(done), number)
    return Compared(frozenset(done))


def _first_difference(checking: Checking, file: LedgerFile, since: Sequence[LedgerFile]) -> int | None:
    """The number of a release that a file differs from by too few, of which that is known."""
    if not since or checking.differencing is not Severity.BLOCK:
        return None
    found = checking.ledger.differ(file, since, min_units=checking.min_units)
    return next((number for number, same, sure in found if same and sure), None)


def release_sets(
    unit: Unit,
    checking: Checking,
    submission: Submission,
    *,
    now: datetime,
    compared: Compared = NOTHING_COMPARED,
    without: frozenset[Named] = frozenset(),
) -> int:
    """Count a submission's numbers as released, in this transaction; how many. `compared`: what it need not
    be compared with again; a released file never changes, and none is compared together with another.
    `without`: outputs that do not leave, whose numbers are forgotten.

    Raises Conflict `differs_from_release` if something released since the submission was checked differs
    from it by fewer persons, households or employers than the threshold: two that waited together must not
    both leave. Its own files were compared when they were checked, and what that told was answered; those
    kept before that was done are compared now (`differs_beside`). Raises IntegrityError `ledger_damaged`
    where its sets are not what was kept.
    """
    if compared.differs is not None:
        raise _differs(compared.differs)
    cells = 0
    for kept in unit.ledger_files.find(submission=submission.id):
        file = _leaving(kept, without)
        if file.space.startswith(_HEADINGS):
            unit.ledger_files.save(dataclasses.replace(file, released_at=now))
            continue
        since = [
            other
            for other in _released(unit, file.space, after=submission.submitted_at)
            if (file.id, other.id) not in compared.files
            and (other.submission != submission.id or not _compared(other))
        ]
        checking.ledger.verify(file)
        number = _first_difference(checking, file, since)
        if number is not None:
            raise _differs_beside() if number == submission.number else _differs(number)
        unit.ledger_files.save(dataclasses.replace(file, released_at=now))
        cells += len(file.cells)
    return cells


def _leaving(file: LedgerFile, without: frozenset[Named]) -> LedgerFile:
    """What is kept of a file that leaves without some outputs: all of it where its index is so old that it
    does not say which set is a number's."""
    named = {(cell, output) for position, cell, output in without if position == file.position}
    if not named or not (file.space.startswith(_HEADINGS) or _compared(file)):
        return file
    cells = tuple(cell for cell in file.cells if _output_of(cell) not in named)
    return dataclasses.replace(file, cells=cells)


def _output_of(cell: Mapping[str, object]) -> tuple[object, object]:
    place = cell.get("place")
    return (place.get("cell"), place.get("output")) if isinstance(place, Mapping) else (None, None)


def _by_space(beside: Sequence[NamedSets]) -> dict[str, list[LedgerFile]]:
    files: dict[str, list[LedgerFile]] = {}
    for at, (name, sets) in enumerate(beside):
        for k, one in enumerate(sets):
            files.setdefault(one.space, []).append(
                LedgerFile(
                    f"beside/{at}/{k}", "", at, SAME_SUBMISSION, name, one.space, one.sha256, one.cells
                )
            )
    return files


def _released(unit: Unit, space: str, *, after: datetime | None = None) -> list[LedgerFile]:
    """What was released in a space; with `after`, only since then."""
    return [
        file
        for file in unit.ledger_files.find(space=space)
        if file.released_at is not None and (after is None or file.released_at >= after)
    ]


def _compared(file: LedgerFile) -> bool:
    """Whether the files of its submission were compared with it when they were checked; those whose index
    does not say which set is a number's are older than that."""
    return all("set" in cell for cell in file.cells)


def _differs_beside() -> Conflict:
    return Conflict(
        "differs_beside",
        "Two files of this submission are about nearly the same population: together they would tell about "
        "too few. Return it.",
        "Deux fichiers de cette soumission portent sur presque la même population : ensemble, ils "
        "informeraient sur trop peu d’unités. Renvoyez-la.",
    )


def _differs(number: int) -> Conflict:
    return Conflict(
        "differs_from_release",
        f"Release no. {number} came out meanwhile and is about nearly the same population: together they "
        "would tell about too few. Return this submission.",
        f"La libération n° {number}, intervenue entre-temps, porte sur presque la même population : "
        "ensemble, elles informeraient sur trop peu d’unités. Renvoyez cette soumission.",
    )

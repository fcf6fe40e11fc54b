"""Outputs of notebooks that checkers withhold: the notebook is approved without them.

A vote names outputs by file, cell and output, each from 0. What leaves is the reviewed notebook with a
sentence in their place, hashed anew; the ledger takes the numbers of what leaves, and the record lists what
does not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any

from hub.actions.ports import OutputVault, Unit
from hub.checks.findings import Place, UnreadableReport, finding_from_json
from hub.checks.thresholds import Thresholds
from hub.checks.withholding import RULE, CannotWithhold, withhold_in_subprocess
from hub.domain.errors import IntegrityError, NotFound, Refused
from hub.domain.records import Submission, SubmittedFile, Vote

MAX_WITHHELD = 500
Named = tuple[int, int, int]  # the file's position, the cell, the output


@dataclasses.dataclass(frozen=True)
class Withholder:
    """What rewriting needs: the vault, and the bounds of the child that does it."""

    vault: OutputVault
    thresholds: Thresholds


@dataclasses.dataclass(frozen=True)
class WithheldFile:
    """A file of a submission without the outputs that a vote names, frozen in the vault."""

    position: int
    reviewed: str
    size: int
    sha256: str
    changes: tuple[dict[str, Any], ...]


def parse_names(texts: Collection[str]) -> frozenset[Named]:
    """`<file>-<cell>-<output>`, each from 0; NotFound `unknown_output` for anything else."""
    named = set()
    for text in texts:
        parts = text.split("-")
        if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) < 6 for p in parts):
            raise unknown_output()
        named.add((int(parts[0]), int(parts[1]), int(parts[2])))
    return frozenset(named)


def written_names(named: Collection[Named]) -> tuple[str, ...]:
    """The same as they are stored, in order."""
    return tuple("-".join(map(str, one)) for one in sorted(named))


def prepare(
    withholder: Withholder | None, files: Sequence[SubmittedFile], named: Collection[Named]
) -> tuple[WithheldFile, ...]:
    """The files without the outputs that a vote names, made in a confined child and frozen in the vault,
    where nothing refers to them before the vote decides. Raises NotFound `unknown_output` where there is
    none of the name, Refused `cannot_withhold` where it cannot be done."""
    if not named:
        return ()
    if withholder is None or len(named) > MAX_WITHHELD:
        raise _cannot()
    by_position = {file.position: file for file in files}
    made = []
    for position in sorted({one[0] for one in named}):
        file = by_position.get(position)
        if file is None or file.canonical_sha256 is None or not file.shown_name.lower().endswith(".ipynb"):
            raise unknown_output()
        outputs = sorted((cell, output) for at, cell, output in named if at == position)
        withholder.vault.read(file.canonical_sha256)  # verified before anything is made of it
        try:
            found = withhold_in_subprocess(
                withholder.vault.path(file.canonical_sha256), outputs, withholder.thresholds
            )
        except CannotWithhold as error:
            raise unknown_output() if error.unknown else _cannot() from error
        with withholder.vault.receive() as arrival:
            arriving = arrival.open(position)
            arriving.write(found.data)
            sha256 = arrival.freeze(arriving)
        changes = tuple(one.to_json() for one in found.changes(file.canonical_sha256))
        made.append(WithheldFile(position, file.canonical_sha256, len(found.data), sha256, changes))
    return tuple(made)


def apply(unit: Unit, submission: Submission, made: Sequence[WithheldFile]) -> None:
    """In the transaction that releases a submission: these bytes leave instead of those that were reviewed.
    Raises IntegrityError where the reviewed ones are not those that they were made from."""
    for one in made:
        file = unit.files.get(f"{submission.id}/{one.position}")
        if file is None or file.canonical_sha256 != one.reviewed:
            raise IntegrityError("changed_bytes", "The file is not the one that was reviewed.")
        unit.files.save(
            dataclasses.replace(
                file,
                canonical_size=one.size,
                canonical_sha256=one.sha256,
                changes=(*file.changes, *one.changes),
            )
        )


def withheld_of(file: SubmittedFile) -> list[tuple[Place, str]]:
    """The outputs that did not leave with a released file, each with its SHA-256."""
    found = []
    for raw in file.changes:
        try:
            change = finding_from_json(dict(raw))
        except UnreadableReport:
            continue
        if change.rule == RULE:
            found.append((change.place, str(change.evidence.get("sha256", ""))))
    return found


def reviewed_sha256(file: SubmittedFile) -> str | None:
    """The SHA-256 of the bytes that were reviewed, where others left."""
    for raw in file.changes:
        evidence = raw.get("evidence")
        if raw.get("rule") == RULE and isinstance(evidence, dict):
            return str(evidence.get("reviewed"))
    return None


def in_dispute(votes: Sequence[Vote]) -> frozenset[Named]:
    """The outputs that some of the votes name and others do not."""
    sets = [parse_names(vote.withheld) for vote in votes]
    return frozenset.union(*sets) - frozenset.intersection(*sets) if sets else frozenset()


def unknown_output() -> NotFound:
    return NotFound(
        "unknown_output",
        "There is no such output of a notebook in this submission.",
        "Il n’y a pas de telle sortie de notebook dans cette soumission.",
        field="withhold",
    )


def _cannot() -> Refused:
    return Refused(
        "cannot_withhold",
        "The notebook could not be written without these outputs: return or reject the submission.",
        "Le notebook n’a pas pu être écrit sans ces sorties : renvoyez ou rejetez la soumission.",
        field="withhold",
    )

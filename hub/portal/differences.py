"""A waiting file beside the version before it and beside what its project has released."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.actions.ports import Unit
from hub.actions.reviews import read_submitted_file
from hub.checks import compare_in_subprocess, relate_in_subprocess
from hub.domain.errors import NotFound
from hub.domain.lifecycle import SubmissionState
from hub.domain.records import Submission, SubmittedFile
from hub.portal.visits import Visit

_MAX_OTHERS = 120  # released files whose tables are looked at, the newest first
_AT_ONCE = 20  # in one child; one that takes too long is not offered, nor are those beside it
_MAX_OFFERED = 8
_PICTURES = (".png", ".jpg", ".jpeg")
_SAME_TABLE = 0.5  # share of column names, or of labels, from which a release counts as the same table


@dataclass(frozen=True)
class Other:
    """A file to compare with. `version`: of the submission that this one replaces; else a release.
    `columns`, `labels`: shares in common, None where they were not looked at."""

    submission: Submission
    file: SubmittedFile
    version: bool
    columns: float | None = None
    labels: float | None = None

    @property
    def key(self) -> str:
        """How an address names it: `<submission>.<position>`."""
        return f"{self.submission.id}.{self.file.position}"


@dataclass(frozen=True)
class Difference:
    """What may be compared with, which of them is, and what differs (hub.checks.differences_of_files)."""

    others: Sequence[Other]
    chosen: Other | None
    found: dict[str, Any] | None


def earlier_versions(unit: Unit, submission: Submission, file: SubmittedFile) -> list[Other]:
    """The same file in the versions before, the last first: of the same name, else of the same original,
    else the only one of its type."""
    found: list[Other] = []
    seen = {submission.id}
    older = submission.supersedes
    while older is not None and older not in seen:
        seen.add(older)
        earlier = unit.submissions.get(older)
        if earlier is None:
            break
        match = _same_file(file, unit.files.find(submission=older))
        if match is not None:
            found.append(Other(earlier, match, version=True))
        older = earlier.supersedes
    return found


def _same_file(file: SubmittedFile, candidates: Sequence[SubmittedFile]) -> SubmittedFile | None:
    for same in (
        [one for one in candidates if one.shown_name.casefold() == file.shown_name.casefold()],
        [one for one in candidates if one.name.casefold() == file.name.casefold()],
        [one for one in candidates if one.media_type == file.media_type],
    ):
        if len(same) == 1:
            return same[0]
    return None


def _released_files(unit: Unit, submission: Submission) -> list[Other]:
    """Released files of the project that may hold tables, the newest first."""
    released = unit.submissions.find(project=submission.project, state=SubmissionState.RELEASED)
    released = [one for one in released if one.id != submission.id]
    found = []
    for one in sorted(released, key=lambda s: s.decided_at or s.submitted_at, reverse=True):
        for file in sorted(unit.files.find(submission=one.id), key=lambda f: f.position):
            if file.canonical_sha256 is not None and not file.shown_name.lower().endswith(_PICTURES):
                found.append(Other(one, file, version=False))
        if len(found) >= _MAX_OTHERS:
            break
    return found[:_MAX_OTHERS]


def difference(
    visit: Visit,
    submission: Submission,
    file: SubmittedFile,
    *,
    wanted: str | None,
    versions: Sequence[Other],
) -> Difference:
    """The difference of a waiting file to the one named `wanted`, or to the first there is.

    Reading the other file is a look at it: its bytes are verified and the look is audited. Raises NotFound
    where `wanted` is none of those offered, and whatever reading refuses.
    """
    others = [*versions, *_related(visit, submission, file)]
    if wanted is not None:
        chosen = next((other for other in others if other.key == wanted), None)
        if chosen is None:
            raise NotFound("not_found", "There is no such file.", "Ce fichier n’existe pas.", field="to")
    else:
        chosen = others[0] if others else None
    if chosen is None:
        return Difference(others, None, None)
    read_submitted_file(
        visit.office,
        visit.portal.vault,
        submission_id=chosen.submission.id,
        position=chosen.file.position,
        by=visit.actor,
        now=visit.now,
    )
    vault = visit.portal.vault
    found = compare_in_subprocess(
        vault.path(chosen.file.shown_sha256),
        chosen.file.shown_name,
        vault.path(file.shown_sha256),
        file.shown_name,
        visit.portal.thresholds,
    )
    return Difference(others, chosen, found)


def _related(visit: Visit, submission: Submission, file: SubmittedFile) -> list[Other]:
    """Released files, of whatever format, with a table of the same columns or about the same labels as one of
    the file's; those with the most in common first."""
    if file.shown_name.lower().endswith(_PICTURES):
        return []
    with visit.office.units.read() as unit:
        released = _released_files(unit, submission)
    vault = visit.portal.vault
    shares = [
        share
        for some in (released[at : at + _AT_ONCE] for at in range(0, len(released), _AT_ONCE))
        for share in relate_in_subprocess(
            vault.path(file.shown_sha256),
            file.shown_name,
            [(vault.path(other.file.shown_sha256), other.file.shown_name) for other in some],
            visit.portal.thresholds,
        )
    ]
    related = [
        Other(other.submission, other.file, version=False, columns=columns, labels=labels)
        for other, (columns, labels) in zip(released, shares, strict=True)
        if max(columns, labels) >= _SAME_TABLE
    ]
    related.sort(key=lambda other: (other.columns or 0, other.labels or 0), reverse=True)
    return related[:_MAX_OFFERED]

"""A submitted file becomes the files that are reviewed: rewritten in one confined process, checked in
another.

The second process sees only what the first one wrote, as a reader would, so a file that takes the first over
gains nothing it could not have submitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from hub.actions.ledgers import NamedSets, stage_headings, stage_sets
from hub.actions.ports import Arrival, ExtractFiles
from hub.checks import (
    Canonical,
    Finding,
    Part,
    Report,
    Severity,
    add_changes,
    check_in_subprocess,
    doubts_of,
    refused_report,
    rewrite_in_subprocess,
)
from hub.checks.headings import HEADINGS
from hub.checks.sentences import finding
from hub.documents.outputs import Declaration
from hub.domain.records import Extract, StagedFile, StagedSets, SubmittedFile
from hub.portal.ports import Portal

_FIRST = 1_000  # staging positions of rewritten files, beyond those of any upload


def released_as(file: SubmittedFile) -> dict[str, Any] | None:
    """Name, size and SHA-256 of what leaves once approved; None where nothing can."""
    if file.canonical_sha256 is None:
        return None
    return {"name": file.canonical_name, "size": file.canonical_size, "sha256": file.canonical_sha256}


class Intake:
    """The files of one submission on their way in. Blocks while the child processes work."""

    def __init__(
        self,
        portal: Portal,
        arrival: Arrival,
        form: Mapping[str, str],
        extract: Extract | None,
        declarations: Mapping[str, Declaration],
    ) -> None:
        self._portal = portal
        self._arrival = arrival
        self._form = form
        self._declarations = declarations
        self._extract = extract
        self._directory = portal.extracts / extract.id if extract is not None else None
        self._names: set[str] = set()
        self._written = 0
        self._beside: list[NamedSets] = []  # of the files before
        self._headed: list[tuple[str, object]] = []  # what their tables are headed with, and say

    def take(self, name: str, size: int, sha256: str) -> list[StagedFile]:
        """The records of a frozen original: one per part that may leave, or one that says why none may."""
        made = rewrite_in_subprocess(
            self._portal.vault.path(sha256), name=name, thresholds=self._portal.thresholds
        )
        if not made.parts:
            report = refused_report(name, sha256, size, made.changes)
            return [
                StagedFile(
                    name, size, sha256, report.media_type, report.to_json(), changes=_told(made.changes)
                )
            ]
        return [self._stage(name, size, sha256, made, part) for part in made.parts]

    def _stage(self, name: str, size: int, sha256: str, made: Canonical, part: Part) -> StagedFile:
        released = self._own_name(part.name)
        # A declaration is about one table: what falls into several parts has none.
        declaration = self._declarations.get(name) if len(made.parts) == 1 else None
        frozen = self._freeze(part.data)
        changes = made.changes_of(part)
        report, sets = self._check(frozen, released, declaration, doubts_of(changes))
        report, headings = self._compare_headings(report, released)
        told = report.to_json()
        if declaration is not None:
            told["summary"]["declaration"] = declaration.model_dump(mode="json", by_alias=True)
        return StagedFile(
            name,
            size,
            sha256,
            report.media_type,
            told,
            sets=(*sets, *headings),
            canonical_name=released,
            canonical_size=len(part.data),
            canonical_sha256=frozen,
            changes=_told(changes),
        )

    def _check(
        self, frozen: str, released: str, declaration: Declaration | None, doubts: Sequence[Finding]
    ) -> tuple[Report, tuple[StagedSets, ...]]:
        """The report on a rewritten file; with what a large extract needs, one at a time. The persons behind
        its numbers, and what they belong to, go to the ledger; what they tell beside released ones is found.
        Their sets pass from one child to the next in a file without a name."""
        indexes, extract = self._portal.indexes, self._extract
        with ExitStack() as turn:
            limits, index = None, None
            if indexes is not None and extract is not None and self._directory is not None:
                limits = turn.enter_context(indexes.turn(self._directory, extract.id))
                index = indexes.of(self._directory, extract.id)
            checking = self._portal.office.checking if extract is not None else None
            sets = turn.enter_context(checking.ledger.aside()) if checking is not None else None
            report = check_in_subprocess(
                self._portal.vault.path(frozen),
                name=released,
                form=self._form,
                extract=self._directory,
                thresholds=self._portal.thresholds,
                sets=sets,
                declaration=declaration,
                limits=limits,
                index=index,
            )
            report = add_changes(report, doubts)
            if extract is None or self._directory is None:
                return report, ()
            if sets is None:
                return report.with_findings([finding("ledger_unread", Severity.REVIEW)]), ()
            files = ExtractFiles(extract.id, self._directory, index)
            staged, found = stage_sets(
                self._portal.office, extract=files, cells=report.cells, sets=sets, beside=self._beside
            )
            self._beside.append(NamedSets(released, staged))
            return report.with_findings(found) if found else report, staged

    def _compare_headings(self, report: Report, released: str) -> tuple[Report, tuple[StagedSets, ...]]:
        """The report without what its tables are headed with, which goes where released ones are found."""
        summary = dict(report.summary)
        raw = summary.pop(HEADINGS, None)
        report = replace(report, summary=summary)
        if self._extract is None:
            return report, ()
        kept, found = stage_headings(
            self._portal.office, project=self._extract.project, raw=raw, beside=self._headed
        )
        self._headed.append((released, raw))
        return report.with_findings(found) if found else report, kept

    def _freeze(self, data: bytes) -> str:
        file = self._arrival.open(_FIRST + self._written)
        self._written += 1
        file.write(data)
        return self._arrival.freeze(file)

    def _own_name(self, name: str) -> str:
        """The name, numbered where another file of the submission leaves under it."""
        path, own, number = PurePosixPath(name), name, 1
        while own.casefold() in self._names:
            number += 1
            own = f"{path.stem} ({number}){path.suffix}"
        self._names.add(own.casefold())
        return own


def _told(changes: Sequence[Finding]) -> tuple[dict[str, Any], ...]:
    return tuple(change.to_json() for change in changes)

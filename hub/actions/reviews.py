"""Reviews: two checkers, each blind to the other until both have voted; then release or return."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from hub.actions.approvals import NO_GROUNDS, Grounds, account_for
from hub.actions.deciders import deciders_of
from hub.actions.ledgers import NOTHING_COMPARED, Compared, compare_waiting, release_sets
from hub.actions.ports import Office, OutputVault, Unit
from hub.actions.releases import record_release, require_checking
from hub.actions.submissions import get_submission, subject_of
from hub.actions.withholding import (
    Named,
    WithheldFile,
    Withholder,
    apply,
    in_dispute,
    parse_names,
    prepare,
    reviewed_sha256,
    written_names,
)
from hub.domain import lifecycle
from hub.domain.errors import Conflict, NotFound, PermissionDenied, Refused
from hub.domain.lifecycle import SubmissionState
from hub.domain.permissions import Actor, Permission, require
from hub.domain.records import Decision, Submission, SubmittedFile, Vote
from hub.domain.reviews import decided, disputed, outcome, visible_votes


def cast_vote(
    office: Office,
    *,
    submission_id: str,
    decision: Decision,
    comment: str,
    by: Actor,
    now: datetime,
    grounds: Grounds = NO_GROUNDS,
    withholder: Withholder | None = None,
) -> Submission:
    """Record one checker's vote; the one that completes the quorum decides, and approval releases.

    The same vote again changes nothing and answers the present state; a different second vote is
    Conflict `already_voted`, unless all approve and would not withhold the same outputs: then nothing is
    decided, and each may vote again. Votes that policies/review.yaml lists need a comment. An approval needs
    its `grounds` (hub.actions.approvals says which), and where it withholds outputs, the `withholder`.
    """
    comment = comment.strip()
    if decision in office.rules.review.comment_needed_for and not comment:
        raise Refused(
            "comment_missing",
            "Say what must change: the researcher reads this comment.",
            "Dites ce qui doit changer : la personne qui a soumis lira ce commentaire.",
            field="comment",
        )
    if len(comment) > 10_000:
        raise Refused(
            "too_long", "The comment is too long.", "Le commentaire est trop long.", field="comment"
        )
    with office.units.read() as unit:
        submission = get_submission(unit, submission_id)
        require(office.rules.roles, by, Permission.SUBMISSION_REVIEW, subject_of(unit, submission))
        ballot = _Ballot(decision, comment, _withheld(decision, grounds))
        if _repeats(office, unit, submission, ballot, by):
            return submission
        files = unit.files.find(submission=submission_id)
    without = prepare(withholder, files, parse_names(ballot.withheld))
    compared = NOTHING_COMPARED
    if decision is Decision.APPROVE:
        compared = compare_waiting(office, submission, without=grounds.withheld)
    with office.units.write() as unit:
        submission = get_submission(unit, submission_id)
        require(office.rules.roles, by, Permission.SUBMISSION_REVIEW, subject_of(unit, submission))
        if _repeats(office, unit, submission, ballot, by):
            unit.record(by=by, action="review.vote_repeated", object=f"submission:{submission_id}", now=now)
            return submission
        if submission.state is SubmissionState.SUBMITTED:
            submission = _move(unit, submission, SubmissionState.UNDER_REVIEW)
        if submission.state is not SubmissionState.UNDER_REVIEW:
            raise Conflict(
                "not_under_review",
                "This submission is no longer waiting for a decision.",
                "Cette soumission n’attend plus de décision.",
            )
        confirmed: tuple[str, ...] = ()
        if decision is Decision.APPROVE:
            confirmed = account_for(office, unit, submission, grounds, by=by, now=now)
        key = f"{submission_id}/{by.username}"
        cast = Vote(key, submission_id, by.username, decision, comment, now, confirmed, ballot.withheld)
        if unit.votes.get(key) is None:
            unit.votes.add(cast)
        else:  # in dispute about what to withhold
            unit.votes.save(cast)
        unit.record(
            by=by,
            action="review.voted",
            object=f"submission:{submission_id}",
            now=now,
            details={
                "decision": decision.value,
                "number": submission.number,
                "confirmed": list(confirmed),
                **({"withheld": list(ballot.withheld)} if ballot.withheld else {}),
                "policies": office.rules.fingerprint,
            },
        )
        return _decide(office, unit, submission, compared, without, by=by, now=now)


class _Ballot(NamedTuple):
    """What a checker decides, and without which outputs."""

    decision: Decision
    comment: str
    withheld: tuple[str, ...]


def _withheld(decision: Decision, grounds: Grounds) -> tuple[str, ...]:
    return written_names(grounds.withheld) if decision is Decision.APPROVE else ()


def _repeats(office: Office, unit: Unit, submission: Submission, ballot: _Ballot, by: Actor) -> bool:
    """Whether this vote is in already; raises Conflict if another one of this checker is that stands."""
    mine = unit.votes.get(f"{submission.id}/{by.username}")
    if mine is None:
        return False
    if (mine.decision, mine.comment, mine.withheld) == ballot:
        return True
    if disputed_outputs(office, unit, submission):
        return False
    raise Conflict(
        "already_voted",
        "You have voted on this submission; a vote cannot be changed.",
        "Vous avez déjà voté sur cette soumission ; un vote ne peut être modifié.",
    )


def disputed_outputs(office: Office, unit: Unit, submission: Submission) -> frozenset[Named]:
    """The outputs that some would withhold and others not, where enough approve a submission: nothing is
    decided before they agree. Empty where they do, or too few have voted."""
    if submission.state is not SubmissionState.UNDER_REVIEW:
        return frozenset()
    votes = unit.votes.find(submission=submission.id)
    needed = deciders_of(office, unit, submission).needed
    return in_dispute(votes) if disputed(votes, needed) else frozenset()


def _move(unit: Unit, submission: Submission, to: SubmissionState) -> Submission:
    moved = dataclasses.replace(submission, state=lifecycle.move(lifecycle.SUBMISSION, submission.state, to))
    unit.submissions.save(moved)
    return moved


def _decide(
    office: Office,
    unit: Unit,
    submission: Submission,
    compared: Compared,
    without: Sequence[WithheldFile],
    *,
    by: Actor,
    now: datetime,
) -> Submission:
    """`without`: the files as they leave, where this vote withholds outputs; the others name the same."""
    votes = unit.votes.find(submission=submission.id)
    deciders = deciders_of(office, unit, submission)
    state = outcome(votes, deciders.needed)
    if state is SubmissionState.UNDER_REVIEW:
        return submission
    submission = _move(unit, dataclasses.replace(submission, decided_at=now), state)
    details: dict[str, object] = {
        "number": submission.number,
        "checkers": sorted(v.checker for v in votes),
        **({"one_decider": deciders.one.value} if deciders.one is not None else {}),
    }
    unit.record(
        by=by,
        action=f"submission.{state.value.lower()}",
        object=f"submission:{submission.id}",
        now=now,
        details=details,
    )
    if state is SubmissionState.APPROVED:
        apply(unit, submission, without)
        named = parse_names(votes[0].withheld)
        checking = require_checking(office)
        cells = release_sets(unit, checking, submission, now=now, compared=compared, without=named)
        submission = _move(unit, submission, SubmissionState.RELEASED)
        files = [
            {
                "sha256": f.canonical_sha256,
                "size": f.canonical_size,
                "original": f.sha256,
                **({"reviewed": reviewed} if (reviewed := reviewed_sha256(f)) is not None else {}),
            }
            for f in unit.files.find(submission=submission.id)
        ]
        told = unit.record(
            by=by,
            action="submission.released",
            object=f"submission:{submission.id}",
            now=now,
            details={
                **details,
                "files": files,
                "policies": office.rules.fingerprint,
                "ledger_cells": cells,
            },
        )
        record_release(unit, office, submission, told=told, deciders=deciders, by=by, now=now)
    return submission


@dataclasses.dataclass(frozen=True)
class SubmissionPage:
    """A submission as one viewer may see it."""

    submission: Submission
    files: tuple[SubmittedFile, ...]
    votes: tuple[Vote, ...]
    votes_in: int


def view_submission(unit: Unit, submission: Submission, *, by: Actor) -> SubmissionPage:
    """Files and the votes that this viewer may see. The caller has required `submission.read`.

    How many votes are in is told to nobody before the round is over, save those who see the votes.
    """
    votes = unit.votes.find(submission=submission.id)
    seen = visible_votes(submission, votes, viewer=by.username, roles=by.roles)
    return SubmissionPage(
        submission,
        tuple(sorted(unit.files.find(submission=submission.id), key=lambda f: f.position)),
        seen,
        len(votes) if decided(submission) else len(seen),
    )


def read_submitted_file(
    office: Office, vault: OutputVault, *, submission_id: str, position: int, by: Actor, now: datetime
) -> tuple[SubmittedFile, Submission]:
    """A file's record for showing it to a reader of the submission; the look is audited for checkers."""
    with office.units.read() as unit:
        submission = get_submission(unit, submission_id)
        require(office.rules.roles, by, Permission.SUBMISSION_READ, subject_of(unit, submission))
        file = _file(unit, submission_id, position)
    vault.read(file.shown_sha256)  # verified before anything of it is shown
    if by.username != submission.author:
        with office.units.write() as unit:
            unit.record(
                by=by,
                action="submission.viewed",
                object=f"submission:{submission_id}",
                now=now,
                details={"file": position, "sha256": file.shown_sha256},
            )
    return file, submission


def download_release(
    office: Office, vault: OutputVault, *, submission_id: str, position: int, by: Actor, now: datetime
) -> tuple[SubmittedFile, bytes]:
    """The exact canonical bytes of a released file, their SHA-256 verified now, and the download audited.

    1. The actor may download releases of this submission. 2. It is released. 3. The bytes are those that
    were reviewed, never the original. 4. The event is stored. Only then are bytes answered.
    """
    with office.units.read() as unit:
        submission = get_submission(unit, submission_id)
        require(office.rules.roles, by, Permission.RELEASE_DOWNLOAD, subject_of(unit, submission))  # (1)
        if submission.state is not SubmissionState.RELEASED:  # (2)
            raise Conflict("not_released", "This is not released.", "Ceci n’est pas libéré.")
        file = _file(unit, submission_id, position)
    if file.canonical_sha256 is None:
        raise Conflict("not_released", "This is not released.", "Ceci n’est pas libéré.")
    content = vault.read(file.canonical_sha256)  # (3)
    with office.units.write() as unit:  # (4)
        unit.record(
            by=by,
            action="release.downloaded",
            object=f"submission:{submission_id}",
            now=now,
            details={"file": position, "sha256": file.canonical_sha256, "size": len(content)},
        )
    return file, content


def copy_frozen(
    office: Office,
    vault: OutputVault,
    *,
    submission_id: str,
    position: int,
    original: bool,
    by: Actor,
    now: datetime,
) -> tuple[str, str, bytes]:
    """Name, SHA-256 and bytes of a frozen file: the original as submitted, or what was written from it.

    1. The actor may copy this submission (the auditors), and has no part in its project. 2. There is such a
    file: NotFound `not_rewritten` where nothing could be written from the original. 3. The bytes are those
    that were frozen. 4. The event is stored. Only then are bytes answered.
    """
    with office.units.read() as unit:
        submission = get_submission(unit, submission_id)
        subject = subject_of(unit, submission)
        require(office.rules.roles, by, Permission.SUBMISSION_COPY, subject)  # (1)
        if by.username == subject.author or by.username in subject.members:
            raise PermissionDenied(
                "own_submission",
                "What is not released can be seen in the desk only.",
                "Ce qui n’est pas libéré ne se voit que dans le bureau.",
            )
        file = _file(unit, submission_id, position)  # (2)
    name, sha256 = (file.name, file.sha256) if original else (file.shown_name, file.canonical_sha256)
    if sha256 is None:
        raise NotFound(
            "not_rewritten",
            "Nothing could be written from this file; only the original exists.",
            "Rien n’a pu être réécrit à partir de ce fichier ; seul l’original existe.",
        )
    content = vault.read(sha256)  # (3)
    with office.units.write() as unit:  # (4)
        unit.record(
            by=by,
            action="submission.copied",
            object=f"submission:{submission_id}",
            now=now,
            details={"file": position, "original": original, "sha256": sha256, "size": len(content)},
        )
    return name, sha256, content


def _file(unit: Unit, submission_id: str, position: int) -> SubmittedFile:
    file = unit.files.get(f"{submission_id}/{position}")
    if file is None:
        raise NotFound("not_found", "There is no such file.", "Ce fichier n’existe pas.")
    return file

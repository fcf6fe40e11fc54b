"""Checkers' remarks on files and places of them: each their own until the round is over, then theirs
together. The person who submitted never reads them: what is meant for them is said with the vote."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime

from hub.actions.ports import Office, Unit
from hub.actions.submissions import get_submission, subject_of
from hub.domain.errors import NotFound, PermissionDenied, Refused
from hub.domain.permissions import Actor, Permission, require
from hub.domain.records import ReviewComment, Submission
from hub.domain.reviews import decided, sees_all

MAX_TEXT = 4_000
PLACES = ("cell", "output", "table", "row", "column", "line")


def add_comment(
    office: Office,
    *,
    submission_id: str,
    position: int,
    place: Mapping[str, int],
    text: str,
    by: Actor,
    now: datetime,
) -> ReviewComment:
    """A checker's remark on a file, or on one place of it (keys of PLACES, numbers from 0).

    Raises Refused `text_missing`, `too_long` or `bad_place`, NotFound for an unknown file.
    """
    text = text.strip()
    if not text:
        raise Refused("text_missing", "Write a comment.", "Écrivez un commentaire.", field="text")
    if len(text) > MAX_TEXT:
        raise Refused("too_long", "The comment is too long.", "Le commentaire est trop long.", field="text")
    if not set(place) <= set(PLACES) or any(not 0 <= number < 2**31 for number in place.values()):
        raise Refused("bad_place", "There is no such place.", "Cet endroit n’existe pas.", field="place")
    with office.units.write() as unit:
        submission = get_submission(unit, submission_id)
        require(office.rules.roles, by, Permission.SUBMISSION_REVIEW, subject_of(unit, submission))
        if unit.files.get(f"{submission_id}/{position}") is None:
            raise NotFound("not_found", "There is no such file.", "Ce fichier n’existe pas.", field="file")
        comment = ReviewComment(
            "k" + os.urandom(10).hex(), submission_id, by.username, position, dict(place), text, now
        )
        unit.comments.add(comment)
        unit.record(
            by=by,
            action="review.commented",
            object=f"submission:{submission_id}",
            now=now,
            details={"comment": comment.id, "file": position},
        )
    return comment


def visible_comments(office: Office, unit: Unit, submission: Submission, *, by: Actor) -> list[ReviewComment]:
    """The remarks that this viewer may read, in the order they were made; none for the project's people."""
    subject = subject_of(unit, submission)
    if by.username == subject.author or by.username in subject.members:
        return []
    try:
        require(office.rules.roles, by, Permission.SUBMISSION_READ, subject)
    except PermissionDenied:
        return []
    everything = sees_all(by, is_decided=decided(submission))
    return [
        comment
        for comment in unit.comments.find(submission=submission.id)
        if everything or comment.author == by.username
    ]

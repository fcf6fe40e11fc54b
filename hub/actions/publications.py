"""Publications: registered by a researcher, decided by two checkers like an output, listed when approved."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from datetime import datetime

from hub.actions.ports import Office, OutputVault, Unit
from hub.actions.projects import get_project
from hub.actions.submissions import get_submission
from hub.domain import lifecycle
from hub.domain.errors import Conflict, NotFound, Refused
from hub.domain.lifecycle import PublicationState, SubmissionState
from hub.domain.permissions import Actor, Permission, Subject, require
from hub.domain.publications import Publication, PublicationVote
from hub.domain.records import Decision, Vote
from hub.domain.reviews import outcome, sees_all

MAX_BYTES = 20_000_000
_DECIDED = (PublicationState.APPROVED, PublicationState.RETURNED, PublicationState.REJECTED)
_LONGEST = {"title": 500, "authors": 2_000, "venue": 500}


@dataclasses.dataclass(frozen=True)
class Manuscript:
    """The bytes of a manuscript as they arrived."""

    name: str
    content: bytes


@dataclasses.dataclass(frozen=True)
class NewPublication:
    """What a researcher says of a manuscript. `authors`: names and institutions, for the register;
    `releases`: ids of the project's released submissions; `supersedes`: a returned one of their own."""

    project: str
    title: str
    authors: str
    venue: str
    public: bool
    releases: Sequence[str]
    supersedes: str | None = None


def is_decided(publication: Publication) -> bool:
    """Whether the round of review is over."""
    return publication.state in _DECIDED


def get_publication(unit: Unit, publication_id: str) -> Publication:
    """The publication; raises NotFound `unknown_publication`."""
    publication = unit.publications.get(publication_id)
    if publication is None:
        raise NotFound(
            "unknown_publication", "There is no such publication.", "Cette publication n’existe pas."
        )
    return publication


def subject_of(unit: Unit, publication: Publication) -> Subject:
    """As a subject of reading: every member of the project may."""
    return get_project(unit, publication.project).subject


def register_publication(
    office: Office,
    vault: OutputVault,
    *,
    new: NewPublication,
    manuscript: Manuscript,
    by: Actor,
    now: datetime,
) -> Publication:
    """Freeze the manuscript in the vault and put it up for review.

    Raises Refused naming the field: text missing or too long, no PDF, too large, no release, or one that is
    not a release of the project; Conflict `not_returned` for a `supersedes` that is none.
    """
    with office.units.read() as unit:
        project = get_project(unit, new.project)
        require(office.rules.roles, by, Permission.PUBLICATION_WRITE, project.subject)
        releases = _releases(unit, new)
    fields = {name: _text(name, getattr(new, name)) for name in _LONGEST}
    _require_pdf(manuscript)
    sha256 = _freeze(vault, manuscript.content)
    with office.units.write() as unit:
        older = _superseded(unit, new, by)
        publication = Publication(
            id="p" + os.urandom(10).hex(),
            number=max((p.number for p in unit.publications.find()), default=0) + 1,
            project=new.project,
            author=by.username,
            title=fields["title"],
            authors=fields["authors"],
            venue=fields["venue"],
            public=new.public,
            releases=releases,
            file_name=_file_name(manuscript.name),
            size=len(manuscript.content),
            sha256=sha256,
            state=PublicationState.REGISTERED,
            registered_at=now,
            supersedes=older.id if older else None,
        )
        unit.publications.add(publication)
        if older:
            unit.publications.save(dataclasses.replace(older, superseded_by=publication.id))
        _record(
            unit,
            publication,
            "registered",
            by,
            now,
            releases=list(releases),
            sha256=sha256,
            size=publication.size,
            public=new.public,
        )
    return publication


def _text(name: str, value: str) -> str:
    value = " ".join(value.split())
    if not value or len(value) > _LONGEST[name]:
        most = _LONGEST[name]
        raise Refused(
            "missing" if not value else "too_long",
            f"This field is text of 1 to {most} characters.",
            f"Ce champ est un texte de 1 à {most} caractères.",
            field=name,
        )
    return value


def _releases(unit: Unit, new: NewPublication) -> tuple[str, ...]:
    for wanted in new.releases:
        submission = unit.submissions.get(wanted)
        if (
            submission is None
            or submission.project != new.project
            or submission.state is not SubmissionState.RELEASED
        ):
            raise Refused(
                "not_a_release",
                "Name releases of the same project.",
                "Indiquez des libérations du même projet.",
                field="releases",
            )
    if not new.releases:
        raise Refused(
            "missing",
            "Name the releases that the manuscript uses.",
            "Indiquez les libérations que le manuscrit utilise.",
            field="releases",
        )
    return tuple(dict.fromkeys(new.releases))


def _require_pdf(manuscript: Manuscript) -> None:
    if not manuscript.content.startswith(b"%PDF-"):
        raise Refused(
            "not_a_pdf", "The manuscript is a PDF file.", "Le manuscrit est un fichier PDF.", field="file"
        )
    if len(manuscript.content) > MAX_BYTES:
        raise Refused(
            "too_large",
            f"The manuscript has at most {MAX_BYTES // 1_000_000} MB.",
            f"Le manuscrit fait au plus {MAX_BYTES // 1_000_000} Mo.",
            field="file",
        )


def _file_name(name: str) -> str:
    plain = "".join(c for c in name if c.isprintable() and c not in '/\\:*?"<>|').strip(" .")
    return plain[-150:] or "manuscript.pdf"


def _freeze(vault: OutputVault, content: bytes) -> str:
    with vault.receive() as arrival:
        file = arrival.open(0)
        file.write(content)
        return arrival.freeze(file)


def _superseded(unit: Unit, new: NewPublication, by: Actor) -> Publication | None:
    if new.supersedes is None:
        return None
    older = get_publication(unit, new.supersedes)
    if older.author != by.username or older.project != new.project:
        raise NotFound(
            "unknown_publication",
            "There is no such publication.",
            "Cette publication n’existe pas.",
            field="supersedes",
        )
    if older.state is not PublicationState.RETURNED or older.superseded_by is not None:
        raise Conflict(
            "not_returned",
            "Only a returned manuscript can be registered again, and only once.",
            "Seul un manuscrit renvoyé peut être déclaré à nouveau, et une seule fois.",
            field="supersedes",
        )
    return older


def _record(
    unit: Unit, publication: Publication, what: str, by: Actor, now: datetime, **details: object
) -> None:
    told: Mapping[str, object] = {
        "number": publication.number,
        "project": publication.project,
        **details,
    }
    unit.record(
        by=by,
        action=f"publication.{what}",
        object=f"publication:{publication.id}",
        now=now,
        details=told,
    )


def withdraw_publication(office: Office, *, publication_id: str, by: Actor, now: datetime) -> Publication:
    """Take one's own manuscript back before it is decided."""
    with office.units.write() as unit:
        publication = get_publication(unit, publication_id)
        members = get_project(unit, publication.project).members
        require(office.rules.roles, by, Permission.PUBLICATION_WRITE, publication.subject(members))
        withdrawn = _moved(publication, PublicationState.WITHDRAWN, decided_at=now)
        unit.publications.save(withdrawn)
        _record(unit, withdrawn, "withdrawn", by, now)
    return withdrawn


def vote_on_publication(
    office: Office, *, publication_id: str, decision: Decision, comment: str, by: Actor, now: datetime
) -> Publication:
    """One checker's vote, once; the one that completes the quorum decides. Blind like votes on outputs."""
    comment = comment.strip()
    if decision in office.rules.review.comment_needed_for and not comment:
        raise Refused(
            "comment_missing",
            "Say what must change: the researcher reads this comment.",
            "Dites ce qui doit changer : la personne qui a déclaré le manuscrit lira ce commentaire.",
            field="comment",
        )
    if len(comment) > 10_000:
        raise Refused(
            "too_long", "The comment is too long.", "Le commentaire est trop long.", field="comment"
        )
    with office.units.write() as unit:
        publication = get_publication(unit, publication_id)
        members = get_project(unit, publication.project).members
        require(office.rules.roles, by, Permission.PUBLICATION_REVIEW, publication.subject(members))
        if unit.publication_votes.get(f"{publication_id}/{by.username}") is not None:
            raise Conflict(
                "already_voted",
                "You have voted on this manuscript; a vote cannot be changed.",
                "Vous avez déjà voté sur ce manuscrit ; un vote ne peut être modifié.",
            )
        if publication.state is PublicationState.REGISTERED:
            publication = _moved(publication, PublicationState.UNDER_REVIEW)
        if publication.state is not PublicationState.UNDER_REVIEW:
            raise Conflict(
                "not_under_review",
                "This manuscript is no longer waiting for a decision.",
                "Ce manuscrit n’attend plus de décision.",
            )
        unit.publication_votes.add(
            PublicationVote(
                f"{publication_id}/{by.username}", publication_id, by.username, decision, comment, now
            )
        )
        _record(unit, publication, "voted", by, now, decision=decision.value)
        return _decided(office, unit, publication, by=by, now=now)


def _decided(
    office: Office, unit: Unit, publication: Publication, *, by: Actor, now: datetime
) -> Publication:
    votes = unit.publication_votes.find(publication=publication.id)
    same = [Vote(v.id, v.publication, v.checker, v.decision, v.comment, v.voted_at) for v in votes]
    state = PublicationState(outcome(same, office.rules.review.quorum).value)
    if state is not PublicationState.UNDER_REVIEW:
        publication = _moved(publication, state, decided_at=now)
        _record(unit, publication, state.value.lower(), by, now, checkers=sorted(v.checker for v in votes))
    unit.publications.save(publication)
    return publication


def _moved(publication: Publication, to: PublicationState, **changes: datetime) -> Publication:
    state = lifecycle.move(lifecycle.PUBLICATION, publication.state, to)
    return dataclasses.replace(publication, state=state, **changes)  # type: ignore[arg-type]


def visible_votes(unit: Unit, publication: Publication, *, by: Actor) -> list[PublicationVote]:
    """The votes that this viewer may see: all once it is decided, until then a checker's own."""
    votes = unit.publication_votes.find(publication=publication.id)
    if sees_all(by, is_decided=is_decided(publication)):
        return votes
    return [vote for vote in votes if vote.checker == by.username and by.username != publication.author]


def read_manuscript(
    office: Office, vault: OutputVault, *, publication_id: str, by: Actor, now: datetime
) -> tuple[Publication, bytes]:
    """The manuscript, verified, for whoever may read the publication; the reading is audited."""
    with office.units.read() as unit:
        publication = get_publication(unit, publication_id)
        require(office.rules.roles, by, Permission.PUBLICATION_READ, subject_of(unit, publication))
    content = vault.read(publication.sha256)
    with office.units.write() as unit:
        _record(unit, publication, "read", by, now, sha256=publication.sha256)
    return publication, content


@dataclasses.dataclass(frozen=True)
class RegisterEntry:
    """A line of the public register: nothing but what its authors wrote, the date and release numbers."""

    number: int
    title: str
    authors: str
    venue: str
    approved_at: datetime
    releases: tuple[int, ...]


def public_register(unit: Unit) -> list[RegisterEntry]:
    """Approved publications that are public, newest first."""
    found = [p for p in unit.publications.find(state=PublicationState.APPROVED) if p.public]
    entries = [
        RegisterEntry(
            p.number,
            p.title,
            p.authors,
            p.venue,
            p.decided_at or p.registered_at,
            tuple(sorted(get_submission(unit, release).number for release in p.releases)),
        )
        for p in found
    ]
    return sorted(entries, key=lambda e: (e.approved_at, e.number), reverse=True)

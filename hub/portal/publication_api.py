"""Publications by API: the list, one of them, its manuscript and the checker's vote, as typed JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field

from hub.actions import publications as actions
from hub.actions.ports import Unit
from hub.domain.permissions import Permission
from hub.domain.publications import Publication, PublicationVote
from hub.portal import publications as pages
from hub.portal.permissions import About, Routes, needs
from hub.portal.reviews import parse_decision
from hub.portal.visits import CurrentVisit, Visit


class PublicationJson(BaseModel):
    """A manuscript. `releases`: ids of the submissions it rests on; `state` as the caller may know it."""

    id: str
    number: int
    project: str
    title: str
    authors: str
    venue: str
    public: bool
    releases: list[str]
    state: str
    sha256: str
    registered_at: datetime


class PublicationVoteJson(BaseModel):
    """A vote; those of others only once the round is over. `checker`: null for the project's people."""

    checker: str | None
    decision: str
    comment: str
    at: datetime


class PublicationReport(PublicationJson):
    """A manuscript with the votes that the caller may see."""

    file_name: str
    size: int
    supersedes: str | None
    votes: list[PublicationVoteJson]


class PublicationList(BaseModel):
    """Manuscripts, newest first."""

    publications: list[PublicationJson]


class PublicationVoteBody(BaseModel):
    """A checker's vote on a manuscript, once."""

    model_config = ConfigDict(extra="forbid")
    decision: Annotated[str, Field(description="APPROVE, RETURN or REJECT")]
    comment: str = ""


def register(routes: Routes) -> None:
    p = f"{routes.portal.prefix}/api/publications"
    reads = needs(Permission.PUBLICATION_READ, About.PUBLICATION)
    votes = needs(Permission.PUBLICATION_REVIEW, About.PUBLICATION)
    listing = needs(Permission.PUBLICATION_READ, About.LISTING)
    routes.add("GET", p, listing, list_publications, include_in_schema=True)
    routes.add("GET", f"{p}/{{id}}", reads, tell_publication, include_in_schema=True)
    routes.add("GET", f"{p}/{{id}}/file", reads, pages.download)
    routes.add("POST", f"{p}/{{id}}/vote", votes, vote, include_in_schema=True)


def list_publications(visit: CurrentVisit) -> PublicationList:
    """The publications that the caller may read, newest first."""
    with visit.office.units.read() as unit:
        found = pages.visible_publications(unit, visit)
    return PublicationList(publications=[PublicationJson(**_told(visit, one)) for one in found])


def tell_publication(visit: CurrentVisit, id: str) -> PublicationReport:
    """One publication."""
    with visit.office.units.read() as unit:
        return _report(visit, unit, actions.get_publication(unit, id))


def vote(visit: CurrentVisit, id: str, body: Annotated[PublicationVoteBody, Body()]) -> PublicationReport:
    """Vote on a manuscript, once."""
    publication = actions.vote_on_publication(
        visit.office,
        publication_id=id,
        decision=parse_decision(body.decision),
        comment=body.comment,
        by=visit.actor,
        now=visit.now,
    )
    with visit.office.units.read() as unit:
        return _report(visit, unit, publication)


def _told(visit: Visit, one: Publication) -> dict[str, object]:
    kept = ("id", "number", "project", "title", "authors", "venue", "public", "sha256", "registered_at")
    told: dict[str, object] = {name: getattr(one, name) for name in kept}
    return {**told, "releases": list(one.releases), "state": pages.shown_state(visit, one).value}


def _report(visit: Visit, unit: Unit, one: Publication) -> PublicationReport:
    members = actions.subject_of(unit, one).members
    inside = visit.person.username not in members
    votes = actions.visible_votes(unit, one, by=visit.actor)
    return PublicationReport.model_validate(
        {
            **_told(visit, one),
            "file_name": one.file_name,
            "size": one.size,
            "supersedes": one.supersedes,
            "votes": [_vote(each, named=inside) for each in votes],
        }
    )


def _vote(one: PublicationVote, *, named: bool) -> PublicationVoteJson:
    return PublicationVoteJson(
        checker=one.checker if named else None,
        decision=one.decision.value,
        comment=one.comment,
        at=one.voted_at,
    )

"""Publications: manuscripts that the office reviews before they appear, with the releases they use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.domain.lifecycle import PublicationState
from hub.domain.permissions import Subject
from hub.domain.records import Decision


@dataclass(frozen=True)
class Publication:
    """One manuscript. `authors` is the text for the register (names, institutions); `releases` are ids of
    released submissions; `sha256` the manuscript's place in the vault; `public`: listed once approved."""

    id: str
    number: int
    project: str
    author: str
    title: str
    authors: str
    venue: str
    public: bool
    releases: tuple[str, ...]
    file_name: str
    size: int
    sha256: str
    state: PublicationState
    registered_at: datetime
    supersedes: str | None = None
    superseded_by: str | None = None
    decided_at: datetime | None = None

    def subject(self, members: frozenset[str]) -> Subject:
        """The publication as a subject of permissions."""
        return Subject(self.id, members, self.author)


@dataclass(frozen=True)
class PublicationVote:
    """`id` is `<publication>/<checker>`: one vote of one checker, once."""

    id: str
    publication: str
    checker: str
    decision: Decision
    comment: str
    voted_at: datetime

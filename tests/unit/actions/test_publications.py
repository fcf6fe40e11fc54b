"""Publications: the office's right of review, decided by two, listed only when approved and public."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.actions import publications
from hub.actions.ports import Office
from hub.actions.publications import Manuscript, NewPublication
from hub.adapters.vaults import FileVault
from hub.domain.errors import Conflict, NotFound, PermissionDenied, Refused
from hub.domain.lifecycle import PublicationState
from hub.domain.permissions import Actor, Role
from hub.domain.publications import Publication
from hub.domain.records import Decision
from tests import factories
from tests.factories import NOW, actor
from tests.unit.actions.test_releases import approve, staged, submit

A, RET, REJ = Decision.APPROVE, Decision.RETURN, Decision.REJECT
PDF = b"%PDF-1.7\nA paper."


@pytest.fixture
def vault(tmp_path: Path) -> FileVault:
    made = FileVault(tmp_path / "vault")
    made.clear_staging()
    return made


@pytest.fixture
def release(office: Office) -> str:
    """A release of ana's project; rosa has one of her own, where nothing is released."""
    factories.add_project(office)
    factories.add_project(office, "health", people=["rosa"])
    return approve(office, submit(office, factories.open_session(office).session.id, staged())).id


def register(
    office: Office, vault: FileVault, *releases: str, who: str = "ana", file: bytes = PDF, **more: object
) -> Publication:
    values: dict[str, object] = {
        "project": "wages",
        "title": "Wages and  age",
        "authors": "Ana, University",
        "venue": "Review",
        "public": True,
        "releases": releases,
        **more,
    }
    return publications.register_publication(
        office,
        vault,
        new=NewPublication(**values),  # type: ignore[arg-type]  # tests put wrong values in on purpose
        manuscript=Manuscript("../paper:1.pdf", file),
        by=actor(who),
        now=NOW,
    )


def vote(office: Office, made: Publication, who: str | Actor, decision: Decision = A) -> Publication:
    by = actor(who) if isinstance(who, str) else who
    return publications.vote_on_publication(
        office, publication_id=made.id, decision=decision, comment="why", by=by, now=NOW
    )


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"title": " "}, "title"),
        ({"authors": "x" * 2001}, "authors"),
        ({"venue": ""}, "venue"),
        ({"file": b"PK\x03\x04"}, "file"),
        ({"file": b"%PDF-" + bytes(20_000_000)}, "file"),
        ({"file": b""}, "file"),
    ],
)
def test_what_is_incomplete_is_refused(
    office: Office, vault: FileVault, release: str, more: dict[str, object], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        register(office, vault, release, **more)  # type: ignore[arg-type]
    assert refused.value.field == field
    with office.units.read() as unit:
        assert unit.publications.find() == []


def test_it_rests_on_releases_of_the_same_project(office: Office, vault: FileVault, release: str) -> None:
    waiting = submit(office, factories.open_session(office).session.id, staged(b"x\n", name="x.csv")).id
    for releases in ((), (waiting,), ("nothing",)):
        with pytest.raises(Refused) as refused:
            register(office, vault, *releases)
        assert refused.value.field == "releases"
    with pytest.raises(Refused) as refused:
        register(office, vault, release, who="rosa", project="health")
    assert refused.value.code == "not_a_release"


@pytest.mark.parametrize("who", ["rosa", "bob", "chloe", "eve"])
def test_only_the_projects_people_declare(office: Office, vault: FileVault, release: str, who: str) -> None:
    with pytest.raises(PermissionDenied):
        register(office, vault, release, who=who)


@pytest.mark.parametrize(
    ("votes", "state"),
    [
        ((A,), PublicationState.UNDER_REVIEW),
        ((A, A), PublicationState.APPROVED),
        ((A, RET), PublicationState.RETURNED),
        ((A, REJ), PublicationState.RETURNED),
        ((REJ, REJ), PublicationState.REJECTED),
    ],
)
def test_two_people_decide(
    office: Office, vault: FileVault, release: str, votes: tuple[Decision, ...], state: PublicationState
) -> None:
    made = register(office, vault, release)
    for checker, decision in zip(("chloe", "denis"), votes, strict=False):
        made = vote(office, made, checker, decision)
    assert made.state is state
    with office.units.read() as unit:
        listed = publications.public_register(unit)
        assert [entry.title for entry in listed] == (["Wages and age"] if votes == (A, A) else [])
        if listed:
            assert listed[0].releases == (1,)


def test_votes_are_blind_single_and_of_outsiders(office: Office, vault: FileVault, release: str) -> None:
    made = register(office, vault, release)
    insider = Actor("ana", frozenset({Role.RESEARCHER, Role.CHECKER}))
    for who in (insider, "ana", "bob", "eve"):
        with pytest.raises(PermissionDenied):
            vote(office, made, who)
    vote(office, made, "chloe", RET)
    with pytest.raises(Conflict):
        vote(office, made, "chloe", A)
    with office.units.read() as unit:
        now = publications.get_publication(unit, made.id)
        for who, count in (("ana", 0), ("denis", 0), ("chloe", 1), ("eve", 1)):
            assert len(publications.visible_votes(unit, now, by=actor(who))) == count
    vote(office, made, "denis", RET)
    with office.units.read() as unit:
        now = publications.get_publication(unit, made.id)
        assert len(publications.visible_votes(unit, now, by=actor("ana"))) == 2
    with pytest.raises(Conflict):
        vote(office, made, "denis")
    with pytest.raises(Refused):
        publications.vote_on_publication(
            office, publication_id=made.id, decision=RET, comment=" ", by=actor("denis"), now=NOW
        )


def test_a_returned_manuscript_is_declared_again_once(office: Office, vault: FileVault, release: str) -> None:
    first = register(office, vault, release)
    with pytest.raises(Conflict):
        register(office, vault, release, supersedes=first.id)
    for checker in ("chloe", "denis"):
        vote(office, first, checker, RET)
    with pytest.raises(NotFound):
        register(office, vault, release, supersedes="nothing")
    second = register(office, vault, release, supersedes=first.id)
    assert (second.number, second.supersedes) == (2, first.id)
    with pytest.raises(Conflict):
        register(office, vault, release, supersedes=first.id)


def test_what_is_not_public_is_not_listed(office: Office, vault: FileVault, release: str) -> None:
    made = register(office, vault, release, public=False)
    for checker in ("chloe", "denis"):
        vote(office, made, checker)
    with office.units.read() as unit:
        assert publications.public_register(unit) == []


def test_the_manuscript_comes_back_to_who_may_read_it(office: Office, vault: FileVault, release: str) -> None:
    made = register(office, vault, release)
    assert made.file_name == "paper1.pdf"
    for who in ("ana", "chloe", "bob", "eve"):
        _, content = publications.read_manuscript(
            office, vault, publication_id=made.id, by=actor(who), now=NOW
        )
        assert content == PDF
    with pytest.raises(PermissionDenied):
        publications.read_manuscript(office, vault, publication_id=made.id, by=actor("rosa"), now=NOW)
    with office.units.read() as unit:
        read = [e.actor for e in unit.events(object=f"publication:{made.id}") if e.action.endswith(".read")]
    assert read == ["ana", "chloe", "bob", "eve"]


def test_the_author_alone_withdraws(office: Office, vault: FileVault, release: str) -> None:
    made = register(office, vault, release)
    for who in ("rosa", "chloe"):
        with pytest.raises(PermissionDenied):
            publications.withdraw_publication(office, publication_id=made.id, by=actor(who), now=NOW)
    done = publications.withdraw_publication(office, publication_id=made.id, by=actor("ana"), now=NOW)
    assert done.state is PublicationState.WITHDRAWN
    with pytest.raises(Conflict):
        vote(office, made, "chloe")

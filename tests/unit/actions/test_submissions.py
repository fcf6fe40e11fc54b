"""Submitting, reviewing, releasing: refusals first."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from hub.actions import reviews, sessions, submissions
from hub.actions.ports import Office
from hub.adapters.vaults import FileVault
from hub.domain.errors import Conflict, IntegrityError, NotFound, PermissionDenied, Refused
from hub.domain.lifecycle import SubmissionState
from hub.domain.permissions import Actor, Role
from hub.domain.records import Decision, StagedFile, Submission
from tests import factories
from tests.factories import NOW, SYSTEM, actor, staged

A, RET, REJ = Decision.APPROVE, Decision.RETURN, Decision.REJECT


@pytest.fixture
def session(office: Office) -> str:
    factories.add_project(office, people=["ana", "rosa"])
    return factories.open_session(office).session.id


def submit(office: Office, session: str, files: list[StagedFile] | None = None, **form: str) -> Submission:
    return submissions.submit(
        office,
        session_id=session,
        form=factories.FORM,
        supersedes=form.get("supersedes"),
        files=[staged()] if files is None else files,
        now=NOW,
    )


def vote(
    office: Office, made: Submission, who: str | Actor, decision: Decision = A, comment: str = "ok"
) -> Submission:
    by = actor(who) if isinstance(who, str) else who
    return reviews.cast_vote(
        office,
        submission_id=made.id,
        decision=decision,
        comment=comment,
        by=by,
        now=NOW,
        grounds=factories.grounds(office, made.id),
    )


@pytest.mark.parametrize(
    "name",
    [
        "", ".csv", "../table.csv", "a/b.csv", "a\\b.csv", "table.csv\n", " table.csv", "ta\u202eble.csv",
        "ta\u200bble.csv", "a" * 201 + ".csv", "nul\x00.csv", "table\x7f.csv", "a:b.csv", "<b>.csv",
    ],
)  # fmt: skip
def test_check_file_name_refuses_tricks(office: Office, name: str) -> None:
    with pytest.raises(Refused) as refused:
        submissions.check_file_name(office, name)
    assert refused.value.code == "bad_name"


@pytest.mark.parametrize(
    "name", ["data.parquet", "model.pkl", "t.xls", "x.rds", "table", "table.csv.gz", "a.HTML"]
)
def test_check_file_name_refuses_unlisted_types(office: Office, name: str) -> None:
    with pytest.raises(Refused) as refused:
        submissions.check_file_name(office, name)
    assert (refused.value.code, refused.value.field) == ("unlisted_type", "files")


@pytest.mark.parametrize(
    ("name", "instead"),
    [("data.parquet", "csv"), ("model.pkl", "coefficient"), ("a.html", "png"), ("a.tar", "zip")],
)
def test_a_refused_type_is_told_what_to_submit_instead(office: Office, name: str, instead: str) -> None:
    with pytest.raises(Refused) as refused:
        submissions.check_file_name(office, name)
    assert instead in refused.value.en
    assert instead in refused.value.fr


@pytest.mark.parametrize("name", ["table.csv", "Tableau été 2.CSV", "notebook.ipynb", "fig-1.png"])
def test_check_file_name_takes_plain_names(office: Office, name: str) -> None:
    assert submissions.check_file_name(office, name) == name


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (None, "form"),
        ([], "form"),
        ({}, "what"),
        ({"what": "  "}, "what"),
        ({"what": 3}, "what"),
        ({"what": "x", "note": "y" * 4001}, "note"),
        ({"what": "x", "extra": "y"}, "form"),
        ({"what": "x", "supersedes": 5}, "supersedes"),
    ],
)
def test_parse_form_refuses(raw: object, field: str) -> None:
    with pytest.raises(Refused) as refused:
        submissions.parse_form(raw)
    assert refused.value.field == field


@pytest.mark.parametrize("count", [0, 21])
def test_submit_refuses_none_or_too_many_files(office: Office, session: str, count: int) -> None:
    with pytest.raises(Refused) as refused:
        submit(office, session, [staged(f"t{n}.csv") for n in range(count)])
    assert refused.value.code == "file_count"


def test_the_same_files_again_are_refused_while_they_wait(office: Office, session: str) -> None:
    submit(office, session)
    with pytest.raises(Conflict) as refused:
        submit(office, session)
    assert refused.value.code == "already_submitted"
    submit(office, session, [staged(sha256="d" * 64)])


def test_an_ended_session_submits_nothing(office: Office, session: str) -> None:
    sessions.end_session(office, session_id=session, reason="stopped", by=SYSTEM, now=NOW)
    with pytest.raises(PermissionDenied) as refused:
        submit(office, session)
    assert refused.value.code == "stopped"


def test_after_the_end_nothing_is_submitted_even_if_the_session_still_stands(
    office: Office, session: str
) -> None:
    with pytest.raises(PermissionDenied) as refused:
        submissions.submit(
            office,
            session_id=session,
            form={"what": "x"},
            supersedes=None,
            files=[staged()],
            now=NOW + timedelta(days=11),
        )
    assert refused.value.code == "project_ended"


@pytest.mark.parametrize("who", ["ana", "rosa", "bob", "eve"])
def test_only_checkers_vote(office: Office, session: str, who: str) -> None:
    with pytest.raises(PermissionDenied):
        vote(office, submit(office, session), who)


@pytest.mark.parametrize("username", ["ana", "rosa"])
def test_a_member_of_the_project_never_votes_even_as_checker(
    office: Office, session: str, username: str
) -> None:
    with pytest.raises(PermissionDenied) as refused:
        vote(office, submit(office, session), Actor(username, frozenset({Role.CHECKER, Role.RESEARCHER})))
    assert refused.value.code == "own_submission"


@pytest.mark.parametrize("decision", [RET, REJ])
def test_a_return_or_rejection_needs_a_comment(office: Office, session: str, decision: Decision) -> None:
    with pytest.raises(Refused) as refused:
        vote(office, submit(office, session), "chloe", decision, "  ")
    assert (refused.value.code, refused.value.field) == ("comment_missing", "comment")


def test_the_policy_says_which_votes_need_a_comment(office: Office, session: str) -> None:
    review = dataclasses.replace(office.rules.review, comment_needed_for=frozenset({A}))
    stricter = dataclasses.replace(office, rules=dataclasses.replace(office.rules, review=review))
    made = submit(stricter, session)
    with pytest.raises(Refused) as refused:
        vote(stricter, made, "chloe", A, "")
    assert refused.value.code == "comment_missing"
    assert vote(stricter, made, "chloe", RET, "").state is SubmissionState.UNDER_REVIEW


def test_one_approval_releases_nothing(office: Office, session: str, tmp_path: Path) -> None:
    made = submit(office, session)
    assert vote(office, made, "chloe").state is SubmissionState.UNDER_REVIEW
    with pytest.raises(Conflict) as refused:
        reviews.download_release(
            office, FileVault(tmp_path), submission_id=made.id, position=0, by=actor("ana"), now=NOW
        )
    assert refused.value.code == "not_released"


def test_a_vote_counts_once_and_cannot_be_changed(office: Office, session: str) -> None:
    made = submit(office, session)
    vote(office, made, "chloe")
    assert vote(office, made, "chloe").state is SubmissionState.UNDER_REVIEW
    with pytest.raises(Conflict) as refused:
        vote(office, made, "chloe", REJ, "no")
    assert refused.value.code == "already_voted"
    with office.units.read() as unit:
        assert len(unit.votes.find(submission=made.id)) == 1


def test_after_the_decision_no_vote_is_taken(office: Office, session: str) -> None:
    made = submit(office, session)
    vote(office, made, "chloe", RET)
    vote(office, made, "denis", RET)
    third = Actor("carl", frozenset({Role.CHECKER}))
    with pytest.raises(Conflict) as refused:
        vote(office, made, third)
    assert refused.value.code == "not_under_review"


def test_votes_stay_hidden_until_both_are_in(office: Office, session: str) -> None:
    made = submit(office, session)
    vote(office, made, "chloe", RET, "Too small a cell in row 3.")

    def seen(who: str) -> int:
        with office.units.read() as unit:
            found = unit.submissions.get(made.id)
            assert found is not None
            return len(reviews.view_submission(unit, found, by=actor(who)).votes)

    assert [seen(who) for who in ("chloe", "denis", "ana")] == [1, 0, 0]
    vote(office, made, "denis")
    assert [seen(who) for who in ("chloe", "denis", "ana")] == [2, 2, 2]


def received(vault: FileVault, content: bytes) -> StagedFile:
    with vault.receive() as arrival:
        file = arrival.open(0)
        file.write(content)
        return staged(sha256=arrival.freeze(file))


def test_the_released_bytes_are_the_frozen_ones(office: Office, session: str, tmp_path: Path) -> None:
    vault = FileVault(tmp_path / "vault")
    vault.clear_staging()
    made = submit(office, session, [received(vault, b"state,n\n1,120\n")])
    vote(office, made, "chloe")
    assert vote(office, made, "denis").state is SubmissionState.RELEASED
    for who in ("rosa", "chloe", "bob", "eve"):
        with pytest.raises(PermissionDenied):
            reviews.download_release(office, vault, submission_id=made.id, position=0, by=actor(who), now=NOW)
    file, content = reviews.download_release(
        office, vault, submission_id=made.id, position=0, by=actor("ana"), now=NOW
    )
    assert (file.name, content) == ("table.csv", b"state,n\n1,120\n")
    with pytest.raises(NotFound):
        reviews.download_release(office, vault, submission_id=made.id, position=1, by=actor("ana"), now=NOW)
    path = vault.path(file.sha256)
    path.chmod(0o600)
    path.write_bytes(b"state,n\n1,3\n")
    with pytest.raises(IntegrityError) as refused:
        reviews.download_release(office, vault, submission_id=made.id, position=0, by=actor("ana"), now=NOW)
    assert refused.value.code == "changed_bytes"


def test_the_original_is_never_handed_out(office: Office, session: str, tmp_path: Path) -> None:
    vault = FileVault(tmp_path / "vault")
    vault.clear_staging()
    original, rewritten = received(vault, b"a,n\r\nx\xe2\x80\x8b,20"), received(vault, b"a,n\nx,20\n")
    made = submit(
        office,
        session,
        [
            dataclasses.replace(
                original, name="t.csv", canonical_name="t.csv", canonical_size=9,
                canonical_sha256=rewritten.sha256,
            )
        ],
    )  # fmt: skip
    vote(office, made, "chloe")
    vote(office, made, "denis")
    file, content = reviews.download_release(
        office, vault, submission_id=made.id, position=0, by=actor("ana"), now=NOW
    )
    assert content == b"a,n\nx,20\n"
    assert file.sha256 == original.sha256
    assert vault.read(original.sha256).startswith(b"a,n\r\n")  # kept for the record
    with office.units.read() as unit:
        released = [one for one in unit.events() if one.action == "submission.released"]
    assert released[0].details["files"] == [
        {"sha256": rewritten.sha256, "size": 9, "original": original.sha256}
    ]


def unreleasable() -> StagedFile:
    return dataclasses.replace(staged("b.csv", "d" * 64), canonical_sha256=None)


def test_nobody_approves_what_could_not_be_rewritten(office: Office, session: str) -> None:
    made = submit(office, session, [staged(), unreleasable()])
    with pytest.raises(Refused) as refused:
        vote(office, made, "chloe")
    assert (refused.value.code, refused.value.field) == ("not_releasable", "decision")
    assert vote(office, made, "chloe", RET).state is SubmissionState.UNDER_REVIEW
    assert vote(office, made, "denis", REJ).state is not SubmissionState.RELEASED


def test_a_file_without_canonical_bytes_is_not_handed_out(
    office: Office, session: str, tmp_path: Path
) -> None:
    made = submit(office, session)
    vote(office, made, "chloe")
    vote(office, made, "denis")
    with office.units.write() as unit:
        (file,) = unit.files.find(submission=made.id)
        unit.files.save(dataclasses.replace(file, canonical_sha256=None))
        unit.record(by=SYSTEM, action="test", object="file", now=NOW)
    vault = FileVault(tmp_path / "vault")
    with pytest.raises(Conflict) as refused:
        reviews.download_release(office, vault, submission_id=made.id, position=0, by=actor("ana"), now=NOW)
    assert refused.value.code == "not_released"


def test_too_many_parts_are_refused(office: Office, session: str) -> None:
    parts = [dataclasses.replace(staged("book.xlsx"), canonical_name=f"{n}.csv") for n in range(41)]
    with pytest.raises(Refused) as refused:
        submit(office, session, parts)
    assert refused.value.code == "too_many_parts"
    submit(office, session, parts[:40])


def test_a_returned_submission_comes_again_once(office: Office, session: str) -> None:
    made = submit(office, session)
    with pytest.raises(Conflict):
        submit(office, session, [staged(sha256="e" * 64)], supersedes=made.id)
    vote(office, made, "chloe", RET)
    vote(office, made, "denis", RET)
    again = submit(office, session, supersedes=made.id)
    assert (again.supersedes, again.number) == (made.id, 2)
    with pytest.raises(Conflict):
        submit(office, session, [staged(sha256="f" * 64)], supersedes=made.id)


def test_another_persons_submission_cannot_be_superseded_or_withdrawn(office: Office, session: str) -> None:
    made = submit(office, session)
    vote(office, made, "chloe", RET)
    vote(office, made, "denis", RET)
    rosas = factories.open_session(office, username="rosa").session.id
    with pytest.raises(NotFound):
        submit(office, rosas, supersedes=made.id)
    with pytest.raises(PermissionDenied):
        submissions.withdraw(office, submission_id=made.id, by=actor("rosa"), now=NOW)


def test_a_withdrawn_submission_is_out(office: Office, session: str) -> None:
    made = submit(office, session)
    submissions.withdraw(office, submission_id=made.id, by=actor("ana"), now=NOW)
    with pytest.raises(Conflict):
        vote(office, made, "chloe")

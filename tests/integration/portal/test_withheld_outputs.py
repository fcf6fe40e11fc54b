"""A notebook is approved without named outputs: what leaves, what is kept, and what the record says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import nbformat
import pytest

from hub.checks import Verdict, report_from_json
from hub.checks.withholding import SENTENCE
from hub.domain.lifecycle import SubmissionState
from tests import factories
from tests.integration.portal.stage import P, Stage
from tests.integration.portal.test_ledger import GROUPS, counted, rules, write_people

SECRET = "the index of the north is 17.1345"


@pytest.fixture
def session(stage: Stage) -> str:
    write_people(stage.folder / "extracts/wages/v1")
    return factories.open_session(stage.office).session.id


def notebook(*printed: str) -> bytes:
    code = nbformat.v4.new_code_cell("show()")
    code.outputs = [
        nbformat.v4.new_output("display_data", {"text/html": text} if "<" in text else {"text/plain": text})
        for text in printed
    ]
    return nbformat.writes(nbformat.v4.new_notebook(cells=[code])).encode()


def framed(table: bytes) -> str:
    rows = [line.split(",") for line in table.decode().split()]
    head = "".join(f"<th>{one}</th>" for one in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{one}</td>" for one in row) + "</tr>" for row in rows[1:])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def cast(stage: Stage, who: str, submission: str, decision: str = "approve", **fields: object) -> int:
    ticks = {"judged": stage.ticks(submission)["judged"], "control": stage.ticks(submission)["control"]}
    return stage.post(
        who, f"/review/{submission}/vote", decision=decision, file="0", **{**ticks, **fields}
    ).status_code


def state_of(stage: Stage, submission: str) -> SubmissionState:
    with stage.office.units.read() as unit:
        found = unit.submissions.get(submission)
    assert found is not None
    return found.state


def test_what_both_withhold_does_not_leave(stage: Stage, session: str) -> None:
    small = framed(b"\n".join(counted(stage, "age").splitlines()[:12]))
    submission = stage.submit(session, ("a.ipynb", notebook(framed(counted(stage, "region")), small)))
    with stage.office.units.read() as unit:
        (reviewed,) = unit.files.find(submission=submission)
    assert report_from_json(dict(reviewed.report)).verdict is Verdict.BLOCK
    # What was found only in the output that does not leave needs no answer.
    assert cast(stage, "chloe", submission) == 422
    assert cast(stage, "chloe", submission, output=["0-0"]) == 422
    assert cast(stage, "chloe", submission, output=["0-1"]) == 303
    assert state_of(stage, submission) is SubmissionState.UNDER_REVIEW
    assert cast(stage, "denis", submission, output=["0-1"]) == 303
    assert state_of(stage, submission) is SubmissionState.RELEASED

    answer = stage.visit("ana").get(f"{P}/submissions/{submission}/files/0/download")
    assert b"<th>age" not in answer.content
    before = json.loads(stage.portal.vault.read(str(reviewed.canonical_sha256)))
    after = json.loads(answer.content)
    left = before["cells"][0]["outputs"][1]
    before["cells"][0]["outputs"][1] = {
        "output_type": "display_data",
        "data": {"text/plain": SENTENCE},
        "metadata": {},
    }
    assert after == before
    with stage.office.units.read() as unit:
        (file,) = unit.files.find(submission=submission)
    assert file.canonical_sha256 == hashlib.sha256(answer.content).hexdigest()
    assert file.canonical_size == len(answer.content)

    record = stage.visit("ana").get(f"{P}/submissions/{submission}/record").json()["record"]
    (told,) = record["files"]
    assert told["released"]["sha256"] == file.canonical_sha256
    assert told["reviewed_sha256"] == reviewed.canonical_sha256
    text = json.dumps(left, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert told["withheld"] == [{"cell": 0, "output": 1, "sha256": hashlib.sha256(text.encode()).hexdigest()}]
    assert [one["withheld"] for one in record["decisions"]] == [["0-0-1"]] * 2
    page = stage.visit("ana", "fr").get(f"{P}/submissions/{submission}").text
    assert "Ces sorties ont été retenues" in page
    assert "cellule de notebook 1, sortie 2" in page


def test_the_ledger_takes_only_the_numbers_of_what_leaves(stage: Stage, session: str) -> None:
    both = notebook(framed(counted(stage, "region")), framed(counted(stage, "zone")))
    first = stage.submit(session, ("a.ipynb", both))
    with stage.office.units.read() as unit:
        kept = sum(len(one.cells) for one in unit.ledger_files.find(submission=first))
    # The two tables of the notebook are about nearly the same persons; without one nothing is told.
    for who in ("chloe", "denis"):
        fields = {f"answer-0-{rule}": "withheld" for rule in rules(stage, first)[1]}
        assert cast(stage, who, first, output=["0-1"], **fields) == 303
    with stage.office.units.read() as unit:
        (file,) = [one for one in unit.ledger_files.find(submission=first) if one.cells]
    assert file.released_at is not None
    assert sorted(int(str(cell["size"])) for cell in file.cells) == sorted(GROUPS.values())
    assert len(file.cells) < kept
    again = stage.submit(session, ("zones.csv", counted(stage, "zone")))
    assert rules(stage, again) == (Verdict.BLOCK, ["differencing"])  # with what was released
    assert rules(stage, stage.submit(session, ("regions.csv", counted(stage, "region"))))[0] is Verdict.PASS


def test_different_outputs_decide_nothing_until_the_checkers_agree(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.ipynb", notebook("One sentence.", SECRET)))
    assert cast(stage, "chloe", submission, output=["0-1"]) == 303
    assert "disputed" not in stage.visit("chloe").get(f"{P}/review/{submission}").text
    assert cast(stage, "denis", submission) == 303
    assert state_of(stage, submission) is SubmissionState.UNDER_REVIEW
    with stage.office.units.read() as unit:
        assert unit.release_records.get(submission) is None
    for who, language, said in (
        ("chloe", "fr", "Rien n’est décidé"),
        ("denis", "en", "Nothing is decided"),
    ):
        page = stage.visit(who, language).get(f"{P}/review/{submission}").text
        assert 'data-testid="disputed"' in page
        assert said in page
        assert 'data-testid="name-0-1"' in page  # the form is open again
    told = stage.visit("denis").get(f"{P}/api/review/{submission}").json()
    assert told["disputed"] == ["0-0-1"]
    assert [vote["checker"] for vote in told["votes"]] == ["denis"]  # still blind to the other's words
    assert cast(stage, "denis", submission, output=["0-0"]) == 303  # others still
    assert state_of(stage, submission) is SubmissionState.UNDER_REVIEW
    assert cast(stage, "denis", submission, output=["0-1"]) == 303
    assert state_of(stage, submission) is SubmissionState.RELEASED
    assert cast(stage, "chloe", submission) == 409  # what is decided stands


def test_who_disagrees_may_return_it(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.ipynb", notebook("One sentence.", SECRET)))
    assert cast(stage, "chloe", submission, output=["0-1"]) == 303
    assert cast(stage, "denis", submission) == 303
    assert cast(stage, "chloe", submission, "return", output=["0-1"], comment="Leave it out.") == 303
    assert state_of(stage, submission) is SubmissionState.RETURNED


@pytest.mark.parametrize("named", ["0-2", "1-0", "x", "0-1-2", "-1-0", "0", "99999999-1", ""])
def test_an_output_that_is_not_there_is_refused(stage: Stage, session: str, named: str) -> None:
    submission = stage.submit(session, ("a.ipynb", notebook("One sentence.", SECRET)))
    assert cast(stage, "chloe", submission, output=[named]) == 404
    with stage.office.units.read() as unit:
        assert unit.votes.find(submission=submission) == []


def test_only_outputs_of_notebooks_can_be_withheld(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("regions.csv", counted(stage, "region")))
    assert cast(stage, "chloe", submission, output=["0-0"]) == 404
    assert cast(stage, "chloe", submission, withhold=["3-0-0"]) == 404


def test_the_same_by_api(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.ipynb", notebook("One sentence.", SECRET)))
    ticks = stage.ticks(submission)
    for who, named, status in (
        ("chloe", ["0-0-7"], 404),
        ("chloe", ["0-1"], 404),
        ("chloe", ["0-0-1"], 200),
        ("denis", ["0-0-1"], 200),
    ):
        answer = stage.visit(None).post(
            f"{P}/api/review/{submission}/vote",
            headers={"authorization": f"token {who}"},
            json={
                "decision": "APPROVE",
                "judged": ticks["judged"],
                "controls": ticks["control"],
                "withhold": named,
            },
        )
        assert answer.status_code == status, answer.text
    assert state_of(stage, submission) is SubmissionState.RELEASED
    told = stage.visit("chloe").get(f"{P}/api/review/{submission}").json()
    assert [vote["withheld"] for vote in told["votes"]] == [["0-0-1"]] * 2


def test_another_vote_on_what_is_not_in_dispute_is_refused(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.ipynb", notebook("One sentence.", SECRET)))
    assert cast(stage, "chloe", submission, output=["0-1"]) == 303
    assert cast(stage, "chloe", submission, output=["0-1"]) == 303  # the same again
    assert cast(stage, "chloe", submission) == 409
    assert cast(stage, "chloe", submission, output=["0-0"]) == 409


def test_bytes_that_are_not_those_reviewed_are_not_released(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.ipynb", notebook("One sentence.", SECRET)))
    assert cast(stage, "chloe", submission, output=["0-1"]) == 303
    with stage.office.units.read() as unit:
        (file,) = unit.files.find(submission=submission)
    path: Path = stage.portal.vault.path(str(file.canonical_sha256))
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"One", b"Two"))
    assert cast(stage, "denis", submission, output=["0-1"]) >= 500
    assert state_of(stage, submission) is SubmissionState.UNDER_REVIEW


def test_what_is_named_elsewhere_outlives_a_form_that_is_shown_again(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.ipynb", notebook("All is well.\n")), ("b.py", b"x = 1\n"))
    answer = stage.post(
        "chloe", f"/review/{submission}/vote", decision="return", file="1", withhold=["0-0-0"], comment=""
    )
    assert answer.status_code == 422
    assert 'name="withhold" value="0-0-0" checked' in answer.text
    answer = stage.post(
        "chloe", f"/review/{submission}/vote", decision="return", file="0", withhold=["0-0-0"], comment=""
    )
    assert 'name="withhold"' not in answer.text  # it has its tick here


def test_without_script_outputs_of_other_pages_are_named_by_number(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.ipynb", notebook("All is well.\n")), ("b.py", b"x = 1\n"))
    assert 'name="withhold_typed"' in stage.visit("chloe").get(f"{P}/review/{submission}?file=1").text
    for typed in ("0-1-1", "1-1", "1-1-9", "x"):
        assert cast(stage, "chloe", submission, withhold_typed=typed) == 404
    for who in ("chloe", "denis"):
        assert cast(stage, who, submission, withhold_typed=" 1-1-1 ") == 303
    assert state_of(stage, submission) is SubmissionState.RELEASED
    with stage.office.units.read() as unit:
        assert {vote.withheld for vote in unit.votes.find(submission=submission)} == {("0-0-0",)}

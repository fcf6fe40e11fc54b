"""Four eyes through the pages: blind until both have voted, never one's own, nothing a file says is HTML."""

from __future__ import annotations

import base64
import io
import json
import threading

import nbformat
import pytest
from PIL import Image

from tests import factories
from tests.integration.portal.stage import TABLE, P, Stage, table, token_of

CSV = TABLE.encode()
SCRIPT = "<script>alert('x')</script>"


@pytest.fixture
def session(stage: Stage) -> str:
    return factories.open_session(stage.office).session.id


def test_no_checker_sees_that_another_has_voted(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.csv", CSV))
    pages = (
        f"{P}/review",
        f"{P}/api/review",
        f"{P}/submissions/{submission}",
        f"{P}/api/submissions/{submission}",
    )
    denis = stage.visit("denis")
    before = [denis.get(path).text for path in pages]
    review = denis.get(f"{P}/review/{submission}").text
    stage.post("chloe", f"/review/{submission}/vote", decision="reject", comment="Identifies a household.")
    assert [denis.get(path).text for path in pages] == before
    assert denis.get(f"{P}/review/{submission}").text == review


def test_the_author_and_a_voter_see_no_vote_before_the_end(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.csv", CSV))
    stage.post("chloe", f"/review/{submission}/vote", decision="return", comment="Group the cells.")
    for username, path in (
        ("ana", f"{P}/submissions/{submission}"),
        ("ana", f"{P}/api/submissions/{submission}"),
        ("ana", f"{P}/api/submissions"),
        ("denis", f"{P}/review/{submission}"),
    ):
        assert "Group the cells." not in stage.visit(username).get(path).text
    mine = stage.visit("chloe").get(f"{P}/review/{submission}").text
    assert 'data-testid="my-vote"' in mine
    assert 'data-testid="vote-hidden"' in mine
    assert 'data-testid="vote-approve"' not in mine
    stage.post(
        "denis",
        f"/review/{submission}/vote",
        decision="approve",
        **stage.ticks(submission),
        comment="Fine for me.",
    )
    for checker in ("chloe", "denis"):
        page = stage.visit(checker).get(f"{P}/review/{submission}").text
        assert "Group the cells." in page
        assert "Fine for me." in page
        assert "Denis" in page
    ana = stage.visit("ana").get(f"{P}/submissions/{submission}").text
    assert "Group the cells." in ana
    assert 'data-state="RETURNED"' in ana
    assert "Chloe" not in ana
    assert "Denis" not in ana


def test_a_return_without_a_comment_is_refused_and_the_form_keeps_what_was_typed(
    stage: Stage, session: str
) -> None:
    submission = stage.submit(session, ("a.csv", CSV), ("b.csv", CSV + b"65+,40,3\n"))
    answer = stage.post("chloe", f"/review/{submission}/vote", decision="return", comment="  ", file="1")
    page = answer.text  # type: ignore[attr-defined]
    assert answer.status_code == 422
    assert 'id="error-comment"' in page
    assert "65+" in page  # still the second file
    answer = stage.post("chloe", f"/review/{submission}/vote", decision="perhaps", comment="Kept <b>text</b>")
    page = answer.text  # type: ignore[attr-defined]
    assert answer.status_code == 422
    assert 'id="error-decision"' in page
    assert "Kept &lt;b&gt;text&lt;/b&gt;" in page


def test_a_vote_cannot_be_changed(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.csv", CSV))
    stage.post("chloe", f"/review/{submission}/vote", decision="approve", **stage.ticks(submission))
    assert (
        stage.post(
            "chloe", f"/review/{submission}/vote", decision="approve", **stage.ticks(submission)
        ).status_code
        == 303
    )
    answer = stage.post("chloe", f"/review/{submission}/vote", decision="reject", comment="No.")
    assert answer.status_code == 409
    with stage.office.units.read() as unit:
        assert [v.decision.value for v in unit.votes.find(submission=submission)] == ["APPROVE"]


def test_two_checkers_at_the_same_instant(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.csv", CSV))
    start = threading.Barrier(2)
    seen: list[int] = []

    def vote(checker: str) -> None:
        start.wait()
        seen.append(
            stage.post(
                checker, f"/review/{submission}/vote", decision="approve", **stage.ticks(submission)
            ).status_code
        )

    threads = [threading.Thread(target=vote, args=(checker,)) for checker in ("chloe", "denis")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [303, 303]
    with stage.office.units.read() as unit:
        kept = unit.submissions.get(submission)
        assert kept is not None
        assert kept.state.value == "RELEASED"
        assert len(unit.votes.find(submission=submission)) == 2
        actions = [e.action for e in unit.events(object=f"submission:{submission}")]
    assert actions.count("submission.released") == 1
    assert actions.count("review.voted") == 2


def test_findings_are_beside_the_file_in_words_and_marked_in_the_table(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.csv", b"group,n\na,4\nb,900\nc,1200\n"))
    page = stage.visit("chloe", "fr").get(f"{P}/review/{submission}").text
    assert 'data-rule="small_count"' in page
    assert "ligne 1, colonne n" in page
    assert 'class="marked mark-' in page
    for username in ("ana",):
        for path in (f"{P}/submissions/{submission}", f"{P}/api/submissions/{submission}"):
            assert "small_count" not in stage.visit(username).get(path).text


def test_every_row_of_a_long_table_can_be_read(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("long.csv", table(450)))
    seen = ""
    for page in range(1, 6):
        seen += stage.visit("chloe").get(f"{P}/review/{submission}?page={page}").text
    assert all(f">g{n}<" in seen for n in range(450))


def hostile_notebook() -> bytes:
    book = nbformat.v4.new_notebook()
    code = nbformat.v4.new_code_cell(f"print('{SCRIPT}')")
    code.outputs = [
        nbformat.v4.new_output("stream", text=SCRIPT),
        nbformat.v4.new_output("display_data", {"text/html": f"<img src=x onerror=alert(1)>{SCRIPT}"}),
        nbformat.v4.new_output("display_data", {"image/svg+xml": f"<svg>{SCRIPT}</svg>"}),
        nbformat.v4.new_output("display_data", {"application/javascript": "alert(1)"}),
    ]
    book.cells = [nbformat.v4.new_markdown_cell(SCRIPT), code]
    return nbformat.writes(book).encode()


def notebook_of_outputs() -> bytes:
    """Two outputs: a picture, which somebody must judge, and a sentence without numbers."""
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(out, "PNG")
    code = nbformat.v4.new_code_cell("show(table)")
    picture = base64.b64encode(out.getvalue()).decode()
    code.outputs = [
        nbformat.v4.new_output("display_data", {"image/png": picture}),
        nbformat.v4.new_output("stream", text="All groups are large.\n"),
    ]
    return nbformat.writes(nbformat.v4.new_notebook(cells=[code])).encode()


def test_each_output_of_a_notebook_has_its_own_verdict_and_can_be_named(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.ipynb", notebook_of_outputs()))
    page = stage.visit("chloe").get(f"{P}/review/{submission}").text
    assert 'id="output-0-0"' in page
    assert 'id="output-0-1"' in page
    assert "#output-0-0" in page  # where the finding leads
    first, second = page.split('id="output-0-0"')[1].split('id="output-0-1"')
    assert 'data-testid="found-0-0"' in first
    assert "Nothing was found in this output." not in first
    assert "Nothing was found in this output." in second
    assert 'name="output" value="0-1"' in second
    assert 'form="vote-form"' in second
    assert 'name="output"' not in stage.visit("eve").get(f"{P}/submissions/{submission}/files/0").text

    def cast(who: str, **fields: object) -> int:
        return stage.post(
            who, f"/review/{submission}/vote", decision="return", file="0", **fields
        ).status_code

    assert cast("chloe", output=["0-0"]) == 422  # the reason is still to be given
    assert cast("chloe", output=["0-0", "x"], comment="Leave it out.") == 404
    assert cast("chloe", output=["0-0"], comment="Leave it out.") == 303
    assert cast("denis", comment="As chloe.") == 303
    told = stage.visit("ana").get(f"{P}/submissions/{submission}").text
    assert "Leave it out." in told
    assert "a.ipynb, notebook cell 1, output 1" in told


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", f'"{SCRIPT}",n\n"{SCRIPT}",100\n'.encode()),
        ("a.md", SCRIPT.encode()),
        ("a.py", f"# {SCRIPT}\n".encode()),
        ("a.json", json.dumps({"x": SCRIPT}).encode()),
        ("a.ipynb", hostile_notebook()),
        ("<b>.csv".replace("<b>", "&lt;b&gt;"), CSV),
    ],
)
def test_nothing_that_was_submitted_is_html(stage: Stage, session: str, name: str, content: bytes) -> None:
    submission = stage.submit(session, (name, content), what=f"{SCRIPT} what", note=f"<img src=x>{SCRIPT}")
    pages = [
        stage.visit(username).get(f"{P}{path}").text
        for username, path in (
            ("chloe", f"/review/{submission}"),
            ("chloe", "/review"),
            ("eve", f"/submissions/{submission}"),
            ("eve", f"/submissions/{submission}/files/0"),
            ("ana", "/submissions"),
            ("ana", f"/submissions/{submission}"),
        )
    ]
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "onerror=alert(1)>" not in page.replace("onerror=alert(1)&gt;", "")
    assert "&lt;script&gt;" in pages[0]


def test_a_picture_is_a_fresh_png_and_only_for_those_who_look(stage: Stage, session: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(out, "PNG")
    hidden = out.getvalue() + b"hidden bytes after the picture"
    submission = stage.submit(session, ("figure.png", hidden))
    answer = stage.visit("chloe").get(f"{P}/review/{submission}/files/0/image/0")
    assert answer.headers["content-type"] == "image/png"
    assert b"hidden bytes" not in answer.content
    assert Image.open(io.BytesIO(answer.content)).size == (30, 20)
    assert stage.visit("ana").get(f"{P}/review/{submission}/files/0/image/0").status_code == 403
    assert stage.visit("chloe").get(f"{P}/review/{submission}/files/0/image/7").status_code == 404


def test_looking_is_audited_once_per_page_of_a_file(stage: Stage, session: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(out, "PNG")
    submission = stage.submit(session, ("figure.png", out.getvalue()))
    chloe = stage.visit("chloe")
    chloe.get(f"{P}/review/{submission}")
    chloe.get(f"{P}/review/{submission}/files/0/image/0?page=1")
    with stage.office.units.read() as unit:
        looks = [e for e in unit.events() if e.action == "submission.viewed"]
    assert [(e.actor, e.object) for e in looks] == [("chloe", f"submission:{submission}")]


def test_changed_bytes_are_neither_shown_nor_handed_out(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("a.csv", CSV))
    stage.approve(submission)
    with stage.office.units.read() as unit:
        (file,) = unit.files.find(submission=submission)
    path = stage.portal.vault.path(file.sha256)
    path.chmod(0o600)
    path.write_bytes(CSV.replace(b"1204", b"1205"))
    for username, address in (
        ("ana", f"/submissions/{submission}/files/0/download"),
        ("eve", f"/submissions/{submission}/files/0"),
        ("chloe", f"/review/{submission}"),
    ):
        answer = stage.visit(username).get(f"{P}{address}")
        assert answer.status_code == 500
        assert 'data-code="changed_bytes"' in answer.text
        assert "1205" not in answer.text


def test_the_queue_is_oldest_first_and_without_ones_own(stage: Stage, session: str) -> None:
    ids = [stage.submit(session, (f"{n}.csv", CSV + f"x,{n}00,1\n".encode())) for n in (1, 2, 3)]
    listed = stage.visit("chloe").get(f"{P}/api/review", headers={"x-vitrine-form": token_of("chloe")}).json()
    assert [s["id"] for s in listed["submissions"]] == ids
    stage.post("chloe", f"/review/{ids[0]}/vote", decision="approve", **stage.ticks(ids[0]))
    mine = stage.visit("chloe").get(f"{P}/review?show=mine").text
    assert 'data-testid="review-1"' not in mine
    assert 'data-testid="review-2"' in mine
    stage.post("denis", f"/review/{ids[0]}/vote", decision="approve", **stage.ticks(ids[0]))
    assert 'data-testid="review-1"' in stage.visit("chloe").get(f"{P}/review?show=decided").text
    assert 'data-testid="review-1"' not in stage.visit("chloe").get(f"{P}/review").text

"""What is reviewed is what is released: through the gate's door, the checker's page and the download."""

from __future__ import annotations

import hashlib
import io
import threading
import time
import zipfile

import openpyxl
import pytest
import uvicorn

from hub.domain.records import SubmittedFile
from hub.portal.internal import CHECKS_AT_ONCE
from tests import factories
from tests.integration.portal.stage import FORM, GATE_TOKEN, TABLE, P, Stage, parts
from tests.unit.checks.samples import chunk, png

MESSY = "age_group,n,mean_wage\r\n18-34\u200b,1204,31200.512345678901  \r\n=1+1,1530,41877.1\r\n"
CLEAN = "age_group,n,mean_wage\n18-34,1204,31200.51235\n'=1+1,1530,41877.1\n"


@pytest.fixture
def session(stage: Stage) -> str:
    return factories.open_session(stage.office).session.id


def files_of(stage: Stage, submission: str) -> list[SubmittedFile]:
    with stage.office.units.read() as unit:
        return sorted(unit.files.find(submission=submission), key=lambda f: f.position)


def workbook() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["age", "n"])
    book.active.append(["18-34", 1204])
    book.create_sheet("two").append(["x", 30])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_the_rewritten_bytes_are_shown_and_released(stage: Stage, session: str) -> None:
    submission = stage.submit(session, ("table.csv", MESSY.encode()))
    page = stage.visit("chloe").get(f"{P}/review/{submission}").text
    assert "31200.51235" in page
    assert "31200.512345678901" not in page.replace("&#39;", "'")
    for rule in ("hidden_characters", "formula", "numbers_normalised"):
        assert f'data-testid="change" data-rule="{rule}"' in page
    stage.approve(submission)
    answer = stage.visit("ana").get(f"{P}/submissions/{submission}/files/0/download")
    assert answer.content.decode() == CLEAN
    assert answer.headers["x-content-sha256"] == hashlib.sha256(CLEAN.encode()).hexdigest()
    (file,) = files_of(stage, submission)
    assert file.sha256 == hashlib.sha256(MESSY.encode()).hexdigest()
    assert stage.portal.vault.read(file.sha256) == MESSY.encode()


def test_a_workbook_a_drawing_and_an_archive_leave_as_tables_and_pictures(stage: Stage, session: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("in/table.csv", TABLE)
        archive.writestr("figure.png", png(extra=chunk(b"tEXt", b"Comment\0wage 12345")))
    drawing = b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 4 2'><rect width='4' height='2'/></svg>"
    submission = stage.submit(
        session, ("book.xlsx", workbook()), ("all.zip", out.getvalue()), ("figure.svg", drawing)
    )
    found = files_of(stage, submission)
    assert [(one.name, one.canonical_name) for one in found] == [
        ("book.xlsx", "book - Sheet.csv"),
        ("book.xlsx", "book - two.csv"),
        ("all.zip", "in_table.csv"),
        ("all.zip", "figure.png"),
        ("figure.svg", "figure (2).png"),
    ]
    # Each member of an archive has its own changes.
    assert [[one["rule"] for one in file.changes] for file in found[2:4]] == [
        [],
        ["image_metadata", "image_rewritten"],
    ]
    told = stage.gate().get(f"/internal/sessions/{session}/submissions").json()["submissions"][0]["files"]
    assert [(one["name"], len(one["released_as"])) for one in told] == [
        ("book.xlsx", 2),
        ("all.zip", 2),
        ("figure.svg", 1),
    ]
    stage.approve(submission)
    visit = stage.visit("ana")
    got = [visit.get(f"{P}/submissions/{submission}/files/{n}/download") for n in range(5)]
    assert got[0].content == b"age,n\n18-34,1204\n"
    assert got[2].content == TABLE.encode()
    assert all(answer.content.startswith(b"\x89PNG") for answer in got[3:])
    assert b"12345" not in got[3].content


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("wide.csv", ",".join(["1"] * 100_000).encode(), "too_wide"),
        ("bomb.zip", None, "archive_limit"),
        ("huge.png", png(width=50_000, height=50_000), "image_too_large"),
        ("broken.ipynb", b"{", "notebook_malformed"),
        ("broken.pdf", b"%PDF-1.7 junk", "pdf_malformed"),
    ],
)
def test_what_cannot_be_rewritten_cannot_be_approved(
    stage: Stage, session: str, name: str, content: bytes | None, rule: str
) -> None:
    if content is None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("t.csv", bytes(60_000_000))
        content = out.getvalue()
    submission = stage.submit(session, (name, content))
    (file,) = files_of(stage, submission)
    assert (file.canonical_sha256, file.report["verdict"]) == (None, "BLOCK")
    assert rule in [one["rule"] for one in file.report["findings"]]  # type: ignore[union-attr]  # a list
    page = stage.visit("chloe").get(f"{P}/review/{submission}")
    assert page.status_code == 200
    assert "could not be rewritten" in page.text
    answer = stage.post("chloe", f"/review/{submission}/vote", decision="approve", **stage.ticks(submission))
    assert answer.status_code == 422
    assert stage.visit("ana").get(f"{P}/submissions/{submission}/files/0/download").status_code == 409


def test_the_same_archive_again_is_a_repeat(stage: Stage, session: str) -> None:
    book = workbook()
    stage.submit(session, ("book.xlsx", book))
    answer = stage.gate().post(
        f"/internal/sessions/{session}/submissions", files=parts(FORM, ("book.xlsx", book))
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_submitted")


def test_pages_stay_quick_while_files_are_checked(
    stage: Stage, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a real server: more slow files than are checked at once, and a page all the while."""
    import httpx

    running, most = 0, 0
    lock = threading.Lock()

    def slow(self: object, name: str, size: int, sha256: str) -> list[object]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.5)
        with lock:
            running -= 1
        return []

    monkeypatch.setattr("hub.portal.internal.Intake.take", slow)
    server = uvicorn.Server(uvicorn.Config(stage.app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    def send(number: int) -> None:
        httpx.post(
            f"{base}/internal/sessions/{session}/submissions",
            files=parts(FORM, (f"t{number}.csv", TABLE.encode())),
            headers={"authorization": f"Bearer {GATE_TOKEN}"},
            timeout=60,
        )

    senders = [threading.Thread(target=send, args=(n,)) for n in range(6)]
    for sender in senders:
        sender.start()
    slowest = 0.0
    while any(sender.is_alive() for sender in senders):
        begun = time.monotonic()
        assert httpx.get(f"{base}/healthz", timeout=10).status_code in (200, 404)
        slowest = max(slowest, time.monotonic() - begun)
        time.sleep(0.05)
    server.should_exit = True
    thread.join(10)
    assert 1 <= most <= CHECKS_AT_ONCE
    assert slowest < 2.0

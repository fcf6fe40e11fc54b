"""SIGKILL at every step of the journey: a restart goes on, and nothing is lost or doubled."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.e2e.conftest import Stack, docker, wait_for
from tests.e2e.desks import (
    DESK_PYTHON,
    PORTAL,
    Desk,
    Kernel,
    Visitor,
    extract_state,
    make_projects,
    project_document,
    query,
    revive,
    signed_in,
)

pytestmark = pytest.mark.containers

# Sends half of an upload, waits for a line, sends the rest and prints the answer's status (0: none).
UPLOAD = """
import json, socket, sys
name, lines = sys.argv[1], int(sys.argv[2])
FIELDS = "what population variables counts purpose".split()
content = "".join(f"{name} {n:08d}\\n" for n in range(lines)).encode()
part = '--b\\r\\nContent-Disposition: form-data; name="{}"{}\\r\\n\\r\\n'
body = part.format("form", "").encode() + json.dumps(dict.fromkeys(FIELDS, name)).encode() + b"\\r\\n"
body += part.format("file", f'; filename="{name}"').encode() + content + b"\\r\\n--b--\\r\\n"
head = f"POST /submissions HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: multipart/form-data; boundary=b\\r\\n"
head += f"Content-Length: {len(body)}\\r\\nConnection: close\\r\\n\\r\\n"
answer = b""
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(60)
    connection.connect("/run/desk/submit.sock")
    connection.sendall(head.encode() + body[: len(body) // 2])
    print("HALF", flush=True)
    sys.stdin.readline()
    try:
        connection.sendall(body[len(body) // 2 :])
        while chunk := connection.recv(65536):
            answer += chunk
    except OSError:
        pass
print(int(answer.split(b" ")[1]) if answer else 0)
print(answer.partition(b"\\r\\n\\r\\n")[2].decode())
"""
LINES = 60_000  # of some twenty bytes


@dataclass
class Cast:
    """Everybody, and ana's desk with a kernel that remembers something."""

    stack: Stack
    ana: Visitor
    chloe: Visitor
    denis: Visitor
    desk: Desk
    kernel_id: str
    container: str


@pytest.fixture(scope="module")
def cast(stack: Stack) -> Iterator[Cast]:
    with signed_in(stack, "ana", "bob", "chloe", "denis") as (ana, bob, chloe, denis):
        make_projects(bob, "kills")
        desk = ana.open_desk("kills")
        kernel = desk.kernel()
        kernel.run("remembered = 6 * 7")
        kernel.close()
        yield Cast(stack, ana, chloe, denis, desk, kernel.id, desk.container())


@pytest.fixture(autouse=True)
def everything_back(stack: Stack) -> Iterator[None]:
    yield
    revive(stack)


def begin_upload(desk: Desk, name: str) -> subprocess.Popen[str]:
    """An upload of which half is sent."""
    command = [
        "docker",
        "exec",
        "-i",
        "-u",
        "1000",
        desk.container(),
        DESK_PYTHON,
        "-c",
        UPLOAD,
        name,
        str(LINES),
    ]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline() == "HALF\n"
    return running


def end_upload(running: subprocess.Popen[str]) -> tuple[int, str]:
    """Send the rest; status and body of the answer, 0 if there was none."""
    answer, _ = running.communicate("\n", timeout=90)
    status, _, body = answer.partition("\n")
    return int(status), body


def submissions_with(stack: Stack, name: str) -> list[str]:
    """Ids of the submissions that hold a file of this name."""
    return query(stack, "select submission from submitted_files where name = :'it'", name).split()


def upload_cut_by(cast: Cast, service: str) -> str:
    """The step of submitting; the id of the one submission that there is afterwards."""
    name = f"{service}.txt"
    running = begin_upload(cast.desk, name)
    cast.stack.kill(service)
    status, body = end_upload(running)
    if service == "hub":
        assert status == 201, body
    else:
        assert status in {0, 500, 503}
    cast.stack.start(service)
    if service != "hub":
        assert submissions_with(cast.stack, name) == []
    assert list((cast.stack.data / "vault" / "staging").iterdir()) == []

    status, body = end_upload(begin_upload(cast.desk, name))
    assert status == (409 if service == "hub" else 201), body
    found = submissions_with(cast.stack, name)
    assert len(found) == 1
    return found[0]


def check_desk(cast: Cast) -> None:
    """The desk is the same one, and its kernel still remembers."""
    assert cast.desk.container() == cast.container
    kernel = Kernel(cast.desk, cast.kernel_id)
    assert kernel.run("print(remembered)") == "42\n"
    kernel.close()


@contextlib.contextmanager
def slow_audit_log(stack: Stack) -> Iterator[None]:
    """While this holds, whoever adds to the audit log waits in the middle of their transaction."""
    psql = ["psql", "-h", "/run/postgresql", "-U", "postgres", "-d", "vitrine", "-qtA"]
    holding = subprocess.Popen(
        ["docker", "exec", "-i", stack.container("db"), *psql],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert holding.stdin is not None
    assert holding.stdout is not None
    holding.stdin.write("begin; lock table audit_events in share row exclusive mode; select 'held';\n")
    holding.stdin.flush()
    assert holding.stdout.readline() == "held\n"
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            holding.communicate("rollback;\n", timeout=30)


def waiting_writers(stack: Stack) -> int:
    return int(query(stack, "select count(*) from pg_locks where not granted"))


def cast_vote(visitor: Visitor, submission: str) -> int:
    """Approve, as the API says it is done; the answer's status, 0 if none came."""
    try:
        told = visitor.http.get(f"{PORTAL}/api/review/{submission}").json()
        body = {
            "decision": "APPROVE",
            "judged": told["to_judge"],
            "controls": [control["name"] for control in told["controls"]],
        }
        return visitor.post(f"/review/{submission}/vote", body).status_code
    except httpx.HTTPError:
        return 0


def vote_cut_by(cast: Cast, service: str, submission: str) -> None:
    """Chloe's vote is in the middle of its transaction when the service dies; then she votes again."""
    answers: list[int] = []
    voting = threading.Thread(target=lambda: answers.append(cast_vote(cast.chloe, submission)))
    with slow_audit_log(cast.stack):
        voting.start()
        wait_for(lambda: waiting_writers(cast.stack), 10, "the vote is under way")
        cast.stack.kill(service)
    voting.join(60)
    if service in {"portal", "db"}:
        assert answers[0] in {0, 500, 502, 503}
    else:
        assert answers == [200]
    cast.stack.start(service)

    assert cast_vote(cast.chloe, submission) == 200
    assert query(cast.stack, "select count(*) from votes where submission = :'it'", submission) == "1"
    assert cast_vote(cast.denis, submission) == 200
    assert query(cast.stack, "select state from submissions where id = :'it'", submission) == "RELEASED"


def download_cut_by(cast: Cast, service: str, submission: str) -> None:
    """The download is under way when the service dies; then ana downloads again."""
    address = f"{PORTAL}/submissions/{submission}/files/0/download"
    content = "".join(f"{service}.txt {n:08d}\n" for n in range(LINES)).encode()
    with contextlib.suppress(httpx.HTTPError), cast.ana.http.stream("GET", address) as first:
        pieces = first.iter_bytes(4096)
        beginning = next(pieces)
        cast.stack.kill(service)
        assert content.startswith(beginning + b"".join(pieces))
    cast.stack.start(service)

    again = cast.ana.http.get(address)
    assert again.status_code == 200, again.text[:300]
    assert again.content == content
    assert again.headers["X-Content-SHA256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("service", ["hub", "gate", "portal", "db"])
def test_the_journey_goes_on_when_a_service_dies_at_each_step(cast: Cast, service: str) -> None:
    """Submitting, working in the desk, voting, downloading: each with the service killed in the middle."""
    submission = upload_cut_by(cast, service)
    check_desk(cast)
    vote_cut_by(cast, service, submission)
    download_cut_by(cast, service, submission)

    events = [
        (e["actor"], e["action"]) for e in cast.stack.audit() if e["object"] == f"submission:{submission}"
    ]
    for once in (
        ("ana", "submission.submitted"),
        ("chloe", "review.voted"),
        ("denis", "review.voted"),
        ("denis", "submission.approved"),
        ("denis", "submission.released"),
    ):
        assert events.count(once) == 1, once
    assert events.count(("ana", "release.downloaded")) == 2
    verified = cast.stack.vitrine("audit", "verify")
    assert verified.returncode == 0, verified.stdout


def kill_sweeper(stack: Stack) -> None:
    stack.kill("sweeper")


def kill_worker(stack: Stack) -> None:
    """Only the worker, the sweeper's child."""
    table = docker("top", stack.container("sweeper"), "-eo", "pid,args").splitlines()
    (worker,) = [int(line.split()[0]) for line in table if line.endswith("extract work")]
    os.kill(worker, signal.SIGKILL)


ALL_WANTED = ("FLPDYR", "s006", "fips", "MARS", "age_head", "age_spouse", "nu18", "XTOT", "e00200", "e02400")


@pytest.mark.parametrize(("slug", "kill"), [("cut-sweeper", kill_sweeper), ("cut-worker", kill_worker)])
def test_a_cut_extraction_is_resumed_and_sealed_once(
    stack: Stack, slug: str, kill: Callable[[Stack], None]
) -> None:
    with signed_in(stack, "bob") as (bob,):
        bob.create_project(project_document(slug, ALL_WANTED))
    wait_for(lambda: extract_state(stack, slug) == "EXTRACTING", 30, "the extraction runs")
    kill(stack)
    assert extract_state(stack, slug) == "EXTRACTING", "killed too late for this test to tell anything"
    revive(stack)
    wait_for(lambda: extract_state(stack, slug) == "SEALED", 60, "sealed")

    events = [str(e["action"]) for e in stack.audit() if e["object"] == f"extract:{slug}/v1"]
    assert events == [
        "extract.planned",
        "extract.estimate_asked",
        "extract.assessing",
        "extract.assessed",
        "extract.begun",
        "extract.interrupted",
        "extract.begun",
        "extract.sealed",
    ]
    folder = stack.data / "extracts" / slug
    assert [path.name for path in folder.iterdir()] == ["v1"]
    manifest = json.loads((folder / "v1" / "manifest.json").read_text())
    for file in manifest["files"]:
        sealed = (folder / "v1" / file["name"]).read_bytes()
        assert hashlib.sha256(sealed).hexdigest() == file["sha256"]

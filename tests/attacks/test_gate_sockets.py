"""A researcher who owns their run directory: links, swaps and squatting lead nowhere."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.gate.harness import AS_ROOT, DESK_UID, Desk, Rig, reply, wait_for

STATUS = "/user/ana/wages/api/status"


@pytest.fixture
def attacked() -> Iterator[Rig]:
    rig = Rig()
    try:
        rig.write_session("s1")
        rig.write_session("s2", username="bob")
        rig.start()
        yield rig
    finally:
        rig.close()


def as_researcher(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """Run Python as the desk's user, in the run directory as the desk sees it."""
    given = {"user": DESK_UID, "group": DESK_UID, "extra_groups": ()} if AS_ROOT else {}
    python = "/usr/bin/python3" if AS_ROOT else sys.executable
    command = [python, "-I", "-c", program]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **given)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.symlink('../s2/lab.sock', 'lab.sock')",
        "import os; os.symlink(os.path.abspath('../s2/lab.sock'), 'lab.sock')",
        "import os; os.symlink('submit.sock', 'lab.sock')",
        "open('lab.sock', 'w').write('x')",
        "import os; os.mkdir('lab.sock')",
        "import os; os.mkfifo('lab.sock')",
    ],
)
def test_lab_sock_that_is_not_a_socket_of_the_desk(attacked: Rig, program: str) -> None:
    bobs = attacked.open_desk("s2", lambda _: reply(b'{"of": "bob"}'))
    done = as_researcher(attacked.settings.run / "s1", program)
    assert done.returncode == 0, done.stderr
    answer = attacked.request("GET", STATUS)
    assert (answer.status, answer.code) == (503, "desk_unreachable")
    assert bobs.asked == []


def test_swap_after_the_first_connection(attacked: Rig) -> None:
    """Ana's socket is replaced by a link to Bob's while the gate holds connections to it."""
    bobs = attacked.open_desk("s2", lambda _: reply(b'{"of": "bob"}'))
    anas = attacked.open_desk("s1", lambda _: reply(b'{"of": "ana"}'))
    assert json.loads(attacked.request("GET", STATUS).body) == {"of": "ana"}
    done = as_researcher(
        attacked.settings.run / "s1",
        "import os; os.unlink('lab.sock'); os.symlink('../s2/lab.sock', 'lab.sock')",
    )
    assert done.returncode == 0, done.stderr
    anas.close()
    assert attacked.request("GET", STATUS).status in {502, 503}
    assert bobs.asked == []


def test_socket_of_another_owner(attacked: Rig) -> None:
    path = attacked.settings.run / "s1" / "lab.sock"
    if AS_ROOT:
        attacked.desks.append(Desk(path, uid=DESK_UID + 1))
        assert attacked.request("GET", STATUS).code == "desk_unreachable"
    else:
        attacked.stop()
        attacked.settings = type(attacked.settings)(**{**vars(attacked.settings), "desk_uid": DESK_UID + 1})
        attacked.start()
        attacked.desks.append(Desk(path))
        assert attacked.request("GET", STATUS).code == "desk_unreachable"


def test_run_directory_that_is_a_link(attacked: Rig) -> None:
    bobs = attacked.open_desk("s2")
    folder = attacked.settings.run / "s1"
    (folder / "submit.sock").unlink(missing_ok=True)
    wait_for(lambda: not list(folder.glob(".submit*")))
    folder.rename(folder.with_name("gone"))
    folder.symlink_to(attacked.settings.run / "s2")
    assert attacked.request("GET", STATUS).code == "desk_unreachable"
    assert bobs.asked == []


SQUATS = {
    "socket": "import socket; s = socket.socket(socket.AF_UNIX); s.bind('submit.sock')",
    "file": "open('submit.sock', 'w').write('x')",
    "link": "import os; os.symlink('/etc/passwd', 'submit.sock')",
    "directory": "import os; os.makedirs('submit.sock/full')",
}


@pytest.mark.parametrize("squat", SQUATS)
def test_submit_sock_squatted_while_the_gate_was_down(attacked: Rig, squat: str) -> None:
    path = attacked.settings.run / "s1" / "submit.sock"
    wait_for(path.is_socket)
    attacked.stop(9)
    path.unlink()  # as if the gate had never listened
    done = as_researcher(path.parent, SQUATS[squat])
    assert done.returncode == 0, done.stderr
    attacked.start()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(b"GET /submissions HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
    assert attacked.portal.calls[-1].path == "/internal/sessions/s1/submissions"


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.unlink('submit.sock')",
        "import os; os.rename('submit.sock', 'mine')",
        "open('x', 'w').close(); import os; os.rename('x', 'submit.sock')",
        "import os; os.chmod('submit.sock', 0)",
    ],
)
def test_the_researcher_cannot_take_submit_sock_away(attacked: Rig, program: str) -> None:
    """The sticky directory protects it while the gate runs; only another user shows that."""
    assert AS_ROOT, "this test needs two users: run it as root, as `make test` does"
    path = attacked.settings.run / "s1" / "submit.sock"
    wait_for(path.is_socket)
    before = path.stat().st_ino
    done = as_researcher(path.parent, program)
    assert "PermissionError" in done.stderr
    assert path.stat().st_ino == before


def test_submit_sock_that_vanished_comes_back(attacked: Rig) -> None:
    path = attacked.settings.run / "s1" / "submit.sock"
    wait_for(path.is_socket)
    path.unlink()
    wait_for(path.is_socket)


def test_sockets_of_ended_sessions_are_removed_after_a_kill(attacked: Rig) -> None:
    path = attacked.settings.run / "s1" / "submit.sock"
    wait_for(path.is_socket)
    attacked.stop(9)
    assert path.is_socket()
    attacked.write_session("s1", state="ENDED", reason="stopped", hub_env={})
    attacked.start()
    wait_for(lambda: not os.path.lexists(path))

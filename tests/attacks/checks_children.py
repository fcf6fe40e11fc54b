"""Children that a hostile file has taken over, for `test_checks_confinement`. Run as `python -m`."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hub.checks.__main__ import _confine
from hub.checks.isolation import leave_files


def _fork(folder: Path, *, quiet: bool) -> None:
    """Leave a child behind; a quiet one lets go of standard output, so that the parent sees an end."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if quiet:
            os.close(1)
        time.sleep(60)
        os._exit(0)
    (folder / "pid").write_text(str(pid))


def _look(folder: Path) -> dict[str, Any]:
    return {"environment": dict(os.environ), "descriptors": len(list(Path("/proc/self/fd").iterdir()))}


def _refused(act: Callable[[], Any]) -> str:
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return "done"


def _write(folder: Path) -> dict[str, Any]:
    kept = folder / "kept"
    acts: dict[str, Callable[[], Any]] = {
        "write": lambda: (folder / "written").write_bytes(b"data"),
        "append": lambda: kept.open("ab").write(b"data"),
        "truncate": lambda: os.truncate(kept, 0),
        "open to truncate": lambda: os.open(kept, os.O_RDONLY | os.O_TRUNC),
        "rename": lambda: kept.rename(folder / "moved"),
        "unlink": kept.unlink,
        "chmod": lambda: kept.chmod(0o777),
        "link": lambda: os.link(kept, folder / "linked"),
        "symlink": lambda: (folder / "linked").symlink_to(kept),
        "mkdir": (folder / "made").mkdir,
    }
    return {name: _refused(act) for name, act in acts.items()}


def _reach(folder: Path) -> dict[str, Any]:
    """The network and other processes; `port` is where somebody listens."""
    port = int((folder / "port").read_text())
    parent = os.getppid()
    acts: dict[str, Callable[[], Any]] = {
        "internet": lambda: socket.create_connection(("127.0.0.1", port), 1),
        "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "unix": lambda: socket.socket(socket.AF_UNIX),
        "pair": socket.socketpair,
        "program": lambda: subprocess.run(["/bin/true"], check=True),
        "fork": os.fork,
        "kill": lambda: os.kill(parent, 0),
        "trace": lambda: _call(101, 16, parent),
        "namespace": lambda: _call(272, 0x10000000),
        "io_uring": lambda: _call(425, 1, 0),
    }
    answer = {name: _refused(act) for name, act in acts.items()}
    thread = threading.Thread(target=lambda: answer.update({"thread": _refused(acts["internet"])}))
    thread.start()
    thread.join()
    return answer


def _read(folder: Path) -> dict[str, Any]:
    acts: dict[str, Callable[[], Any]] = {
        "own": (folder / "own" / "file").read_bytes,
        "beside": (folder / "secret").read_bytes,
        "list": lambda: list(folder.iterdir()),
        "link": (folder / "own" / "link").read_bytes,
        "passwords": Path("/etc/passwd").read_bytes,
        "parent": Path(f"/proc/{os.getppid()}/environ").read_bytes,
    }
    return {name: _refused(act) for name, act in acts.items()}


def _call(number: int, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _spin(folder: Path) -> None:
    while True:
        pass


def _flood(folder: Path) -> None:
    while True:
        os.write(1, b"x" * 65_536)


TRICKS: dict[str, Callable[[Path], Any]] = {
    "sleep": lambda _: time.sleep(60),
    "fork": lambda _: time.sleep(60),
    "fork and end": lambda _: None,
    "spin": _spin,
    "flood": _flood,
    "crash": lambda _: ctypes.string_at(0),
    "fail": lambda _: None,
    "look": _look,
    "write": _write,
    "reach": _reach,
    "read": _read,
}


def main() -> int:
    request = json.loads(sys.stdin.buffer.read())
    trick, folder = request["trick"], Path(request["folder"])
    if trick.startswith("fork"):  # before the limits: the test must learn whom to look for
        _fork(folder, quiet=trick == "fork and end")
    network = _confine(json.loads(sys.argv[1]))
    if trick == "reach" and "filter" not in network:
        return 4
    if trick == "read" and leave_files([folder / "own"]) != "own":
        return 5
    answer = TRICKS[trick](folder)
    sys.stdout.write(json.dumps(answer))
    return 3 if trick == "fail" else 0


if __name__ == "__main__":
    sys.exit(main())

"""Children that a hostile file has taken over, for `test_checks_confinement`. Run as `python -m`."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hub.checks.__main__ import _confine


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


def _write(folder: Path) -> dict[str, Any]:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with (folder / "written").open("wb", buffering=0) as stream:
        try:
            stream.write(b"data")
        except OSError:
            return {"written": False}
    return {"written": True}


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
    "crash": lambda _: os.kill(os.getpid(), signal.SIGSEGV),
    "fail": lambda _: None,
    "look": _look,
    "write": _write,
}


def main() -> int:
    request = json.loads(sys.stdin.buffer.read())
    trick, folder = request["trick"], Path(request["folder"])
    if trick.startswith("fork"):  # before the limits: the test must learn whom to look for
        _fork(folder, quiet=trick == "fork and end")
    _confine(json.loads(sys.argv[1]))
    answer = TRICKS[trick](folder)
    sys.stdout.write(json.dumps(answer))
    return 3 if trick == "fail" else 0


if __name__ == "__main__":
    sys.exit(main())

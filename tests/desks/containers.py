"""Containers of the desk image, by the engine's own command line."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

IMAGE = os.environ.get("VITRINE_DESK_IMAGE", "vitrine-desk")
PYTHON = "/opt/desk/bin/python"
DEADLINE = "/usr/local/sbin/deadline"
ENDS_AT = "/run/desk/ends_at"
LOCKED = (
    "--network=none",
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--user=1000:1000",
    "--tmpfs=/tmp",
    "--pids-limit=256",
)


def docker(*arguments: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """One docker command. Its output is text; a failure shows what it said."""
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, check=False, timeout=timeout
    )
    assert done.returncode == 0 or not check, f"docker {' '.join(arguments)}: {done.stderr}"
    return done


@dataclass(frozen=True)
class Container:
    """A started container and the time it is to end at (epoch seconds)."""

    identifier: str
    deadline: int

    @classmethod
    def start(cls, seconds: int, command: Sequence[str], *options: str, ends_at: bool = False) -> Container:
        """Run `command` under the deadline, `seconds` from now, locked down as the hub does it."""
        deadline = int(time.time()) + seconds
        watched = ("--ends-at-file", ENDS_AT) if ends_at else ()
        whole = [DEADLINE, str(deadline), *watched, "--", *command]
        run = docker("run", "--detach", *LOCKED, *options, IMAGE, *whole)
        return cls(run.stdout.strip(), deadline)

    def state(self) -> dict[str, Any]:
        """The engine's word on the container."""
        state: dict[str, Any] = json.loads(
            docker("inspect", "--format={{json .State}}", self.identifier).stdout
        )
        return state

    def output(self) -> str:
        """All that was written so far, both streams."""
        done = docker("logs", self.identifier)
        return done.stdout + done.stderr

    def wait_for(self, word: str, seconds: float = 20) -> None:
        """Until `word` was written."""
        end = time.monotonic() + seconds
        while word not in self.output():
            assert time.monotonic() < end, f"no {word!r} in: {self.output()}"
            time.sleep(0.05)

    def wait(self, seconds: float) -> int:
        """The exit status, once the container has ended; fails if it has not after `seconds`."""
        return int(docker("wait", self.identifier, timeout=seconds).stdout)

    def finished_at(self) -> float:
        """When process 1 was gone: the kernel ends it last, after all other processes of its namespace."""
        text = str(self.state()["FinishedAt"])
        return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00").timestamp()

    def survivors(self) -> list[int]:
        """Processes of the machine that are still in this container's control group."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                groups = (process / "cgroup").read_text(encoding="utf-8")
            except OSError:  # it ended while we looked
                continue
            if self.identifier in groups:
                found.append(int(process.name))
        return found

    def remove(self) -> None:
        """Kill and forget it."""
        docker("rm", "--force", self.identifier, check=False)

"""Process 1 of a desk, attacked from inside as the researcher: the desk ends at its time regardless."""

from __future__ import annotations

import os
import shutil
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.desks.containers import DEADLINE, ENDS_AT, IMAGE, LOCKED, PYTHON, Container, docker

pytestmark = pytest.mark.containers

LATE = 5.0  # seconds after the deadline at which nothing may live any more
REACHED = 124

# Each says "ready" once it has done its worst, and would then go on for an hour.
COMMON = """
import ctypes, os, resource, signal, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def tried(name, call):
    try:
        result = call()
    except OSError as error:
        result = error.errno
    print(name, result, flush=True)
def syscall(name, number, *arguments):
    ctypes.set_errno(0)
    done = libc.syscall(ctypes.c_long(number), *(ctypes.c_ulong(each) for each in arguments))
    print(name, ctypes.get_errno() if done < 0 else "done", flush=True)
def stay():
    print("ready", flush=True)
    while True:
        time.sleep(3600)
def detach():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            return True
        os._exit(0)
    os.wait()
    return False
"""

QUIET = {
    "signals": """
        for number in sorted(signal.valid_signals()):
            os.kill(1, number)
        os.kill(1, signal.SIGKILL)
        stay()
    """,
    "signals_that_go_on": """
        print("ready", flush=True)
        while True:
            for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGSTOP, signal.SIGALRM):
                os.kill(1, number)
            time.sleep(0.001)
    """,
    "trace": """
        for name, request in {"attach": 16, "seize": 0x4206}.items():
            ctypes.set_errno(0)
            libc.ptrace(request, 1, 0, 0)
            print(name, ctypes.get_errno(), flush=True)
        stay()
    """,
    "memory": """
        for name in ("mem", "environ", "maps", "auxv", "stack", "syscall"):
            tried(name, lambda: os.close(os.open(f"/proc/1/{name}", os.O_RDONLY)))
        tried("write", lambda: os.close(os.open("/proc/1/mem", os.O_WRONLY)))
        tried("oom", lambda: os.close(os.open("/proc/1/oom_score_adj", os.O_WRONLY)))
        tried("descriptors", lambda: os.listdir("/proc/1/fd"))
        tried("program", lambda: os.close(os.open("/usr/local/sbin/deadline", os.O_RDONLY)))
        stay()
    """,
    "slow_down": """
        def attempts(who):
            tried(who + "-nice", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19))
            tried(who + "-nice-group", lambda: os.setpriority(os.PRIO_PGRP, 1, 19))
            tried(who + "-nice-user", lambda: os.setpriority(os.PRIO_USER, 1000, 19))
            tried(who + "-nice-user-0", lambda: os.setpriority(os.PRIO_USER, 0, 19))
            tried(who + "-idle", lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0)))
            tried(who + "-param", lambda: os.sched_setparam(1, os.sched_param(0)))
            tried(who + "-processor", lambda: os.sched_setaffinity(1, {0}))
            tried(who + "-limit", lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0)))
            tried(who + "-cpu-limit", lambda: resource.prlimit(1, resource.RLIMIT_CPU, (1, 1)))
            syscall(who + "-attributes", 314, 1, 0, 0)
            syscall(who + "-high-half", 141, 0, (1 << 32) | 1, 19)
            syscall(who + "-io", 251, 1, 1, 3 << 13)
        attempts("child")
        if detach():
            attempts("orphan")
            stay()
        time.sleep(3600)
    """,
    "foreign_calls": """
        # The same calls under the numbers of the x32 world: setpriority is 141, plus the bit.
        if os.fork() == 0:
            libc.syscall(ctypes.c_long(0x40000000 + 141), 0, 1, 19)
            os._exit(0)
        print("killed-by", os.WTERMSIG(os.wait()[1]), flush=True)
        stay()
    """,
    "daemon": """
        if detach():
            for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
            stay()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(3600)
    """,
    "stopped": """
        for _ in range(20):
            if os.fork() == 0:
                os.kill(os.getpid(), signal.SIGSTOP)
        stay()
    """,
    "undying_family": """
        # Each child is remade by its parent as soon as it dies of SIGTERM.
        def family():
            while True:
                if (child := os.fork()) == 0:
                    time.sleep(3600)
                os.waitpid(child, 0)
        signal.signal(signal.SIGTERM, lambda *_: os.fork())
        print("ready", flush=True)
        for _ in range(5):
            if os.fork() == 0:
                family()
        family()
    """,
}
SAID = {
    "trace": {"attach 1", "seize 1"},
    "memory": {
        *(
            f"{name} 13"
            for name in ("mem", "environ", "maps", "auxv", "write", "oom", "descriptors", "program")
        ),
    },
    "slow_down": {
        f"{who}-{name} 1"
        for who in ("child", "orphan")
        for name in (
            *("nice", "nice-group", "nice-user", "nice-user-0", "idle", "param", "processor", "limit"),
            *("cpu-limit", "attributes", "high-half", "io"),
        )
    },
    "foreign_calls": {"killed-by 31"},
}

STORMS = {
    "forks": """
        print("ready", flush=True)
        while True:
            try:
                os.fork()
            except OSError:
                pass
    """,
    "orphans": """
        print("ready", flush=True)
        while True:
            try:
                if os.fork() == 0:
                    os.fork()
                    os._exit(0)
                os.waitpid(-1, os.WNOHANG)
            except OSError:
                pass
    """,
    "outrun": """
        # All the machine's time for others, after trying to make process 1 the last in the queue.
        tried("slow", lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0)))
        print("ready", flush=True)
        for _ in range(240):
            if os.fork() == 0:
                while True:
                    pass
        while True:
            pass
    """,
}


def program(code: str) -> list[str]:
    return [PYTHON, "-c", COMMON + textwrap.dedent(code)]


def assert_ended_in_time(container: Container) -> None:
    """Alive until the deadline, gone with everything it had five seconds later."""
    assert container.wait(container.deadline + 30 - time.time()) == REACHED
    assert container.deadline <= container.finished_at() <= container.deadline + LATE
    assert container.survivors() == []


@pytest.fixture(scope="module")
def quiet() -> Iterator[dict[str, Container]]:
    """All attacks that need no processor time, at once."""
    with ThreadPoolExecutor(4) as pool:
        started = dict(
            zip(QUIET, pool.map(lambda code: Container.start(8, program(code)), QUIET.values()), strict=True)
        )
    yield started
    for container in started.values():
        container.remove()


@pytest.fixture
def start() -> Iterator[Callable[..., Container]]:
    """Containers that are gone after the test."""
    started: list[Container] = []

    def start_one(*arguments: object, **options: object) -> Container:
        started.append(Container.start(*arguments, **options))  # type: ignore[arg-type]
        return started[-1]

    yield start_one
    for container in started:
        container.remove()


@pytest.fixture
def run_folder() -> Iterator[Path]:
    """What the hub mounts as /run/desk: anyone may add, only the owner of a file may replace it."""
    folder = Path(tempfile.mkdtemp(prefix="vitrine-run-"))
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


def write_as_the_house(folder: Path, text: str) -> None:
    """`ends_at`, written aside and renamed by uid 990, to whom the folder belongs on a real node."""
    if os.geteuid() == 0:
        os.chown(folder, 990, 990)
    script = f"printf %s '{text}' > /run/desk/.ends_at && mv -f /run/desk/.ends_at {ENDS_AT}"
    docker(
        "run",
        "--rm",
        "--network=none",
        "--user=990:990",
        f"--volume={folder}:/run/desk",
        IMAGE,
        "sh",
        "-c",
        script,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["tomorrow", "--", "true"],
        ["-1", "--", "true"],
        ["+9999999999", "--", "true"],
        [" 9999999999", "--", "true"],
        ["9999999999.5", "--", "true"],
        ["9999999999999", "--", "true"],
        ["0x7fffffffff", "--", "true"],
        ["", "--", "true"],
        ["1000000000", "--", "true"],  # 2001
        ["9999999999", "true"],
        ["9999999999", "--"],
        ["9999999999", "--ends-at-file", "--", "true"],
        ["9999999999", "--ends-at-file", "ends_at", "--", "true"],
        ["9999999999", "--ends-at", ENDS_AT, "--", "true"],
    ],
)
def test_refuses_to_start(arguments: list[str]) -> None:
    done = docker("run", "--rm", *LOCKED, IMAGE, DEADLINE, *arguments, check=False)
    assert done.returncode == 64
    assert done.stderr.startswith("deadline: ")


def test_refuses_to_be_anything_but_process_1() -> None:
    shell = [IMAGE, "sh", "-c", f"{DEADLINE} 9999999999 -- true; echo $?"]
    assert docker("run", "--rm", *LOCKED, *shell).stdout == "64\n"


def test_a_command_that_is_not_there_is_said_so() -> None:
    done = docker("run", "--rm", *LOCKED, IMAGE, DEADLINE, "9999999999", "--", "/nowhere", check=False)
    assert done.returncode == 127


@pytest.mark.parametrize("attack", QUIET)
def test_no_attack_outlives_the_deadline(quiet: dict[str, Container], attack: str) -> None:
    container = quiet[attack]
    assert_ended_in_time(container)
    said = set(container.output().splitlines())
    assert said >= {"ready", *SAID.get(attack, set())}, said


@pytest.mark.parametrize("attack", STORMS)
def test_no_storm_outlives_the_deadline(start: Callable[..., Container], attack: str) -> None:
    container = start(4, program(STORMS[attack]))
    assert_ended_in_time(container)
    assert "ready" in container.output()


def test_obedient_processes_get_time_to_save(start: Callable[..., Container]) -> None:
    code = "signal.signal(signal.SIGTERM, lambda *_: (print('saved', flush=True), os._exit(0)))\nstay()"
    container = start(3, program(code))
    assert_ended_in_time(container)
    assert "saved" in container.output()
    assert container.finished_at() < container.deadline + 2


@pytest.mark.parametrize(("ending", "status"), [("os._exit(7)", 7), ("os.kill(os.getpid(), 9)", 137)])
def test_the_commands_end_is_the_end_of_all(
    start: Callable[..., Container], ending: str, status: int
) -> None:
    container = start(600, program(f"if detach():\n    stay()\ntime.sleep(0.5)\n{ending}"))
    assert container.wait(20) == status
    assert container.survivors() == []


def test_the_engines_stop_reaches_the_command(start: Callable[..., Container]) -> None:
    container = start(600, program("signal.signal(signal.SIGTERM, lambda *_: os._exit(5))\nstay()"))
    container.wait_for("ready")
    docker("stop", "--time=20", container.identifier)
    assert container.state()["ExitCode"] == 5


def test_the_file_brings_the_end_nearer(start: Callable[..., Container], run_folder: Path) -> None:
    container = start(600, program("stay()"), f"--volume={run_folder}:/run/desk", ends_at=True)
    container.wait_for("ready")
    sooner = int(time.time()) + 3
    write_as_the_house(run_folder, f"{sooner}\n")
    assert container.wait(20) == REACHED
    assert sooner <= container.finished_at() <= sooner + LATE


def test_the_file_cannot_put_the_end_off(start: Callable[..., Container], run_folder: Path) -> None:
    write_as_the_house(run_folder, str(int(time.time()) + 600))
    container = start(3, program("stay()"), f"--volume={run_folder}:/run/desk", ends_at=True)
    assert_ended_in_time(container)


def test_the_file_cannot_be_taken_over(start: Callable[..., Container], run_folder: Path) -> None:
    sooner = int(time.time()) + 5
    write_as_the_house(run_folder, str(sooner))
    forge = f"""
        def forge(path):
            with open(path, "w") as file:
                file.write("9999999999")
        forge("/run/desk/mine")
        tried("write", lambda: forge("{ENDS_AT}"))
        tried("remove", lambda: os.unlink("{ENDS_AT}"))
        tried("replace", lambda: os.rename("/run/desk/mine", "{ENDS_AT}"))
        tried("move", lambda: os.rename("{ENDS_AT}", "/run/desk/other"))
        tried("mode", lambda: os.chmod("{ENDS_AT}", 0o666))
        stay()
    """
    container = start(600, program(forge), f"--volume={run_folder}:/run/desk", ends_at=True)
    assert container.wait(30) == REACHED
    assert sooner <= container.finished_at() <= sooner + LATE
    assert {"write 13", "remove 1", "replace 1", "move 1", "mode 1"} <= set(container.output().splitlines())


@pytest.mark.parametrize(
    "deed",
    [
        f"open('{ENDS_AT}', 'w').write('1')",
        f"os.mkfifo('{ENDS_AT}')",
        f"os.symlink('/proc/sys/kernel/pid_max', '{ENDS_AT}')",  # a number of root's, long past
        f"os.mkdir('{ENDS_AT}')",
    ],
    ids=["file", "pipe", "link", "folder"],
)
def test_what_the_researcher_puts_there_is_ignored(
    start: Callable[..., Container], run_folder: Path, deed: str
) -> None:
    container = start(4, program(f"{deed}\nstay()"), f"--volume={run_folder}:/run/desk", ends_at=True)
    assert_ended_in_time(container)


@pytest.mark.parametrize("text", ["soon", "-1", "12345678901234567890", "1 2", "\n"])
def test_a_file_of_the_house_that_is_no_time_ends_the_desk(
    start: Callable[..., Container], run_folder: Path, text: str
) -> None:
    container = start(600, program("stay()"), f"--volume={run_folder}:/run/desk", ends_at=True)
    container.wait_for("ready")
    write_as_the_house(run_folder, text)
    assert container.wait(10) == REACHED


def test_an_empty_file_of_the_house_is_a_write_in_progress(
    start: Callable[..., Container], run_folder: Path
) -> None:
    write_as_the_house(run_folder, "")
    container = start(4, program("stay()"), f"--volume={run_folder}:/run/desk", ends_at=True)
    assert_ended_in_time(container)

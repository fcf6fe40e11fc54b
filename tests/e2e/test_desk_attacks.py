"""A researcher who attacks from inside a real desk of the running stack: every line must fail for them."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.conftest import Stack, docker
from tests.e2e.desks import Desk, attempt, make_projects, query, signed_in

pytestmark = pytest.mark.containers


@dataclass(frozen=True)
class Scene:
    """Ana's two desks: one she attacks from, and one she attacks."""

    stack: Stack
    mine: Desk
    other: Desk


@pytest.fixture(scope="module")
def scene(stack: Stack) -> Iterator[Scene]:
    with signed_in(stack, "ana", "bob") as (ana, bob):
        make_projects(bob, "attack", "attacked")
        mine, other = ana.open_desk("attack"), ana.open_desk("attacked")
        yield Scene(stack, mine, other)


# --- the network

TCP = "s = socket.socket({family}); s.settimeout(3); s.connect(({host!r}, {port}))"


@pytest.mark.parametrize(
    "program",
    [
        TCP.format(family="socket.AF_INET", host="1.1.1.1", port=53),
        TCP.format(family="socket.AF_INET", host="172.17.0.1", port=22),
        TCP.format(family="socket.AF_INET", host="169.254.169.254", port=80),
        TCP.format(family="socket.AF_INET6", host="2606:4700:4700::1111", port=53),
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('1.1.1.1', 53))",
        "s = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM); s.settimeout(3); s.connect((2, 22))",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)",
        "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
        *(
            f"socket.getaddrinfo({name!r}, 80)"
            for name in ("hub", "gate", "portal", "db", "proxy", "example.org", "host.docker.internal")
        ),
    ],
)
def test_no_way_into_any_network(scene: Scene, program: str) -> None:
    assert attempt(scene.mine, program) in {
        "ENETUNREACH", "EPERM", "EAFNOSUPPORT", "ENODEV", "ECONNRESET", "NO_NAME", "EADDRNOTAVAIL",
    }  # fmt: skip


def test_no_way_to_the_services_or_this_machine_by_address(scene: Scene) -> None:
    networks = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}} {{end}}"
    places = {("127.0.0.1", 22), ("127.0.0.1", int(scene.stack.url.rpartition(":")[2]))}
    ports = {"hub": 8081, "gate": 8888, "portal": 8080, "db": 5432, "proxy": 8000}
    for service, port in ports.items():
        found = docker("inspect", "--format", networks, scene.stack.container(service)).split()
        places |= {(address, port) for address in found if "." in address}
    assert len(places) > 6
    for host, port in sorted(places):
        program = TCP.format(family="socket.AF_INET", host=host, port=port)
        assert attempt(scene.mine, program) in {"ENETUNREACH", "ECONNREFUSED"}, (host, port)
    assert scene.mine.inside("import socket; print([n for _, n in socket.if_nameindex()])") == "['lo']\n"


def test_names_of_abstract_sockets_end_at_the_desk(scene: Scene) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0vitrine-attack")
        listening.listen()
        assert (
            attempt(scene.mine, "socket.socket(socket.AF_UNIX).connect('\\0vitrine-attack')")
            == "ECONNREFUSED"
        )


# --- files, rights and namespaces

READ_ONLY = {"EROFS", "EACCES", "EPERM"}


@pytest.mark.parametrize(
    "program",
    [
        "open('/data/new', 'w')",
        "open('/data/manifest.json', 'a')",
        "os.unlink('/data/manifest.json')",
        "os.rename('/data', '/data2')",
        "os.chmod('/data', 0o777)",
        "open('/etc/jupyter/jupyter_server_config.py', 'a')",
        "open('/usr/local/sbin/deadline', 'w')",
        "open('/new', 'w')",
        "must(libc.mount(b'none', b'/data', b'tmpfs', 0, None))",
        "must(libc.mount(None, b'/data', None, 32 | 4096, None))",  # remount, bind: writable
        "must(libc.umount2(b'/data', 2))",
        "must(libc.unshare(0x10000000))",  # a user namespace of one's own
        "must(libc.unshare(0x20000))",
        "os.setuid(0)",
        "os.setgid(990)",
        "os.chroot('/home/researcher')",
        "os.mknod('/home/researcher/disk', 0o60666, os.makedev(254, 0))",
        "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))",
        "os.kill(1, 0); open('/proc/1/mem', 'rb+')",
        "open('/proc/sys/kernel/core_pattern', 'w')",
        "must(libc.ptrace(16, 1, 0, 0))",
    ],
)
def test_nothing_gives_more_rights(scene: Scene, program: str) -> None:
    assert attempt(scene.mine, program) in READ_ONLY


@pytest.mark.parametrize(
    "path",
    [
        "/srv/vitrine",
        "/run/secrets",
        "/var/run/docker.sock",
        "/run/docker.sock",
        "/home/researcher/../ana",
        "/work",
    ],
)
def test_nothing_of_the_control_zone_is_there(scene: Scene, path: str) -> None:
    assert attempt(scene.mine, f"os.lstat({path!r})") == "ENOENT"


def test_only_the_mounts_of_the_grant(scene: Scene) -> None:
    mounts = scene.mine.inside("print(open('/proc/self/mountinfo').read())").strip().splitlines()
    ours = {line.split()[4] for line in mounts if str(scene.stack.data).lstrip("/") in line.split()[3]} | {
        line.split()[4]
        for line in mounts
        if line.split()[4] in {"/data", "/home/researcher", "/shared", "/run/desk"}
    }
    assert ours == {"/data", "/home/researcher", "/shared", "/run/desk"}
    (data,) = [line.split() for line in mounts if line.split()[4] == "/data"]
    assert "ro" in data[5].split(",")
    for line in mounts:
        root = line.split()[3]
        assert not {"vault", "warehouse", "secrets", "attacked", "sessions", "audit"} & set(
            root.split("/")
        ), line


SEARCH = """
import os, sys
wanted = [line.encode() for line in sys.stdin_lines]
found = []
for top in ("/run", "/home", "/tmp", "/etc", "/data", "/shared", "/var", "/proc"):
    for folder, folders, names in os.walk(top):
        if top == "/proc":
            folders[:] = [name for name in folders if name.isdigit()] if folder == "/proc" else []
            names = [name for name in names if name in ("environ", "cmdline")]
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.isfile(path):
                continue
            try:
                with open(path, "rb") as file:
                    content = file.read(50_000_000)
            except OSError:
                continue
            found += [path for secret in wanted if secret in content]
print(found)
"""


def test_no_token_in_the_environment_or_in_any_file(scene: Scene) -> None:
    """Neither the services' secrets nor what the Hub gave this very session, also not inside a kernel."""
    secrets = [
        path.read_text().strip() for path in (scene.stack.data / "secrets").iterdir() if path.is_file()
    ]
    granted = json.loads((scene.stack.data / "sessions" / f"{scene.mine.session}.json").read_text())
    secrets.append(granted["hub_env"]["JUPYTERHUB_API_TOKEN"])
    secrets += scene.stack.logins().values()
    short = [secret for secret in secrets if "\n" not in secret and len(secret) >= 10]
    assert len(short) > 8
    kernel = scene.mine.kernel()
    names = kernel.run("import os; print(*os.environ)").split()
    searched = kernel.run(SEARCH.replace("sys.stdin_lines", repr(short)), seconds=60)
    # The control: a word that is there is found. (The cell's own text is in its history.)
    planted = kernel.run(
        "open('/tmp/planted', 'w').write('9f' * 20)\n" + SEARCH.replace("sys.stdin_lines", "['9f' * 20]")
    )
    kernel.close()
    assert "/tmp/planted" in planted
    assert searched == "[]\n"
    suspicious = ("JUPYTERHUB", "TOKEN", "SECRET", "PASSWORD", "DATABASE", "DOCKER")
    assert [name for name in names if any(word in name for word in suspicious)] == []


# --- submit.sock


@pytest.mark.parametrize(
    "program",
    [
        "os.unlink('/run/desk/submit.sock')",
        "os.rename('/run/desk/submit.sock', '/run/desk/mine')",
        "open('/run/desk/x', 'w'); os.rename('/run/desk/x', '/run/desk/submit.sock')",
        "socket.socket(1).bind('/run/desk/y'); os.rename('/run/desk/y', '/run/desk/submit.sock')",
        "os.chmod('/run/desk/submit.sock', 0o600)",
        "os.chmod('/run/desk', 0o777)",
        "os.rename('/run/desk', '/home/researcher/desk')",
        "shutil.rmtree('/run/desk')",
        "os.unlink('/run/desk/ends_at')",
        "open('/run/desk/ends_at', 'w')",
        "open('/run/desk/z', 'w').write('9999999999'); os.rename('/run/desk/z', '/run/desk/ends_at')",
    ],
)
def test_submit_sock_and_the_deadline_stay_where_they_are(scene: Scene, program: str) -> None:
    before = {name: (scene.mine.run / name).lstat().st_ino for name in ("submit.sock", "ends_at")}
    assert attempt(scene.mine, program) in {"EPERM", "EACCES", "EBUSY", "EXDEV"}
    assert {name: (scene.mine.run / name).lstat().st_ino for name in before} == before


def call(desk: Desk, method: str, path: str, *headers: str) -> tuple[int, dict[str, object]]:
    """A raw call on the desk's submit.sock: status and JSON."""
    head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""])
    program = """
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect("/run/desk/submit.sock")
s.sendall(sys.argv[1].encode())
while chunk := s.recv(65536): sys.stdout.write(chunk.decode())
"""
    answer = desk.inside(program, head)
    return int(answer.split(" ")[1]), json.loads(answer.partition("\n\n")[2] or "{}")


def test_the_socket_speaks_for_its_own_session_only(scene: Scene) -> None:
    other = scene.other.session
    for headers in (
        (),
        (f"X-Session: {other}", "X-Forwarded-User: bob", "X-Forwarded-For: 127.0.0.1"),
        ("Authorization: Bearer 0000", f"Cookie: session={other}"),
    ):
        status, told = call(scene.mine, "GET", "/session", *headers)
        assert status == 200
        assert told["project"]["slug"] == "attack"  # type: ignore[index]  # JSON


@pytest.mark.parametrize(
    "path",
    [
        "/internal/sessions/{other}/submissions",
        "/../{other}/submissions",
        "/submissions/../../{other}/submissions",
        "/submissions/..%2f..%2f{other}",
        "/submissions?session={other}",
        "http://portal:8080/internal/sessions/{other}",
        "//portal:8080/internal/sessions/{other}",
        "/services/portal/",
        "/health",
    ],
)
def test_no_other_address_behind_the_socket(scene: Scene, path: str) -> None:
    status, told = call(scene.mine, "GET", path.format(other=scene.other.session))
    assert status == 404
    assert told["error"]["code"] == "unknown_call"  # type: ignore[index]  # JSON


def test_submissions_of_another_project_are_out_of_reach(scene: Scene) -> None:
    done = scene.other.submit("table.csv", "groupe,effectif\na,120\nb,340\n", "essai")
    assert done.returncode == 0, done.stderr
    theirs = query(scene.stack, "select id from submissions where project = :'it'", "attacked")
    status, _ = call(scene.mine, "POST", f"/submissions/{theirs}/withdraw", "Content-Length: 0")
    assert status in {403, 404}
    assert query(scene.stack, "select state from submissions where id = :'it'", theirs) == "SUBMITTED"
    assert call(scene.mine, "GET", "/submissions")[1] == {"submissions": []}

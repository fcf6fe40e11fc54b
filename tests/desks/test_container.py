"""A desk's container on the real engine: made as granted, and every difference found before it starts."""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import docker
import pytest

from hub.actions.sessions import Grant
from hub.spawner import sockets
from hub.spawner.container import ContainerSpec, Layout, differences, spec
from tests import factories

pytestmark = pytest.mark.containers


@pytest.fixture(scope="module")
def engine() -> Iterator[docker.APIClient]:
    client = docker.APIClient(version="auto")
    yield client
    client.close()


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="vitrine-desk-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def grant_in(data: Path, tmp_path: Path, seconds: int = 120) -> Grant:
    """A grant whose folders are there."""
    office = factories.make_office(tmp_path)
    now = datetime.now(UTC)
    factories.fill(office, now=now)
    factories.add_project(office, starts_at=now, ends_at=now + timedelta(seconds=seconds))
    grant = factories.open_session(office, now=datetime.now(UTC))
    office.units.engine.dispose()  # type: ignore[attr-defined]  # SqlUnits
    for part in ("extracts/wages/v1", "homes/ana/wages", "shared/wages", f"run/{grant.session.id}"):
        folder = data / part
        folder.mkdir(parents=True)
        if part.startswith("run"):
            os.chown(folder, 990, 990)  # the gate's: sticky, so the desk cannot remove what is not its own
            folder.chmod(0o1777)
        elif not part.startswith("extracts"):
            os.chown(folder, 1000, 1000)
    return grant


@pytest.fixture
def wanted(data: Path, tmp_path: Path) -> ContainerSpec:
    grant = grant_in(data, tmp_path)
    return spec(grant, Layout(PurePosixPath(data), "vitrine-desk"))


def create(engine: docker.APIClient, wanted: ContainerSpec, **changes: Any) -> dict[str, Any]:
    """Create it, with these host arguments changed; answer the engine's account and remove it."""
    host = {**wanted.host_arguments(), **{k: v for k, v in changes.items() if k in _HOST}}
    plain = {**wanted.create_arguments(), **{k: v for k, v in changes.items() if k not in _HOST}}
    made = engine.create_container(host_config=engine.create_host_config(**host), **plain)
    try:
        return dict(engine.inspect_container(made["Id"]))
    finally:
        engine.remove_container(made["Id"], force=True)


_HOST = {
    "network_mode", "read_only", "cap_drop", "cap_add", "security_opt", "mem_limit", "memswap_limit",
    "nano_cpus", "pids_limit", "ipc_mode", "pid_mode", "privileged", "tmpfs", "binds", "devices", "group_add",
    "restart_policy", "uts_mode", "port_bindings", "sysctls", "volumes_from",
}  # fmt: skip


def test_what_the_engine_makes_is_what_was_granted(engine: docker.APIClient, wanted: ContainerSpec) -> None:
    assert differences(wanted, create(engine, wanted)) == []


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"network_mode": "bridge"}, "network"),
    ({"network_mode": "host"}, "network"),
    ({"read_only": False}, "read_only"),
    ({"cap_drop": []}, "cap_drop"),
    ({"cap_add": ["SYS_PTRACE"]}, "cap_add"),
    ({"security_opt": []}, "security_opt"),
    ({"security_opt": ["no-new-privileges", "seccomp=unconfined"]}, "security_opt"),
    ({"privileged": True}, "privileged"),
    ({"mem_limit": 2**33, "memswap_limit": 2**33}, "memory"),
    ({"memswap_limit": -1}, "memory_swap"),
    ({"nano_cpus": 2_000_000_000}, "cpus"),
    ({"pids_limit": -1}, "pids"),
    ({"ipc_mode": "host"}, "ipc_mode"),
    ({"pid_mode": "host"}, "pid_mode"),
    ({"tmpfs": {"/tmp": "exec"}}, "tmpfs"),
    ({"group_add": ["0"]}, "group_add"),
    ({"devices": ["/dev/null:/dev/vault:r"]}, "devices"),
    ({"restart_policy": {"Name": "always"}}, "restart"),
    ({"user": "0:0"}, "user"),
    ({"image": "vitrine-hub"}, "image"),
    ({"command": ["/bin/sh"]}, "command"),
    ({"entrypoint": ["/bin/sh"]}, "entrypoint"),
    ({"labels": {"vitrine.desk": "s-other"}}, "labels"),
    ({"environment": {}}, "env:VITRINE_BASE_URL"),
    ({"environment": {"JUPYTERHUB_API_TOKEN": "x"}}, "env:JUPYTERHUB_API_TOKEN"),
]


@pytest.mark.parametrize(("changes", "named"), CHANGES)
def test_every_difference_is_found(
    engine: docker.APIClient, wanted: ContainerSpec, changes: dict[str, Any], named: str
) -> None:
    assert named in differences(wanted, create(engine, wanted, **changes))


def mount_rw(binds: dict[str, Any], data: Path) -> None:
    binds[str(data / "extracts/wages/v1")]["mode"] = "rw"


def mount_more(binds: dict[str, Any], data: Path) -> None:
    binds["/var/run/docker.sock"] = {"bind": "/run/docker.sock", "mode": "rw"}


def mount_other(binds: dict[str, Any], data: Path) -> None:
    binds[str(data / "vault")] = binds.pop(str(data / "extracts/wages/v1"))


@pytest.mark.parametrize("change", [mount_rw, mount_more, mount_other])
def test_every_other_mount_is_found(
    engine: docker.APIClient,
    wanted: ContainerSpec,
    data: Path,
    change: Callable[[dict[str, Any], Path], None],
) -> None:
    binds = copy.deepcopy(wanted.host_arguments()["binds"])
    change(binds, data)
    assert "mounts" in differences(wanted, create(engine, wanted, binds=binds))


def test_an_account_without_a_part_is_a_difference(wanted: ContainerSpec) -> None:
    found = differences(wanted, {})
    assert {"network", "read_only", "cap_drop", "privileged", "mounts", "command"} <= set(found)


def test_the_desk_answers_on_its_socket_and_ends_at_its_deadline_alone(
    engine: docker.APIClient, data: Path, tmp_path: Path
) -> None:
    """No hub, gate, sweeper or portal runs here: the desk's first process ends it."""
    grant = grant_in(data, tmp_path, seconds=12)
    wanted = spec(grant, Layout(PurePosixPath(data), "vitrine-desk"))
    made = engine.create_container(
        host_config=engine.create_host_config(**wanted.host_arguments()), **wanted.create_arguments()
    )
    try:
        engine.start(made["Id"])
        path = data / "run" / grant.session.id / "lab.sock"
        while not sockets.answers(path, "/user/ana/wages/"):
            assert datetime.now(UTC) < grant.session.ends_at, engine.logs(made["Id"])[-2000:]
            time.sleep(0.05)
        state = engine.wait(made["Id"], timeout=30)
        late = (datetime.now(UTC) - grant.session.ends_at).total_seconds()
        assert state["StatusCode"] == 124
        assert -1 < late < 6
    finally:
        engine.remove_container(made["Id"], force=True)
    assert not sockets.answers(path, "/user/ana/wages/")

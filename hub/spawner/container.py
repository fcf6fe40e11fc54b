"""The shape of a desk's container, from its grant: pure, and compared with what the engine made.

Every option here is a control (docs/security.md). `differences` reads the engine's own account of
the created container; a desk is started only if that list is empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from hub.actions.sessions import Grant

LABEL = "vitrine.desk"
DEADLINE = "/usr/local/sbin/deadline"
ENDS_AT = "/run/desk/ends_at"
START = "/usr/local/bin/start-desk"
USER = "1000:1000"
TMPFS: Mapping[str, str] = {"/tmp": "rw,nosuid,nodev,size=1g,mode=1777"}  # noqa: S108  # inside the desk
LOG_OPTIONS = {"max-size": "1m", "max-file": "1"}


@dataclass(frozen=True)
class Layout:
    """Where the data directory is for the Docker engine (host paths), and the desk's image."""

    data: PurePosixPath
    image: str
    locale: str = "fr-FR"

    @property
    def mark(self) -> str:
        """Tells the desks of two data directories on one engine apart."""
        return hashlib.sha256(str(self.data).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class ContainerSpec:
    """All of a desk's container. `binds` maps host path to (place in the desk, writable)."""

    name: str
    image: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    binds: Mapping[str, tuple[str, bool]]
    memory_bytes: int
    cpus: float
    pids: int

    def create_arguments(self) -> dict[str, Any]:
        """Arguments of docker-py's `create_container`, without the host config."""
        return {
            "image": self.image,
            "command": list(self.command),
            "environment": dict(self.environment),
            "labels": dict(self.labels),
            "name": self.name,
            "user": USER,
            "working_dir": "/home/researcher",
            "hostname": "desk",
        }

    def host_arguments(self) -> dict[str, Any]:
        """Arguments of docker-py's `create_host_config`."""
        return {
            "network_mode": "none",
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "mem_limit": self.memory_bytes,
            "memswap_limit": self.memory_bytes,
            "nano_cpus": round(self.cpus * 1e9),
            "pids_limit": self.pids,
            "ipc_mode": "private",
            "shm_size": min(self.memory_bytes // 4, 2**30),
            "tmpfs": dict(TMPFS),
            "binds": {
                source: {"bind": target, "mode": "rw" if writable else "ro"}
                for source, (target, writable) in self.binds.items()
            },
            "restart_policy": {"Name": "no"},
            "log_config": {"Type": "json-file", "Config": LOG_OPTIONS},
        }


def spec(grant: Grant, layout: Layout) -> ContainerSpec:
    """The one container that this grant allows."""
    username, slug = grant.person.username, grant.project.slug
    session = grant.session.id
    deadline = str(int(grant.session.ends_at.timestamp()))
    data = layout.data
    return ContainerSpec(
        name=f"vitrine-desk-{layout.mark}-{username}--{slug}",
        image=layout.image,
        command=(DEADLINE, deadline, "--ends-at-file", ENDS_AT, "--", START),
        environment={
            "VITRINE_BASE_URL": f"/user/{username}/{slug}/",
            "VITRINE_PROJECT": slug,
            "VITRINE_LOCALE": layout.locale,
        },
        labels={LABEL: session, "vitrine.project": slug, "vitrine.person": username},
        binds={
            str(data / "extracts" / grant.extract.id): ("/data", False),
            str(data / "homes" / username / slug): ("/home/researcher", True),
            str(data / "shared" / slug): ("/shared", True),
            str(data / "run" / session): ("/run/desk", True),
        },
        memory_bytes=grant.tier.memory_bytes,
        cpus=grant.tier.cpus,
        pids=grant.tier.pids,
    )


def differences(wanted: ContainerSpec, made: Mapping[str, Any]) -> list[str]:
    """Where the created container (Docker's inspect) is not the wanted one; empty means equal.

    A key that the engine does not report counts as a difference. Values are not repeated: names only.
    """
    config, host = made.get("Config", {}), made.get("HostConfig", {})
    expected: dict[str, tuple[object, object]] = {
        "image": (config.get("Image"), wanted.image),
        "command": (tuple(config.get("Cmd") or ()), wanted.command),
        "entrypoint": (config.get("Entrypoint") or None, None),
        "user": (config.get("User"), USER),
        "labels": (_of(config.get("Labels"), wanted.labels), dict(wanted.labels)),
        "network": (host.get("NetworkMode"), "none"),
        "read_only": (host.get("ReadonlyRootfs"), True),
        "cap_drop": (host.get("CapDrop"), ["ALL"]),
        "cap_add": (host.get("CapAdd") or None, None),
        "security_opt": (host.get("SecurityOpt"), ["no-new-privileges"]),
        "privileged": (host.get("Privileged"), False),
        "memory": (host.get("Memory"), wanted.memory_bytes),
        "memory_swap": (host.get("MemorySwap"), wanted.memory_bytes),
        "cpus": (host.get("NanoCpus"), round(wanted.cpus * 1e9)),
        "pids": (host.get("PidsLimit"), wanted.pids),
        "pid_mode": (host.get("PidMode"), ""),
        "ipc_mode": (host.get("IpcMode"), "private"),
        "uts_mode": (host.get("UTSMode"), ""),
        "userns_mode": (host.get("UsernsMode"), ""),
        "devices": (host.get("Devices") or None, None),
        "device_requests": (host.get("DeviceRequests") or None, None),
        "device_cgroup_rules": (host.get("DeviceCgroupRules") or None, None),
        "volumes_from": (host.get("VolumesFrom") or None, None),
        "mounts_option": (host.get("Mounts") or None, None),
        "links": (host.get("Links") or None, None),
        "group_add": (host.get("GroupAdd") or None, None),
        "sysctls": (host.get("Sysctls") or None, None),
        "ports": (host.get("PortBindings") or None, None),
        "tmpfs": (host.get("Tmpfs"), dict(TMPFS)),
        "restart": ((host.get("RestartPolicy") or {}).get("Name") or "no", "no"),
        "mounts": (_mounts(made), sorted((s, t, w) for s, (t, w) in wanted.binds.items())),
        "masked_paths": (bool(host.get("MaskedPaths")), True),
        "readonly_paths": (bool(host.get("ReadonlyPaths")), True),
    }
    found = [name for name, (have, want) in expected.items() if have != want]
    return found + _environment_differences(wanted, config.get("Env") or [])


def _of(labels: Mapping[str, str] | None, wanted: Mapping[str, str]) -> dict[str, str]:
    """The labels that are ours (an image adds its own)."""
    return {name: value for name, value in (labels or {}).items() if name in wanted or name.startswith(LABEL)}


def _mounts(made: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    return sorted(
        (str(mount.get("Source")), str(mount.get("Destination")), bool(mount.get("RW")))
        for mount in made.get("Mounts", [])
        if mount.get("Type") != "tmpfs"
    )


def _environment_differences(wanted: ContainerSpec, environment: list[str]) -> list[str]:
    """Wanted variables that are missing, and any that looks like a credential of the Hub."""
    have = dict(entry.partition("=")[::2] for entry in environment)
    missing = [f"env:{name}" for name, value in wanted.environment.items() if have.get(name) != value]
    leaked = [f"env:{name}" for name in have if name.startswith(("JUPYTERHUB", "JPY_")) or "TOKEN" in name]
    return missing + leaked

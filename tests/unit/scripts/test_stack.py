"""docker-compose.yml: six services, each with its own folders and as little else as possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from .machines import ROOT

STACK: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: Mapping[str, dict[str, Any]] = STACK["services"]

# docs/architecture.md §2, row by row.
FOLDERS: dict[str, set[str]] = {
    "proxy": set(),
    "db": {"db"},
    "gate": {"meters", "run", "sessions:ro"},
    "hub": {"audit", "extracts:ro", "homes", "hub", "run", "sessions", "shared"},
    "portal": {
        "audit",
        "catalogue:ro",
        "documents",
        "extracts:ro",
        "indexes",
        "ledger/cells",
        "ledger/units:ro",
        "meters:ro",
        "run",
        "sessions",
        "vault",
    },
    "sweeper": {
        "audit",
        "catalogue",
        "extracts",
        "ledger/units",
        "maps",
        "meters:ro",
        "run",
        "sessions",
        "warehouse",
    },
}
HOST = "${VITRINE_HOST_DATA"


def test_the_services_are_exactly_these() -> None:
    assert set(SERVICES) == set(FOLDERS)


def folders(service: str) -> set[str]:
    """The data folders a service mounts, as `name` or `name:ro`."""
    found = set()
    for volume in SERVICES[service]["volumes"]:
        source, rest = volume.rsplit(":/", 1)
        if source.startswith(HOST) and "/secrets/" not in source:
            found.add(source.rsplit("}/", 1)[1] + (":ro" if rest.endswith(":ro") else ""))
    return found


@pytest.mark.parametrize("service", sorted(FOLDERS))
def test_a_service_mounts_the_folders_of_its_row(service: str) -> None:
    assert folders(service) == FOLDERS[service]


@pytest.mark.parametrize("service", sorted(FOLDERS))
def test_a_service_mounts_its_own_secrets_read_only(service: str) -> None:
    mounted = [volume for volume in SERVICES[service]["volumes"] if "/secrets/" in volume]
    assert len(mounted) == 1
    assert mounted[0].endswith(f"/secrets/for/{service}:/run/secrets/vitrine:ro")


@pytest.mark.parametrize("service", sorted(FOLDERS))
def test_a_service_is_confined(service: str) -> None:
    settings = SERVICES[service]
    assert settings["read_only"] is True
    assert settings["cap_drop"] == ["ALL"]
    assert settings["security_opt"] == ["no-new-privileges:true"]
    assert settings["pids_limit"]
    assert settings["restart"] == "unless-stopped"
    assert "privileged" not in settings
    assert "network_mode" not in settings
    assert settings["healthcheck"]["test"]


def test_only_the_hub_is_root_and_holds_the_engine() -> None:
    assert {name for name, settings in SERVICES.items() if "user" in settings} == {"hub"}
    assert {name for name, settings in SERVICES.items() if "cap_add" in settings} == {"hub"}
    holders = {
        name
        for name, settings in SERVICES.items()
        if any("docker.sock" in volume for volume in settings["volumes"])
    }
    assert holders == {"hub"}


def test_only_the_proxy_is_published_and_on_loopback_by_default() -> None:
    assert {name for name, settings in SERVICES.items() if "ports" in settings} == {"proxy"}
    assert SERVICES["proxy"]["ports"] == ["${VITRINE_BIND:-127.0.0.1}:${VITRINE_PORT:-8000}:8000"]


def test_only_the_proxy_leaves_the_control_network() -> None:
    assert STACK["networks"]["control"]["internal"] is True
    assert {name for name, settings in SERVICES.items() if settings["networks"] != ["control"]} == {"proxy"}


def test_no_secret_travels_in_the_environment() -> None:
    for name, settings in SERVICES.items():
        for variable, value in settings.get("environment", {}).items():
            is_path = str(value).startswith("/run/secrets/vitrine")
            is_named = any(word in variable for word in ("PASSWORD", "TOKEN", "KEY", "SECRET"))
            assert is_path or not is_named, f"{name}: {variable}"


def test_the_file_says_no_version() -> None:
    assert "version" not in STACK

"""scripts/engine.sh: use the engine that runs; else install it and start it, saying so; or say what to do."""

from __future__ import annotations

import pytest

from .machines import ROOT, Machine

ENGINE = ROOT / "scripts" / "engine.sh"
# Answers `docker info` only where the engine runs; `docker compose version` only where the plugin is there.
DOCKER = """
case "$1" in
  info) [ -e "$HOME/running" ] ;;
  compose) [ -e "$HOME/plugin" ] ;;
  version) echo 20.10 ;;
esac"""
INSTALLING = """
case "$*" in
  *install*) for package in "$@"; do
      case "$package" in
        docker.io) cp "$HOME/docker" "$HOME/bin/docker"; cp "$HOME/dockerd" "$HOME/bin/dockerd" ;;
        docker-compose) cp "$HOME/docker-compose" "$HOME/bin/docker-compose" ;;
      esac
    done ;;
esac"""


def packaged(names: str) -> str:
    """An apt-cache that has these packages, with descriptions longer than a pipe holds."""
    body = 'echo "Package: $2"; for line in {1..3000}; do echo "Description: a long one, as they are"; done'
    return f'[ "$1" = show ] && case " {names} " in *" $2 "*) {body} ;; esac'


@pytest.fixture
def fresh(machine: Machine) -> Machine:
    """A machine without an engine whose distribution has docker.io and docker-compose (Debian 12)."""
    machine.command("docker", DOCKER)
    machine.command("dockerd", 'touch "$HOME/running"')
    machine.command("docker-compose")
    for name in ("docker", "dockerd", "docker-compose"):
        (machine.folder / "bin" / name).rename(machine.folder / name)
    machine.command("apt-get", INSTALLING)
    machine.command("apt-cache", packaged("docker.io docker-compose"))
    machine.command("sudo", 'while [ "${1#-}" != "$1" ]; do shift; done; exec "$@"')
    machine.environment["VITRINE_INITD"] = str(machine.folder / "init.d")
    machine.environment["VITRINE_ENGINE_WAIT"] = "5"
    return machine


def installed(machine: Machine, *, running: bool) -> Machine:
    for name in ("docker", "dockerd", "docker-compose"):
        (machine.folder / name).rename(machine.folder / "bin" / name)
    if running:
        (machine.folder / "running").touch()
    return machine


@pytest.mark.parametrize("missing", ["engine", "compose", "running"])
def test_installing_can_be_forbidden(fresh: Machine, missing: str) -> None:
    if missing != "engine":
        installed(fresh, running=missing == "compose")
    if missing == "compose":
        (fresh.folder / "bin" / "docker-compose").unlink()
    ran = fresh.run(ENGINE, VITRINE_INSTALL="no")
    assert ran.status == 1
    assert "VITRINE_INSTALL=no" in ran.output
    assert "apt-get install docker" in ran.output
    assert not any(call.startswith(("apt-get", "dockerd", "service", "systemctl")) for call in ran.calls)


def test_an_engine_that_never_answers_is_an_error_with_its_last_words(fresh: Machine) -> None:
    installed(fresh, running=False)
    fresh.command("dockerd", "echo 'failed to mount overlay: operation not permitted'")
    ran = fresh.run(ENGINE, VITRINE_ENGINE_WAIT="1")
    assert ran.status == 1
    assert "does not start" in ran.output
    assert "failed to mount overlay" in ran.output


def test_a_failed_installation_stops_with_its_log(fresh: Machine) -> None:
    fresh.command("apt-get", "echo 'E: Unable to locate package'; exit 100")
    ran = fresh.run(ENGINE)
    assert ran.status != 0
    assert "E: Unable to locate package" in ran.output


def test_a_running_engine_is_used_as_it_is(fresh: Machine) -> None:
    ran = installed(fresh, running=True).run(ENGINE)
    assert ran.status == 0, ran.output
    assert {call.split()[0] for call in ran.calls} <= {"docker", "docker-compose"}


def test_an_engine_is_installed_and_started_and_said_first(fresh: Machine) -> None:
    ran = fresh.run(ENGINE)
    assert ran.status == 0, ran.output
    installs = [call for call in ran.calls if call.startswith("apt-get") and "install" in call]
    assert "docker.io" in installs[0]
    assert "docker-compose" in installs[1]
    assert ran.output.index("Installing docker.io") < ran.output.index("apt-get install docker.io")
    assert any(call.startswith("dockerd") for call in ran.calls)


def test_the_client_is_installed_where_it_is_a_package_of_its_own(fresh: Machine) -> None:
    fresh.command("apt-cache", packaged("docker.io docker-cli docker-compose"))
    ran = fresh.run(ENGINE)
    assert ran.status == 0, ran.output
    assert any("install" in call and "docker.io docker-cli" in call for call in ran.calls)


def test_a_machine_that_never_fetched_its_package_lists_fetches_them_first(fresh: Machine) -> None:
    fresh.command(
        "apt-cache", '[ -e "$HOME/lists" ] || exit 100; ' + packaged("docker.io docker-cli docker-compose")
    )
    fresh.command("apt-get", 'case "$*" in *update*) touch "$HOME/lists" ;; esac;' + INSTALLING)
    ran = fresh.run(ENGINE)
    assert ran.status == 0, ran.output
    assert any("install" in call and "docker.io docker-cli" in call for call in ran.calls)


def test_the_init_script_comes_before_the_daemon_by_hand(fresh: Machine) -> None:
    installed(fresh, running=False)
    (fresh.folder / "init.d").mkdir()
    (fresh.folder / "init.d" / "docker").touch()
    fresh.command("service", 'touch "$HOME/running"')
    ran = fresh.run(ENGINE)
    assert ran.status == 0, ran.output
    assert "service docker start" in ran.calls
    assert not any(call.startswith("dockerd") for call in ran.calls)


def test_the_daemon_by_hand_where_the_init_script_fails(fresh: Machine) -> None:
    installed(fresh, running=False)
    (fresh.folder / "init.d").mkdir()
    (fresh.folder / "init.d" / "docker").touch()
    fresh.command("service", "exit 1")
    ran = fresh.run(ENGINE)
    assert ran.status == 0, ran.output
    assert ran.calls.index("service docker start") < next(
        index for index, call in enumerate(ran.calls) if call.startswith("dockerd")
    )


@pytest.mark.parametrize(
    ("available", "taken"),
    [
        ("docker-compose-v2 docker-compose", "docker-compose-v2"),
        ("docker-compose docker-compose-plugin", "docker-compose"),
        ("docker-compose-plugin", "docker-compose-plugin"),
    ],
)
def test_the_compose_of_the_distribution_is_taken(fresh: Machine, available: str, taken: str) -> None:
    installed(fresh, running=True)
    (fresh.folder / "bin" / "docker-compose").unlink()
    fresh.command("apt-cache", packaged(f"docker.io {available}"))
    fresh.command("apt-get", 'case "$*" in *install*) touch "$HOME/plugin" ;; esac')
    ran = fresh.run(ENGINE)
    assert ran.status == 0, ran.output
    assert any(
        call.split()[-1] == taken for call in ran.calls if "install" in call and call.startswith("apt-get")
    )


@pytest.mark.parametrize(("plugin", "program"), [(True, "docker compose"), (False, "docker-compose")])
def test_compose_is_called_in_the_form_that_exists(fresh: Machine, plugin: bool, program: str) -> None:
    installed(fresh, running=True)
    if plugin:
        (fresh.folder / "plugin").touch()
    ran = fresh.run(ROOT / "scripts" / "compose.sh", "ps", VITRINE_PROJECT="two")
    assert ran.status == 0, ran.output
    assert ran.calls[-1].startswith(f"{program} --project-name two --file {ROOT}/docker-compose.yml")
    assert ran.calls[-1].endswith(" ps")


def test_no_compose_is_a_sentence(machine: Machine) -> None:
    machine.command("docker", "exit 1")
    ran = machine.run(ROOT / "scripts" / "compose.sh", "ps")
    assert ran.status == 1
    assert "engine.sh" in ran.output

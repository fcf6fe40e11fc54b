"""scripts/images.sh: what the images take from the machine that builds them, and when they are rebuilt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .machines import ROOT, Machine

IMAGES = ROOT / "scripts" / "images.sh"
# A docker with a memory: `image inspect` answers what `build --label` last said for that name.
DOCKER = """
case "$1" in
  info) ;;
  build)
    shift
    while [ $# -gt 0 ]; do
      case "$1" in
        --label) label=${2#*=} ; shift ;;
        --tag) tag=$2 ; shift ;;
      esac
      shift
    done
    echo "$label" > "$HOME/label-$tag" ;;
  image)
    for name in "$@"; do :; done
    case "$name" in
      debian:*) [ -e "$HOME/debian" ] || exit 1; case "$*" in *Labels*) ;; *) echo sha256:1 ;; esac ;;
      *) [ -e "$HOME/label-$name" ] && cat "$HOME/label-$name" ;;
    esac ;;
  pull) [ -e "$HOME/registry" ] && touch "$HOME/debian" ;;
  import) touch "$HOME/debian" ;;
esac"""


@pytest.fixture
def script(machine: Machine) -> Path:
    """images.sh in a checkout of its own: it writes certificates beside the base image."""
    checkout = machine.folder / "checkout"
    for part in ("scripts", "images/base", "images/db"):
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("*.crt", "__pycache__"))
    return checkout / "scripts" / "images.sh"


@pytest.fixture
def builder(machine: Machine) -> Machine:
    machine.command("docker", DOCKER)
    machine.command("mmdebstrap")
    machine.command("sudo", 'while [ "${1#-}" != "$1" ]; do shift; done; exec "$@"')
    (machine.folder / "debian").touch()
    machine.environment["VITRINE_CA_DIR"] = str(machine.folder / "no-authority")
    return machine


def builds(calls: list[str]) -> list[str]:
    return [call for call in calls if call.startswith("docker build")]


@pytest.mark.parametrize(
    ("url", "usable"),
    [
        ("https://packages.example.org/simple", True),
        ("http://10.0.0.4:3141/simple", True),
        ("", False),
        ("file:///srv/mirror", False),
        ("http://127.0.0.1:3141/simple", False),
        ("http://localhost:3141/simple", False),
        ("http://[::1]:3141/simple", False),
    ],
)
def test_only_an_index_that_a_container_reaches_is_passed_on(
    machine: Machine, url: str, usable: bool
) -> None:
    ran = machine.run("-c", f'. "{IMAGES}"; if usable_index "$1"; then echo yes; else echo no; fi', "-", url)
    assert ran.output.strip() == ("yes" if usable else "no")


def test_proxies_are_passed_by_name_so_that_no_log_shows_their_password(machine: Machine) -> None:
    proxy = "http://someone:hidden@proxy.example.org:3128"
    ran = machine.run(
        "-c",
        f'. "{IMAGES}"; build_arguments',
        https_proxy=proxy,
        PIP_INDEX_URL="https://pip.example.org/simple",
    )
    assert "hidden" not in ran.output
    assert ran.output.split() == [
        "--build-arg", "https_proxy", "--build-arg", "PIP_INDEX_URL=https://pip.example.org/simple",
    ]  # fmt: skip


def test_a_named_authority_that_cannot_be_read_stops_the_build(builder: Machine, script: Path) -> None:
    ran = builder.run(script, "base", VITRINE_CA_FILE=str(builder.folder / "absent.pem"))
    assert ran.status == 1
    assert "VITRINE_CA_FILE" in ran.output
    assert builds(ran.calls) == []


def test_a_failed_build_stops_and_shows_the_end_of_its_log(builder: Machine, script: Path) -> None:
    builder.command(
        "docker", DOCKER.replace("  build)", "  build) echo 'no space left'; exit 1 ;;\n  unused)")
    )
    ran = builder.run(script, "base", "db")
    assert ran.status != 0
    assert "no space left" in ran.output
    assert len(builds(ran.calls)) == 1


def test_a_second_run_builds_nothing(builder: Machine, script: Path) -> None:
    first = builder.run(script, "base", "db")
    assert first.status == 0, first.output
    assert len(builds(first.calls)) == 2
    second = builder.run(script, "base", "db")
    assert builds(second.calls) == []
    assert "unchanged" in second.output


def test_another_base_builds_what_stands_on_it_again(builder: Machine, script: Path) -> None:
    builder.run(script, "base", "db")
    (builder.folder / "label-vitrine-base").write_text("another", encoding="ascii")
    ran = builder.run(script, "db")
    assert len(builds(ran.calls)) == 1


def test_debian_comes_from_a_registry_where_there_is_one(builder: Machine, script: Path) -> None:
    (builder.folder / "debian").unlink()
    (builder.folder / "registry").touch()
    ran = builder.run(script, "base")
    assert ran.status == 0, ran.output
    assert not any(call.startswith("mmdebstrap") for call in ran.calls)


def test_debian_is_made_where_there_is_none(builder: Machine, script: Path) -> None:
    (builder.folder / "debian").unlink()
    ran = builder.run(script, "base")
    assert ran.status == 0, ran.output
    made = next(call for call in ran.calls if call.startswith("mmdebstrap"))
    assert " trixie " in made
    assert any(call.startswith("docker import") and call.endswith("debian:trixie-slim") for call in ran.calls)


def test_the_authorities_of_the_machine_come_into_the_base_image(builder: Machine, script: Path) -> None:
    trusted = builder.folder / "trusted"
    (trusted / "office").mkdir(parents=True)
    (trusted / "one.crt").write_text("first", encoding="ascii")
    (trusted / "office" / "two.crt").write_text("second", encoding="ascii")
    (builder.folder / "three.pem").write_text("third", encoding="ascii")
    authority = {"VITRINE_CA_DIR": str(trusted), "VITRINE_CA_FILE": str(builder.folder / "three.pem")}
    assert builder.run(script, "base", **authority).status == 0
    site = script.parents[1] / "images" / "base" / "site"
    assert {path.name for path in site.glob("*.crt")} == {"one.crt", "two.crt", "three.crt"}
    # Gone from the machine, gone from the image.
    ran = builder.run(script, "base")
    assert list(site.glob("*.crt")) == []
    assert len(builds(ran.calls)) == 1

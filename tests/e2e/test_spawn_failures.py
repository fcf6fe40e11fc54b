"""The engine is gone or the image missing: the researcher reads what to do, the admin reads the cause."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Stack, docker, wait_for
from tests.e2e.desks import make_projects, newest_session, signed_in

pytestmark = pytest.mark.containers

SENTENCE = "Le bureau n’a pas pu être ouvert. L’administration en voit la cause"


@contextlib.contextmanager
def other_hub(stack: Stack, **environment: str) -> Iterator[None]:
    """The hub made anew with another environment; afterwards as it was."""
    changed = dataclasses.replace(stack, environment={**stack.environment, **environment})
    try:
        changed.compose("up", "-d", "--no-deps", "hub")
        wait_for(lambda: stack.health("hub") == "healthy", 90, "the changed hub")
        yield
    finally:
        stack.compose("up", "-d", "--no-deps", "hub")
        wait_for(lambda: stack.health("hub") == "healthy", 90, "the hub as before")


def no_image(_: Path) -> dict[str, str]:
    return {"VITRINE_DESK_IMAGE": "vitrine-desk-that-nobody-built"}


def no_engine(folder: Path) -> dict[str, str]:
    """A socket on which nobody listens any more."""
    dead = folder / "docker.sock"
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(dead))
    return {"VITRINE_DOCKER_SOCKET": str(dead)}


ODD = "vitrine-desk-odd"


def test_a_container_that_is_not_as_granted_is_destroyed_unstarted_and_audited(stack: Stack) -> None:
    """An image with an entry point of its own would run something before the deadline does."""
    dockerfile = 'FROM vitrine-desk\nENTRYPOINT ["/usr/bin/env"]\n'
    built = subprocess.run(
        ["docker", "build", "--quiet", "--tag", ODD, "-"],
        input=dockerfile,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    try:
        with signed_in(stack, "ana", "bob") as (ana, bob):
            make_projects(bob, "odd")
            with other_hub(stack, VITRINE_DESK_IMAGE=ODD):
                told = ana.ask_for_desk("odd")
                assert (told["state"], told["reason"]) == ("ended", "start_failed")
        refused = [e for e in stack.audit() if e["action"] == "session.container_refused"]
        assert [e["details"] for e in refused] == [{"differences": ["entrypoint"]}]
        session = str(refused[0]["object"]).removeprefix("session:")
        assert docker("ps", "-aq", "--filter", f"label=vitrine.desk={session}").strip() == ""
        started = {e["object"] for e in stack.audit() if e["action"] == "session.started"}
        assert refused[0]["object"] not in started
    finally:
        docker("image", "rm", ODD)


@pytest.mark.parametrize(
    ("slug", "broken", "cause"),
    [
        ("no-image", no_image, "image missing"),
        ("no-engine", no_engine, "the engine does not answer"),
    ],
)
def test_a_desk_that_cannot_be_made_says_so_to_each_reader(
    stack: Stack, slug: str, broken: Callable[[Path], dict[str, str]], cause: str
) -> None:
    with signed_in(stack, "ana", "bob") as (ana, bob):
        make_projects(bob, slug)
        with other_hub(stack, **broken(stack.data / "run")):
            told = ana.ask_for_desk(slug)
            assert (told["state"], told["reason"]) == ("ended", "start_failed")
            assert told["message"].startswith(SENTENCE)
            page = ana.get(f"/projects/{slug}/desk")
            assert 'data-reason="start_failed"' in page.text
            assert 'data-testid="desk-again"' in page.text
            assert cause not in page.text + ana.get(f"/projects/{slug}").text
        failed = newest_session(stack, slug)

        assert f"<span>{cause}</span>" in bob.get(f"/projects/{slug}").text
        ended = [
            e for e in stack.audit() if (e["object"], e["action"]) == (f"session:{failed}", "session.ended")
        ]
        assert [e["details"]["message"] for e in ended] == [cause]  # type: ignore[index]  # JSON
        assert docker("ps", "-aq", "--filter", f"label=vitrine.desk={failed}").strip() == ""

        desk = ana.open_desk(slug)
        assert desk.session != failed
        assert desk.get("api/status").status_code == 200

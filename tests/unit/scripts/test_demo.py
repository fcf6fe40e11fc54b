"""scripts/demo.sh refuses demo sign-in on an address that others reach, before it touches anything."""

from __future__ import annotations

import pytest

from .machines import ROOT, Machine

DEMO = ROOT / "scripts" / "demo.sh"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VITRINE_BIND", "0.0.0.0"),
        ("VITRINE_BIND", "::"),
        ("VITRINE_BIND", "192.168.1.4"),
        ("VITRINE_BIND", "127.example.org"),
        ("VITRINE_BIND", "1270.0.0.1"),
        ("VITRINE_BIND", "127.0.0.1.example.org"),
        ("VITRINE_PUBLIC_URL", "https://vitrine.example.org"),
        ("VITRINE_PUBLIC_URL", "http://127.0.0.1.example.org:8000/"),
        ("VITRINE_PUBLIC_URL", "http://[2001:db8::1]:8000"),
        ("VITRINE_PUBLIC_URL", "http://127.0.0.1@example.org/"),
    ],
)
def test_demo_sign_in_is_refused_in_public(machine: Machine, name: str, value: str) -> None:
    ran = machine.run(DEMO, **{name: value})
    assert ran.status == 1
    assert "demo sign-in only serves this machine" in ran.output
    assert ran.calls == []
    assert not (machine.folder / "var").exists()


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("127.0.0.2", "http://localhost:8000/"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_loopback_goes_on_to_the_engine(machine: Machine, bind: str, url: str) -> None:
    ran = machine.run(DEMO, VITRINE_BIND=bind, VITRINE_PUBLIC_URL=url, VITRINE_INSTALL="no")
    assert "only serves this machine" not in ran.output
    assert "[1/6] Container engine" in ran.output
    assert "there is no container engine here" in ran.output
    assert ran.status == 1

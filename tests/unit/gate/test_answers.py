"""The gate's own answers, its log, and small parts of the tunnel and the door."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from hub.gate.config import GateSettings
from hub.gate.doors import find_call
from hub.gate.journal import Journal, unlisted
from hub.gate.pages import choose_language, render_json, render_page
from hub.gate.refusals import SENTENCES, GateRefused
from hub.gate.tunnels import is_keepalive


@pytest.mark.parametrize("code", SENTENCES)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_refusal_has_a_page_and_a_json(code: str, language: str) -> None:
    refusal = GateRefused(code)
    assert refusal.fr != refusal.en
    assert 400 <= refusal.status < 600
    page = render_page(refusal, language)
    assert f'<html lang="{language}">' in page
    assert 'href="/services/portal/"' in page
    assert json.loads(render_json(refusal, language))["error"] == {
        "code": code,
        "message": refusal.message(language),
    }


def test_every_code_in_the_source_has_a_sentence() -> None:
    source = Path(__file__).resolve().parents[3] / "hub" / "gate"
    used = {
        code
        for path in source.glob("*.py")
        for code in re.findall(r'GateRefused\(\s*"([a-z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert len(used) > 15
    assert used <= set(SENTENCES)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "en"),
        ("fr", "fr"),
        ("fr-LU,de;q=0.9", "fr"),
        ("en;q=0.5, fr;q=0.8", "fr"),
        ("en, fr", "en"),
        ("fr;q=x, en;q=0.1", "en"),
        ("fr;q=0", "en"),
        ("," * 10_000, "en"),
    ],
)
def test_language(header: str, language: str) -> None:
    assert choose_language(header) == language


@pytest.mark.parametrize(
    ("rest", "label"),
    [
        (("files", "secret.csv"), "unlisted:files"),
        (("x" * 40,), "unlisted"),
        (("a b",), "unlisted"),
        (("été",), "unlisted"),
        ((), "unlisted"),
    ],
)
def test_unlisted_routes_in_the_log(rest: tuple[str, ...], label: str) -> None:
    assert unlisted(rest) == label


def test_a_log_line_is_one_json_object() -> None:
    out = io.StringIO()
    Journal(out).refused("route_refused", session=None, route="a\nb", method="GET", status=403)
    (line,) = out.getvalue().splitlines()
    assert json.loads(line)["code"] == "route_refused"
    assert "session" not in json.loads(line)


@pytest.mark.parametrize(
    ("chunk", "keepalive"),
    [
        (b"\x89\x00", True),
        (b"\x8a\x80mask", True),
        (b"\x8a\x83maskabc", True),
        (b"\x8a\x83maskabcd", False),
        (b"\x8a\x83mask", False),
        (b"\x81\x80mask", False),
        (b"\x8a\x80mask\x81\x80mask", False),
        (b"\x8a", False),
        (b"", False),
    ],
)
def test_pings_are_no_activity(chunk: bytes, keepalive: bool) -> None:
    assert is_keepalive(chunk) == keepalive


@pytest.mark.parametrize(
    ("method", "uri", "path"),
    [
        ("GET", "/session", ""),
        ("GET", "/submissions", "submissions"),
        ("POST", "/submissions", "submissions"),
        ("POST", "/submissions/7-a_B/withdraw", "submissions/7-a_B/withdraw"),
        ("POST", "/prechecks", "prechecks"),
        ("GET", "/prechecks", None),
        ("POST", "/prechecks/1", None),
        ("POST", "/session", None),
        ("GET", "/submissions?x", None),
        ("GET", "/submissions/7/withdraw", None),
        ("POST", "/submissions//withdraw", None),
        ("POST", "/submissions/a/b/withdraw", None),
        ("POST", "/submissions/%61/withdraw", None),
        ("POST", "/submissions/" + "a" * 65 + "/withdraw", None),
        ("GET", "/session\n", None),
    ],
)
def test_calls(method: str, uri: str, path: str | None) -> None:
    assert find_call(method, uri) == path


def test_the_cookie_secret_is_stable_and_not_the_token() -> None:
    def secret(token: str) -> bytes:
        folder = Path()
        return GateSettings(folder, folder, folder, "h", "p", token, "u").cookie_secret()

    assert secret("a") == secret("a")
    assert secret("a") != secret("b")
    assert "the-token" not in repr(GateSettings(Path(), Path(), Path(), "h", "p", "the-token", "u"))

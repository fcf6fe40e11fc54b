"""A desk that tries to hand a file over as a download: refused and in the log, whatever the spelling."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.gate.harness import Rig, reply


@pytest.fixture(scope="module")
def attacked() -> Iterator[Rig]:
    rig = Rig()
    try:
        rig.write_session()
        rig.start()
        rig.open_desk()
        yield rig
    finally:
        rig.close()


@pytest.mark.parametrize(
    "disposition",
    [
        'attachment; filename="data.csv"',
        "attachment",
        "ATTACHMENT;filename=data.csv",
        "AttAchMent ; filename*=UTF-8''data.csv",
        ' attachment;filename="x"',
        'inline; filename="data.csv"',
        "inline, attachment",
        "form-data; name=x",
        "x",
        "",
    ],
)
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("api/contents/data.csv", "application/json"),
        ("lab", "text/html"),
        ("static/lab/x.js", "text/javascript"),
        ("kernelspecs/python3/logo-64x64.png", "image/png"),
    ],
)
def test_attachments(attacked: Rig, path: str, kind: str, disposition: str) -> None:
    answer = reply(b"secret", "200 OK", kind, f"Content-Disposition: {disposition}")
    attacked.desks[0].answer = lambda _: answer
    got = attacked.request("GET", f"/user/ana/wages/{path}")
    assert (got.status, got.code) == (403, "attachment_refused")
    assert b"secret" not in got.body
    assert "Content-Disposition" not in got.headers
    assert attacked.events("refused")[-1]["code"] == "attachment_refused"


def test_two_headers_are_read_together(attacked: Rig) -> None:
    more = ("Content-Disposition: inline", "content-disposition: attachment; filename=x")
    attacked.desks[0].answer = lambda _: reply(b"secret", "200 OK", "application/json", *more)
    assert attacked.request("GET", "/user/ana/wages/api/contents/x").code == "attachment_refused"


def test_attachments_on_error_pages(attacked: Rig) -> None:
    attacked.desks[0].answer = lambda _: reply(
        b"secret", "404 Not Found", "application/json", "Content-Disposition: attachment"
    )
    assert attacked.request("GET", "/user/ana/wages/api/contents/x").code == "attachment_refused"

"""Request targets: one reading or none."""

from __future__ import annotations

import pytest

from hub.gate.paths import MAX_TARGET, read_target, split_path
from hub.gate.refusals import GateRefused


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "*",
        "lab",
        "http://host/lab",
        "//lab",
        "/lab//tree",
        "/lab/./tree",
        "/lab/../files",
        "/lab/..",
        "/lab/%2e%2e/files",
        "/lab/%2E/files",
        "/lab/a%2fb",
        "/lab/a%2Fb",
        "/lab/a%5cb",
        "/lab/a\\b",
        "/lab/a%00",
        "/lab/a%0a",
        "/lab/a%7f",
        "/lab/a%c2%80",
        "/lab/%c0%ae",
        "/lab/%ff",
        "/lab/%ed%a0%80",
        "/lab/%252e",
        "/lab/%25252e",
        "/lab/%252f",
        "/lab/%",
        "/lab/%g0",
        "/lab/a b",
        "/lab/a\tb",
        "/lab/é",
        "/lab/<x>",
        "/lab#x",
        "/lab?a b",
        "/lab?a\\b",
        "/lab?é",
        "/" + "a" * MAX_TARGET,
    ],
)
def test_refused(uri: str) -> None:
    with pytest.raises(GateRefused) as caught:
        read_target(uri)
    assert caught.value.code == "path_refused"


@pytest.mark.parametrize(
    ("uri", "segments"),
    [
        ("/", ("",)),
        ("/lab", ("lab",)),
        ("/lab/", ("lab", "")),
        ("/%6cab", ("lab",)),
        ("/a/b%20c/%C3%A9t%C3%A9.csv", ("a", "b c", "été.csv")),
        ("/100%25.csv", ("100%.csv",)),
        ("/a%C2%A0b", ("a\u00a0b",)),
        ("/user/ana%40x.lu/p/", ("user", "ana@x.lu", "p", "")),
        ("/.hidden/...", (".hidden", "...")),
    ],
)
def test_read(uri: str, segments: tuple[str, ...]) -> None:
    assert read_target(uri).segments == segments


def test_relayed_is_what_was_checked() -> None:
    target = read_target("/user/ana/p/%61pi/contents/a%20b%2B%3Fc.csv?x=1&token=t&%74oken=u&_xsrf=v&y")
    rest = target.after(("user", "ana", "p"))
    assert rest == ("api", "contents", "a b+?c.csv")
    assert target.relayed("/user/ana/p/", rest) == "/user/ana/p/api/contents/a%20b+%3Fc.csv?x=1&y"


@pytest.mark.parametrize(
    "query", ["download", "download=1", "a=1&download=0", "%64ownload=1", "DOWNLOAD=1", "+download=1"]
)
def test_asks_download(query: str) -> None:
    assert read_target(f"/x?{query}").asks_download()


@pytest.mark.parametrize("query", ["", "a=download", "downloads=1"])
def test_asks_no_download(query: str) -> None:
    assert not read_target(f"/x?{query}").asks_download()


@pytest.mark.parametrize(
    ("prefix", "inside"), [("/user/ana/p/", True), ("/user/ana/", True), ("/user/an/", False)]
)
def test_after(prefix: str, inside: bool) -> None:
    target = read_target("/user/ana/p/lab")
    assert (target.after(split_path(prefix)[:-1]) is not None) == inside


def test_the_prefix_without_its_slash_is_outside() -> None:
    assert read_target("/user/ana/p").after(("user", "ana", "p")) is None

"""Which files may be chosen, and how a refusal reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from vitrine_output_check.app import SENTENCES, Places, Refused, choose_language, printable


def places(desk: Path) -> Places:
    return Places(desk / "home", desk / "shared", desk / "data")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", "bad_path"),
        ("/etc/passwd", "bad_path"),
        ("../outside.csv", "bad_path"),
        ("folder/../table.csv", "bad_path"),
        ("a\\b.csv", "bad_path"),
        ("nul\0.csv", "bad_path"),
        ("absent.csv", "not_found"),
        ("table.csv/x", "not_readable"),
        ("folder", "not_a_file"),
        ("pipe", "not_a_file"),
        ("device", "outside"),
        ("way_out", "outside"),
        ("loop", "not_readable"),
        ("data/part-0.parquet", "from_data"),
        ("disguised.csv", "from_data"),
        ("data", "from_data"),
        ("new\nline.csv", "bad_name"),
        ("\x1b[2J.csv", "bad_name"),
    ],
)
def test_refused(desk: Path, path: str, code: str) -> None:
    home = desk / "home"
    os.mkfifo(home / "pipe")
    (home / "folder").mkdir()
    (desk / "outside.csv").write_text("x", encoding="utf-8")
    for name, target in {
        "device": Path("/dev/zero"),
        "way_out": desk / "outside.csv",
        "loop": home / "loop",
        "disguised.csv": desk / "data" / "part-0.parquet",
    }.items():
        (home / name).symlink_to(target)
    for name in ("new\nline.csv", "\x1b[2J.csv"):
        (home / name).write_text("x", encoding="utf-8")
    with pytest.raises(Refused) as refused:
        places(desk).choose(["table.csv", path])
    assert (refused.value.code, refused.value.field) == (code, "paths[1]")


def test_nothing_chosen_is_refused(desk: Path) -> None:
    with pytest.raises(Refused) as refused:
        places(desk).choose([])
    assert refused.value.code == "no_files"


def test_two_files_of_one_name_are_refused(desk: Path) -> None:
    (desk / "shared" / "table.csv").write_text("x", encoding="utf-8")
    with pytest.raises(Refused) as refused:
        places(desk).choose(["table.csv", "shared/table.csv"])
    assert (refused.value.code, refused.value.field) == ("duplicate_name", "paths[1]")


def test_home_and_shared_are_accepted(desk: Path) -> None:
    chosen = places(desk).choose(["table.csv", "shared/both.csv"])
    assert [(file.name, file.size, file.path) for file in chosen] == [
        ("table.csv", 18, desk / "home" / "table.csv"),
        ("both.csv", 5, desk / "shared" / "both.csv"),
    ]


def test_a_terminal_may_name_places_freely_but_the_place_decides(desk: Path) -> None:
    below = desk / "home" / "below"
    below.mkdir()
    chosen = places(desk).choose(["../table.csv", str(desk / "shared" / "both.csv")], base=below)
    assert [file.name for file in chosen] == ["table.csv", "both.csv"]
    with pytest.raises(Refused) as refused:
        places(desk).choose([str(desk / "data" / "part-0.parquet")], base=below)
    assert refused.value.code == "from_data"


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_each_refusal_has_two_sentences_and_a_status(code: str) -> None:
    refusal = Refused(code, "a\x1bb.csv", "paths[0]")
    french, english = refusal.sentence("fr"), refusal.sentence("en")
    assert french != english
    assert "\x1b" not in french + english
    assert 400 <= refusal.status <= 503
    assert refusal.body("fr") == {"error": {"code": code, "message": french, "field": "paths[0]"}}


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "fr"),
        ("fr-LU,fr;q=0.9,en;q=0.8", "fr"),
        ("en-GB,en;q=0.9", "en"),
        ("de,en;q=0.5,fr;q=0.8", "fr"),
        ("de", "fr"),
        ("en;q=0,fr;q=0.1", "fr"),
        ("en;q=much", "fr"),
        ("fr_FR.UTF-8", "fr"),
        ("en_GB.UTF-8", "en"),
    ],
)
def test_language(accepted: str, language: str) -> None:
    assert choose_language(accepted) == language


def test_printable_keeps_text_and_drops_control() -> None:
    assert printable("«\u00a0é\u00a0» 1\u202f000\x07\u202e") == "«\u00a0é\u00a0» 1\u202f000\ufffd\ufffd"


def test_a_declaration_comes_along_and_is_no_file_of_its_own(desk: Path) -> None:
    (desk / "home" / "table.csv.spec.json").write_bytes(b"{}")
    places = Places(desk / "home", desk / "shared", desk / "data")
    chosen = places.choose(["table.csv", "table.csv.spec.json", "shared/both.csv"])
    assert [(file.name, file.declaration) for file in chosen] == [("table.csv", b"{}"), ("both.csv", None)]
    (alone,) = places.choose(["table.csv.spec.json"])
    assert alone.declaration is None


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_regular_file_is_no_declaration(desk: Path, kind: str) -> None:
    beside = desk / "home" / "table.csv.spec.json"
    if kind == "link":
        beside.symlink_to(desk / "data" / "part-0.parquet")
    elif kind == "folder":
        beside.mkdir()
    else:
        os.mkfifo(beside)
    (chosen,) = Places(desk / "home", desk / "shared", desk / "data").choose(["table.csv"])
    assert chosen.declaration is None


def test_a_declaration_that_is_too_long_is_refused(desk: Path) -> None:
    (desk / "home" / "table.csv.spec.json").write_bytes(b" " * 64_001)
    with pytest.raises(Refused) as refusal:
        Places(desk / "home", desk / "shared", desk / "data").choose(["table.csv"])
    assert (refusal.value.code, refusal.value.field) == ("declaration_large", "paths[0]")

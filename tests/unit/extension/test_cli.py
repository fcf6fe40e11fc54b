"""The command `submit`, run in this process, against a real socket."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from vitrine_output_check.app import Places
from vitrine_output_check.cli import ENGLISH, FRENCH, main

from tests.unit.extension.gates import Gate

SHA = "ab" * 32
SUBMISSION = {
    "id": "x12",
    "number": 12,
    "what": "Table 2",
    "state": "SUBMITTED",
    "files": [{"name": "table.csv", "size": 18, "sha256": SHA}],
    "comments": [],
}
COMPLETE = ["--what", "x", "--population", "x", "--variables", "x", "--counts", "x", "--purpose", "x"]


@pytest.fixture
def places(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.chdir(desk / "home")
    monkeypatch.setenv("VITRINE_LOCALE", "fr-FR")
    return Places(desk / "home", desk / "shared", desk / "data")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ([], "un seul à la fois"),
        (["table.csv"], "--note"),
        (["table.csv", "--note", " "], "--note"),
        (["table.csv", "--list"], "un seul à la fois"),
        (["--list", "--withdraw", "12"], "un seul à la fois"),
        (["absent.csv", "--note", "x"], "absent.csv"),
        (["data/part-0.parquet", "--note", "x"], "/data"),
        (["table.csv", "--note", "x", "--nonsense"], "--nonsense"),
        (["--check"], "un seul à la fois"),
        (["--list", "--check"], "un seul à la fois"),
        (["--withdraw", "../x"], "../x"),
        (["--withdraw", "99"], "99"),
        (["table.csv", "--note", "x", "--supersedes", "99"], "99"),
    ],
)
def test_wrong_use_is_2_and_sends_nothing(
    gate: Gate, places: Places, capsys: pytest.CaptureFixture[str], line: list[str], said: str
) -> None:
    gate.answer = {"submissions": [SUBMISSION]}
    assert main(line, places) == 2
    assert said in capsys.readouterr().err
    assert all(heard.method == "GET" for heard in gate.heard)


@pytest.mark.parametrize(
    "line", [["table.csv", *COMPLETE], ["--list"], ["--withdraw", "12"], ["--withdraw", "x12"]]
)
def test_a_refusal_is_1_and_is_said_in_its_own_words(
    gate: Gate, places: Places, capsys: pytest.CaptureFixture[str], line: list[str]
) -> None:
    gate.status, gate.answer = 403, {"error": {"code": "project_ended", "message": "Projet terminé.\x1b[2J"}}
    assert main(line, places) == 1
    assert capsys.readouterr().err == "submit: Projet terminé.\ufffd[2J\n"


def test_a_refusal_without_words_is_still_one(
    gate: Gate, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    gate.status, gate.answer = 500, []
    assert main(["--list"], places) == 1
    assert "500" in capsys.readouterr().err


def test_no_gate_is_1(
    places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITRINE_SUBMIT_SOCK", str(tmp_path / "absent.sock"))
    assert main(["table.csv", "--note", "x"], places) == 1
    assert "passerelle" in capsys.readouterr().err


def test_number_state_and_sha256_are_shown(
    gate: Gate, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    gate.status, gate.answer = 201, SUBMISSION
    assert main(["table.csv", "--note", "Mean wage", "--counts", "40", "shared/both.csv"], places) == 0
    out = capsys.readouterr().out
    assert "n° 12 : déposée" in out
    assert SHA in out
    (_, _, form), *files = gate.heard[0].parts()
    assert json.loads(form) == {
        "what": "Mean wage",
        "population": "",
        "variables": "",
        "counts": "40",
        "purpose": "",
        "note": "Mean wage",
        "supersedes": None,
    }
    assert [name for _, name, _ in files] == ["table.csv", "both.csv"]


def test_what_no_checker_can_do_without_is_said_before_it_is_sent(
    gate: Gate, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    gate.status, gate.answer = 201, SUBMISSION
    given = ["--counts", "40", "--purpose", "Paper", "--population", "All"]
    assert main(["table.csv", "--what", "x", *given], places) == 0
    assert capsys.readouterr().err == (
        "submit : sans --variables, aucune personne du contrôle ne peut approuver.\n"
    )
    assert main(["table.csv", "--what", "x", *given, "--variables", "wage"], places) == 0
    assert capsys.readouterr().err == ""


def test_in_a_terminal_it_is_asked_for(
    gate: Gate, places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gate.status, gate.answer = 201, SUBMISSION
    asked: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda text: asked.append(text) or f"answer {len(asked)}")
    assert main(["table.csv", "--what", "x", "--counts", "40"], places) == 0
    assert asked == [f"{FRENCH[field]} ? " for field in ("population", "variables", "purpose")]
    sent = json.loads(gate.heard[0].parts()[0][2])
    assert (sent["population"], sent["counts"], sent["purpose"]) == ("answer 1", "40", "answer 3")
    assert capsys.readouterr().err == ""


def test_numbers_are_what_people_see(gate: Gate, places: Places) -> None:
    gate.answers["/submissions"] = {"submissions": [{**SUBMISSION, "number": 3, "id": "x3"}, SUBMISSION]}
    assert main(["--withdraw", "12"], places) == 0
    assert gate.heard[-1].path == "/submissions/x12/withdraw"


def test_the_list_shows_comments(gate: Gate, places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    comment = {"text": "Effectif 4.\nRegroupez.", "at": "2026-01-01T00:00:00+00:00", "decision": "return"}
    gate.answer = {"submissions": [{**SUBMISSION, "state": "RETURNED", "comments": [comment]}]}
    assert main(["--list"], places) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Soumission n° 12 : à revoir",
        f"  table.csv  18 octets  sha256 {SHA}",
        "  > Effectif 4.",
        "  > Regroupez.",
    ]


def test_an_empty_list_says_so(gate: Gate, places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    gate.answer = {"submissions": []}
    assert main(["--list"], places) == 0
    assert capsys.readouterr().out == "Vous n’avez encore rien soumis.\n"


@pytest.mark.parametrize(
    ("locale", "lang", "word"),
    [
        ("en-GB", "fr_FR.UTF-8", "not submitted"),
        ("", "en_GB.UTF-8", "not submitted"),
        ("", "C.UTF-8", "not submitted"),
        ("", "fr_FR.UTF-8", "rien soumis"),
        ("", "", "rien soumis"),
    ],
)
def test_the_language_follows_the_desk_then_the_terminal(
    gate: Gate,
    places: Places,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    locale: str,
    lang: str,
    word: str,
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VITRINE_LOCALE", locale)
    monkeypatch.setenv("LANG", lang)
    gate.answer = {"submissions": []}
    main(["--list"], places)
    assert word in capsys.readouterr().out


def test_both_catalogues_say_the_same_things() -> None:
    assert FRENCH.keys() == ENGLISH.keys()


def test_progress_of_a_large_file_on_a_terminal(gate: Gate, desk: Path) -> None:
    with (desk / "home" / "large.csv").open("wb") as file:
        file.truncate(6_000_000)
    gate.status, gate.answer = 201, SUBMISSION
    package = Path(__file__).parents[3] / "extensions" / "output-check"
    # `script` gives the command a terminal, without which it stays quiet.
    run = subprocess.run(
        ["script", "-qec", f"{sys.executable} -m vitrine_output_check.cli large.csv --note x", "/dev/null"],
        cwd=desk / "home",
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(package),
            "HOME": str(desk / "home"),
            "VITRINE_SUBMIT_SOCK": str(gate.path),
            "LANG": "fr_FR.UTF-8",
        },
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert run.returncode == 0, run
    assert b"Envoi : 100 %" in run.stdout


PRECHECKED = {
    "left": 7,
    "files": [
        {
            "name": "table.csv",
            "declared": True,
            "findings": [
                {
                    "rule": "small_cells",
                    "message": "Des cellules semblent compter moins de 10 unités.",
                    "remedies": [{"text": "Masquer.", "python": "t = vitrine.suppress(t)", "r": ""}],
                }
            ],
        }
    ],
}


def test_check_says_what_to_mend_and_submits_nothing(
    gate: Gate, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    (places.home / "table.csv.spec.json").write_bytes(b"{}")
    gate.answer = PRECHECKED
    assert main(["--check", "table.csv"], places) == 3
    assert capsys.readouterr().out.splitlines() == [
        "table.csv",
        "  déclaré : la plateforme refera ces nombres depuis l’extrait",
        "  - Des cellules semblent compter moins de 10 unités.",
        "      Masquer.",
        "        Python: t = vitrine.suppress(t)",
        "Encore 7 fichiers à faire examiner dans l’heure.",
    ]
    (heard,) = gate.heard
    assert (heard.method, heard.path) == ("POST", "/prechecks")
    assert [part[:2] for part in heard.parts()] == [
        ("form", None),
        ("file", "table.csv"),
        ("declaration", "table.csv"),
    ]


def test_check_of_a_file_with_nothing_to_mend_is_0(
    gate: Gate, places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    gate.answer = {"left": 7, "files": [{"name": "table.csv", "declared": False, "findings": []}]}
    assert main(["--check", "table.csv", "--what", "x"], places) == 0
    assert "rien à signaler" in capsys.readouterr().out


def test_a_refused_check_is_1(gate: Gate, places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    gate.status, gate.answer = 409, {"error": {"code": "too_many_prechecks", "message": "Plus tard."}}
    assert main(["--check", "table.csv"], places) == 1
    assert "Plus tard." in capsys.readouterr().err

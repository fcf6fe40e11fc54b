"""The command `submit`: the output check from a desk's terminal.

Exit status: 0 done; 1 refused by the gate or the portal, or no answer; 2 wrong use, or a file that
cannot be submitted; 3 `--check` found something to mend.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TextIO

from .app import FORM_FIELDS, Places, Refused, choose_language, printable, refusal_of
from .submit_client import FileChanged, GateLost, GateUnreachable, Progress, Reply, SubmitClient

DONE, REFUSED, WRONG_USE, TO_MEND = 0, 1, 2, 3
CONTEXT = ("population", "variables", "counts", "purpose")  # without them no checker can approve
LARGE = 5_000_000  # bytes; below this an upload is over before a percentage is of use

FRENCH: Mapping[str, str] = {
    "about": "Soumettre des fichiers au contrôle de sortie, ou voir où en sont vos soumissions.",
    "files": "fichiers de votre dossier ou du dossier partagé",
    "what": "de quoi il s’agit (à défaut : la note)",
    "population": "qui est compté",
    "variables": "variables utilisées",
    "counts": "effectifs non pondérés",
    "purpose": "à quoi cela servira",
    "note": "un mot pour les personnes qui contrôlent",
    "supersedes": "numéro de la soumission que celle-ci remplace",
    "check": "dire ce qui manque aux fichiers, sans les soumettre",
    "nothing": "  rien à signaler ; les personnes qui contrôlent peuvent voir davantage",
    "declared": "  déclaré : la plateforme refera ces nombres depuis l’extrait",
    "left": "Encore {left} fichiers à faire examiner dans l’heure.",
    "list": "lister vos soumissions",
    "withdraw": "retirer une soumission",
    "wrong": "submit : {message}\n« submit --help » dit comment s’en servir.",
    "one_thing": "donnez des fichiers, ou --list, ou --withdraw, un seul à la fois",
    "need_words": "dites ce que c’est, avec --note ou --what",
    "lacking": "submit : sans {names}, aucune personne du contrôle ne peut approuver.",
    "unknown_number": "aucune de vos soumissions n’a le numéro {number}",
    "submission": "Soumission n° {number} : {state}",
    "file": "  {name}  {size} octets  sha256 {sha256}",
    "none": "Vous n’avez encore rien soumis.",
    "no_words": "Refusé sans explication (code {status}).",
    "sending": "Envoi : {percent} %",
    "DRAFT": "brouillon",
    "SUBMITTED": "déposée",
    "UNDER_REVIEW": "en contrôle",
    "RETURNED": "à revoir",
    "APPROVED": "approuvée",
    "REJECTED": "refusée",
    "RELEASED": "libérée",
    "WITHDRAWN": "retirée",
}
ENGLISH: Mapping[str, str] = {
    "about": "Submit files for output check, or see where your submissions stand.",
    "files": "files of your folder or of the shared folder",
    "what": "what it is (by default: the note)",
    "population": "who is counted",
    "variables": "variables used",
    "counts": "unweighted counts",
    "purpose": "what it is for",
    "note": "a word to the people who check",
    "supersedes": "number of the submission this one replaces",
    "check": "say what the files lack, without submitting them",
    "nothing": "  nothing to say; the people who check may see more",
    "declared": "  declared: the platform will make these numbers again from the extract",
    "left": "{left} more files may be looked over within the hour.",
    "list": "list your submissions",
    "withdraw": "withdraw a submission",
    "wrong": "submit: {message}\n“submit --help” says how to use it.",
    "one_thing": "give files, or --list, or --withdraw, one at a time",
    "need_words": "say what it is, with --note or --what",
    "lacking": "submit: without {names}, no checker can approve.",
    "unknown_number": "none of your submissions has the number {number}",
    "submission": "Submission {number}: {state}",
    "file": "  {name}  {size} bytes  sha256 {sha256}",
    "none": "You have not submitted anything yet.",
    "no_words": "Refused without a reason (status {status}).",
    "sending": "Sending: {percent} %",
    "DRAFT": "draft",
    "SUBMITTED": "submitted",
    "UNDER_REVIEW": "under review",
    "RETURNED": "returned for changes",
    "APPROVED": "approved",
    "REJECTED": "rejected",
    "RELEASED": "released",
    "WITHDRAWN": "withdrawn",
}


class WrongUse(Exception):
    """The command line asks for nothing we can do; the text is for the person."""


class Declined(Exception):
    """The gate or the portal said no on the way to what was asked."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in the person's language instead of printing the whole usage."""

    def error(self, message: str) -> NoReturn:
        raise WrongUse(message)


def main(arguments: Sequence[str] | None = None, places: Places | None = None) -> int:
    """Run the command; returns its exit status."""
    language = _language()
    words = ENGLISH if language == "en" else FRENCH
    try:
        asked = _parser(words).parse_intermixed_args(arguments)
        _require_one_thing(asked, words)
        return _run(asked, SubmitClient(language), words, places or Places(Path.home()))
    except WrongUse as wrong:
        _say(words["wrong"].format(message=wrong), sys.stderr)
        return WRONG_USE
    except Refused as refusal:
        _say(f"submit: {refusal.sentence(language)}", sys.stderr)
        return WRONG_USE
    except (GateUnreachable, GateLost, FileChanged) as error:
        _say(f"submit: {refusal_of(error).sentence(language)}", sys.stderr)
        return REFUSED
    except Declined as declined:
        return _report(declined.reply, words)
    except KeyboardInterrupt:
        return 130


def _language() -> str:
    given = (os.environ.get(name) for name in ("VITRINE_LOCALE", "LC_ALL", "LC_MESSAGES", "LANG"))
    first = next((value for value in given if value), "fr")
    return "en" if first.partition(".")[0] in {"C", "POSIX"} else choose_language(first)


def _parser(words: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = _Parser(prog="submit", description=words["about"])
    parser.add_argument("files", nargs="*", metavar="FILE", help=words["files"])
    for field in ("note", *(field for field in FORM_FIELDS if field != "note")):
        parser.add_argument(f"--{field}", metavar="TEXT", default="", help=words[field])
    parser.add_argument("--supersedes", metavar="N", help=words["supersedes"])
    parser.add_argument("--check", action="store_true", help=words["check"])
    parser.add_argument("--list", action="store_true", help=words["list"])
    parser.add_argument("--withdraw", metavar="N", help=words["withdraw"])
    return parser


def _require_one_thing(asked: argparse.Namespace, words: Mapping[str, str]) -> None:
    if [bool(asked.files), asked.list, asked.withdraw is not None].count(True) != 1:
        raise WrongUse(words["one_thing"])
    if asked.check and not asked.files:
        raise WrongUse(words["one_thing"])
    if asked.files and not asked.check and not (asked.what.strip() or asked.note.strip()):
        raise WrongUse(words["need_words"])


def _run(asked: argparse.Namespace, client: SubmitClient, words: Mapping[str, str], places: Places) -> int:
    if asked.list:
        return _report(client.submissions(), words)
    if asked.withdraw is not None:
        return _report(client.withdraw(_id_of(asked.withdraw, client, words)), words)
    files = places.choose(asked.files, base=Path.cwd())
    form = {field: getattr(asked, field) for field in FORM_FIELDS}
    form["what"] = form["what"] or form["note"]
    if asked.check:
        return _report_check(client.precheck({**form, "supersedes": None}, files), words)
    _ask_for_context(form, words)
    form["supersedes"] = _id_of(asked.supersedes, client, words) if asked.supersedes else None
    total = sum(file.size for file in files)
    return _report(client.submit(form, files, _progress(total, words)), words)


def _ask_for_context(form: dict[str, Any], words: Mapping[str, str]) -> None:
    """Ask for what no checker can do without, where there is somebody to ask; else say what is lacking."""
    if sys.stdin.isatty():
        with contextlib.suppress(EOFError):
            for field in CONTEXT:
                form[field] = form[field].strip() or input(f"{words[field]} ? ").strip()
    lacking = [f"--{field}" for field in CONTEXT if not form[field].strip()]
    if lacking:
        _say(words["lacking"].format(names=", ".join(lacking)), sys.stderr)


def _id_of(given: str, client: SubmitClient, words: Mapping[str, str]) -> str:
    """The id of a submission named by its number, which is what people see; an id stays as it is."""
    if not given.isdecimal():
        if not given.replace("-", "").replace("_", "").isalnum():
            raise WrongUse(words["unknown_number"].format(number=printable(given)))
        return given
    reply = client.submissions()
    if reply.status >= 300:
        raise Declined(reply)
    for submission in _objects(reply.json().get("submissions")):
        if submission.get("number") == int(given):
            return str(submission.get("id"))
    raise WrongUse(words["unknown_number"].format(number=given))


def _progress(total: int, words: Mapping[str, str]) -> Progress | None:
    """A percentage on one line of a terminal, for uploads one has to wait for."""
    if total < LARGE or not sys.stderr.isatty():
        return None
    shown = -1

    def show(sent: int, length: int) -> None:
        nonlocal shown
        percent = sent * 100 // length
        if percent > shown:
            shown = percent
            end = "\n" if sent == length else ""
            _say("\r" + words["sending"].format(percent=percent), sys.stderr, end)

    return show


def _report(reply: Reply, words: Mapping[str, str]) -> int:
    answer = reply.json()
    if reply.status >= 300:
        error = answer.get("error")
        message = str(error.get("message", "")) if isinstance(error, dict) else ""
        _say(f"submit: {printable(message) or words['no_words'].format(status=reply.status)}", sys.stderr)
        return REFUSED
    listed = _objects(answer.get("submissions")) if "submissions" in answer else [answer]
    for submission in listed:
        _show(submission, words)
    if not listed:
        _say(words["none"], sys.stdout)
    return DONE


def _report_check(reply: Reply, words: Mapping[str, str]) -> int:
    """What each file lacks, and the calls that mend it."""
    if reply.status >= 300:
        return _report(reply, words)
    answer = reply.json()
    found = False
    for file in _objects(answer.get("files")):
        _say(printable(str(file.get("name", ""))), sys.stdout)
        if file.get("declared"):
            _say(words["declared"], sys.stdout)
        findings = _objects(file.get("findings"))
        found = found or bool(findings)
        for finding in findings:
            _say(f"  - {printable(str(finding.get('message', '')))}", sys.stdout)
            for remedy in _objects(finding.get("remedies")):
                _say(f"      {printable(str(remedy.get('text', '')))}", sys.stdout)
                for name, key in (("Python", "python"), ("R", "r")):
                    if remedy.get(key):
                        _say(f"        {name}: {printable(str(remedy[key]))}", sys.stdout)
        if not findings:
            _say(words["nothing"], sys.stdout)
    if isinstance(answer.get("left"), int):
        _say(words["left"].format(left=answer["left"]), sys.stdout)
    return TO_MEND if found else DONE


def _show(submission: Mapping[str, Any], words: Mapping[str, str]) -> None:
    state = str(submission.get("state", ""))
    number = printable(str(submission.get("number", "")))
    _say(words["submission"].format(number=number, state=words.get(state, printable(state))), sys.stdout)
    for file in _objects(submission.get("files")):
        shown = {key: printable(str(file.get(key, ""))) for key in ("name", "size", "sha256")}
        _say(words["file"].format(**shown), sys.stdout)
    for comment in _objects(submission.get("comments")):
        for line in str(comment.get("text", "")).splitlines():
            _say(f"  > {printable(line)}", sys.stdout)


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _say(text: str, where: TextIO, end: str = "\n") -> None:
    where.write(text + end)
    where.flush()


if __name__ == "__main__":
    sys.exit(main())

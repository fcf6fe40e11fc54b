"""Requests for data, from the server's command line."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from hub.actions import (
    assessments,
    conditions,
    provisioning,
    request_reopenings,
    request_reviews,
    requests,
)
from hub.actions.ports import Office
from hub.bootstrap import build_catalogue, build_documents
from hub.commands import context
from hub.documents.differences import differences
from hub.domain.errors import Refused
from hub.domain.requests import DataRequest

As = Annotated[str | None, typer.Option("--as", help=context.AS_HELP)]
LARGEST_DOCUMENT = 10_000_000  # bytes

request = typer.Typer(help="Requests for data.", no_args_is_help=True)
condition = typer.Typer(help="What must be recorded before extraction.", no_args_is_help=True)
request.add_typer(condition, name="condition")


def _id(word: str) -> str:
    """`7` and `r7` are the same request."""
    return f"r{word}" if word.isdigit() else word


def _line(found: DataRequest) -> str:
    version = f"v{found.version}"
    return f"{found.id}\t{found.state.value}\t{version}\t{found.author}\t{found.title}"


@request.command("submit")
def submit(
    file: Annotated[str, typer.Argument(help="YAML file, or - ")],
    by: As = None,
    replaces: Annotated[
        str | None, typer.Option(help="Id of a draft or returned request to go on with.")
    ] = None,
) -> None:
    """Hand in a request from its YAML file; what is wrong is said, and the request stays a draft."""
    with context.sentences():
        office, catalogue = context.office(), build_catalogue(context.settings())
        actor, now = context.actor(office, by), context.now()
        text, _ = context.document_text(file)
        if replaces is None:
            made = requests.start_request(office, catalogue, text=text, by=actor, now=now)
        else:
            made = _save(office, _id(replaces), text, by)
        with office.units.read() as unit:
            problems = requests.problems_of(requests.get_version(unit, made))
        for problem in problems:
            context.say(f"{problem.field}: {problem.message(context.language())}")
        if problems:
            raise Refused(
                "request_incomplete",
                f"{made.id} stays a draft: {len(problems)} things to mend",
                f"{made.id} reste un brouillon : {len(problems)} points à corriger",
            )
        context.say(_line(requests.send_request(office, catalogue, request_id=made.id, by=actor, now=now)))


def _save(office: Office, request_id: str, text: str, by: str | None) -> DataRequest:
    with office.units.read() as unit:
        base = requests.get_request(unit, request_id).version
    catalogue = build_catalogue(context.settings())
    actor = context.actor(office, by)
    return requests.save_request(
        office, catalogue, request_id=request_id, text=text, base=base, by=actor, now=context.now()
    )


@request.command("list")
def list_requests() -> None:
    """All requests: id, state, version, author, title."""
    with context.sentences(), context.office().units.read() as unit:
        for found in unit.requests.find():
            context.say(_line(found))


@request.command("show")
def show(request_id: str, version: Annotated[int | None, typer.Option()] = None) -> None:
    """A request: its state, what is wrong with it, its conditions, its text."""
    with context.sentences():
        office = context.office()
        with office.units.read() as unit:
            found = requests.get_request(unit, _id(request_id))
            shown = requests.get_version(unit, found, version)
            standing = conditions.condition_statuses(office.rules, unit, found, context.now().date())
        context.say(_line(found))
        context.say(f"sha256 {shown.digest}")
        for problem in requests.problems_of(shown):
            context.say(f"! {problem.field}: {problem.message(context.language())}")
        for status in standing:
            context.say(f"{status.standing.value}\t{status.need.condition}\t{status.need.about}")
        context.say(shown.text)


@request.command("diff")
def diff(request_id: str, before: int, after: int) -> None:
    """What differs between two versions, one line a field."""
    with context.sentences():
        with context.office().units.read() as unit:
            found = requests.get_request(unit, _id(request_id))
            old, new = (requests.content_of(requests.get_version(unit, found, n)) for n in (before, after))
        for change in differences(old, new):
            if change.before is not None:
                context.say(f"- {change.field}: {change.before}")
            if change.after is not None:
                context.say(f"+ {change.field}: {change.after}")


@request.command("estimate")
def estimate(request_id: str, by: As = None) -> None:
    """Ask the extraction worker for rows and risk; `show-risk` tells what it found."""
    with context.sentences():
        office = context.office()
        actor = context.actor(office, by)
        asked = assessments.ask_assessment(office, request_id=_id(request_id), by=actor, now=context.now())
        context.say(f"{asked.id}: {asked.state.value} {asked.light or ''}")


def _decide(request_id: str, decision: str, comment: str, by: str | None, *, accept_rest: bool) -> None:
    with context.sentences():
        office, catalogue = context.office(), build_catalogue(context.settings())
        with office.units.read() as unit:
            version = requests.get_request(unit, _id(request_id)).version
        decided = request_reviews.decide_request(
            office,
            catalogue,
            request_id=_id(request_id),
            ruling=request_reviews.Ruling(version, decision, comment, accept_rest),
            by=context.actor(office, by),
            now=context.now(),
        )
        context.say(_line(decided))


@request.command("approve")
def approve(request_id: str, comment: str = "", by: As = None) -> None:
    """Approve the newest version; variables without a verdict are accepted as they are asked for."""
    _decide(request_id, "approve", comment, by, accept_rest=True)


@request.command("return")
def return_request(request_id: str, comment: Annotated[str, typer.Option()], by: As = None) -> None:
    """Send a request back for changes."""
    _decide(request_id, "return", comment, by, accept_rest=False)


@request.command("reject")
def reject(request_id: str, comment: Annotated[str, typer.Option()], by: As = None) -> None:
    """Refuse a request for good."""
    _decide(request_id, "reject", comment, by, accept_rest=False)


@request.command("reopen")
def reopen(request_id: str, comment: Annotated[str, typer.Option()], by: As = None) -> None:
    """Give an approved request of which nothing was delivered back to its people, with the reason."""
    with context.sentences():
        office = context.office()
        found = request_reopenings.reopen_request(
            office,
            request_id=_id(request_id),
            comment=comment,
            by=context.actor(office, by),
            now=context.now(),
        )
        context.say(_line(found))


@request.command("provision")
def provision(request_id: str, by: As = None) -> None:
    """Make the project of an approved request whose conditions are met."""
    with context.sentences():
        office = context.office()
        project = provisioning.provision(
            office, request_id=_id(request_id), by=context.actor(office, by), now=context.now()
        )
        context.say(f"{project.slug}: {project.state.value}")


@request.command("decide-risk")
def decide_risk(
    request_id: str,
    choice: Annotated[str, typer.Argument(help="proceed or hold")],
    reason: Annotated[str, typer.Option()],
    by: As = None,
) -> None:
    """Decide on a red risk report, with the reason."""
    with context.sentences():
        office = context.office()
        with office.units.read() as unit:
            version = requests.get_request(unit, _id(request_id)).version
        decided = assessments.decide_risk(
            office,
            request_id=_id(request_id),
            version=version,
            choice=choice,
            reason=reason,
            by=context.actor(office, by),
            now=context.now(),
        )
        context.say(f"{decided.id}: {decided.choice}")


def parse_day(text: str, field: str) -> date:
    """A date such as 2026-01-31; Refused `bad_date` otherwise."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(
            "bad_date",
            "Give a date such as 2026-01-31.",
            "Indiquez une date telle que 2026-01-31.",
            field=field,
        ) from None


@condition.command("add")
def add_condition(
    request_id: str,
    name: Annotated[str, typer.Argument(help="The condition's name in policies/conditions.yaml.")],
    document: Annotated[str, typer.Option(help="Name or reference of the document.")],
    dated: Annotated[str, typer.Option("--date", help="Date of the document, such as 2026-01-31.")],
    person: Annotated[str | None, typer.Option(help="For a condition per person.")] = None,
    institution: Annotated[str | None, typer.Option(help="For a condition per institution.")] = None,
    file: Annotated[str | None, typer.Option(help="The document itself, 10 MB at most.")] = None,
    by: As = None,
) -> None:
    """Record a document that a gate of law asks for."""
    with context.sentences():
        office = context.office()
        recorded = conditions.record_condition(
            office,
            request_id=_id(request_id),
            condition=name,
            about=person or institution or "",
            paper=conditions.Paper(
                document, parse_day(dated, "date"), attachment=None if file is None else _keep(file)
            ),
            by=context.actor(office, by),
            now=context.now(),
        )
        context.say(f"{recorded.id}: {recorded.condition} {recorded.about}".rstrip())


def _keep(file: str) -> conditions.Attachment:
    """Freeze a document in the vault; `-` is standard input, named by VITRINE_STDIN_NAME."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError:
        raise Refused("unreadable", "The file cannot be read.", "Le fichier ne peut pas être lu.") from None
    name = os.environ.get("VITRINE_STDIN_NAME", "document") if file == "-" else Path(file).name
    if not 0 < len(content) <= LARGEST_DOCUMENT:
        raise Refused("too_large", "At most 10 MB.", "10 Mo au plus.", field="file")
    with build_documents(context.settings()).receive() as arrival:
        arriving = arrival.open(0)
        arriving.write(content)
        sha256 = arrival.freeze(arriving)
    return conditions.Attachment(name, sha256, len(content))

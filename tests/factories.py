"""Offices, people and projects for tests: real adapters on a real database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import make_url, text

from hub.actions import assessments, extracts, people, projects, sessions
from hub.actions.approvals import Grounds, rules_to_judge
from hub.actions.ports import Checking, Office, Rules
from hub.actions.sessions import Grant
from hub.adapters import schema
from hub.adapters.ledgers import FileLedger
from hub.adapters.session_files import FileSessions
from hub.adapters.signatures import Ed25519Signer
from hub.adapters.units import SqlUnits, open_engine
from hub.bootstrap import applied_thresholds, build_rules
from hub.documents import parse
from hub.documents.dictionaries import Dictionary
from hub.documents.policies import load_policies
from hub.domain.permissions import Actor, Role
from hub.domain.records import Project, Source, StagedFile

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = bytes(range(32))
RELEASE_KEY = bytes(range(32, 64))
SYSTEM = Actor("test", system=True)
PEOPLE = {
    "ana": Role.RESEARCHER,
    "rosa": Role.RESEARCHER,
    "bob": Role.ADMIN,
    "chloe": Role.CHECKER,
    "denis": Role.CHECKER,
    "eve": Role.AUDITOR,
}


def actor(username: str) -> Actor:
    """A person of PEOPLE as an actor."""
    return Actor(username, frozenset({PEOPLE[username]}))


@dataclass
class RecordedDesks:
    """`Desks` that remembers what it was asked. (The Hub's own is tested on the real stack.)"""

    calls: list[tuple[str, str, str]] = field(default_factory=list)

    def start(self, username: str, project: str) -> None:
        self.calls.append(("start", username, project))

    def ready(self, username: str, project: str) -> bool:
        return ("start", username, project) in self.calls

    def stop(self, username: str, project: str) -> None:
        self.calls.append(("stop", username, project))


def rules() -> Rules:
    """The rules of policies/ as they are."""
    return build_rules(load_policies(ROOT / "policies"))


# A description that is complete.
FORM = {
    "what": "a table",
    "population": "Working people of 18 to 64",
    "variables": "wage, age_group",
    "counts": "All cells above 30",
    "purpose": "Table 2 of the paper",
}


def grounds(office: Office, submission: str, **answers: str) -> Grounds:
    """All that an approval of a submission needs, save answers to broken rules: those given, of file 0."""
    with office.units.read() as unit:
        files = unit.files.find(submission=submission)
    return Grounds(
        answers={(0, rule): answer for rule, answer in answers.items()},
        judged=frozenset(rules_to_judge(files)),
        confirmed=frozenset(office.rules.review.controls),
    )


def checking(folder: Path) -> Checking:
    """A ledger in `folder`, a key, and the thresholds of policies/."""
    policies = load_policies(ROOT / "policies")
    return Checking(
        ledger=FileLedger(folder / "ledger"),
        signer=Ed25519Signer(RELEASE_KEY),
        thresholds=applied_thresholds(policies),
        min_units=10,
        severities={name: rule.severity for name, rule in policies.outputs.rules.items()},
    )


def make_office(folder: Path, url: str | None = None) -> Office:
    """An office on SQLite in `folder`, or on an emptied PostgreSQL."""
    engine = open_engine(make_url(url or f"sqlite:///{folder / 'vitrine.db'}"))
    if url is not None:
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
    schema.upgrade(engine)
    units = SqlUnits(engine, audit_key=KEY, head_file=folder / "audit" / "head.json")
    files = FileSessions(folder / "sessions", folder / "run", owner=None)
    return Office(
        units=units,
        rules=rules(),
        session_files=files,
        desks=RecordedDesks(),
        checking=checking(folder),
    )


def fill(office: Office, *, now: datetime = NOW) -> None:
    """Everybody of PEOPLE and a source `cps` with two columns."""
    for username, role in PEOPLE.items():
        people.add_person(
            office,
            username=username,
            name=username.title(),
            email=f"{username}@example.org",
            roles=frozenset({role}),
            by=SYSTEM,
            now=now,
        )
    variables = {
        "wage": {"fr": "Salaire", "en": "Wage", "deliverable": True},
        "name": {"fr": "Nom", "en": "Name", "deliverable": False},
    }
    source = Source("cps", "CPS", 10, 2, "a" * 64, "b" * 64, now, "test", variables, open=True)
    extracts.note_source(office, source=source, by=SYSTEM, now=now)


def new_project(slug: str = "wages", **changes: object) -> projects.NewProject:
    """A project of ana that runs for ten days from NOW."""
    values: dict[str, object] = {
        "slug": slug,
        "title": "Wages",
        "purpose": "To test.",
        "tier": "open",
        "people": ["ana"],
        "starts_at": NOW,
        "ends_at": NOW + timedelta(days=10),
        "plan": {"source": "cps", "columns": ["wage"]},
        "kind": "open-data",
        **changes,
    }
    return projects.NewProject(**values)  # type: ignore[arg-type]  # tests put wrong values in on purpose


def add_project(office: Office, slug: str = "wages", **changes: object) -> Project:
    """A project whose extract is sealed, so that desks can be opened."""
    made = projects.create_project(office, new=new_project(slug, **changes), by=actor("bob"), now=NOW)
    assess(office, f"{slug}/v1")
    extracts.begin_extract(office, extract_id=f"{slug}/v1", by=SYSTEM, now=NOW)
    extracts.seal_extract(office, extract_id=f"{slug}/v1", manifest={"rows": 10}, by=SYSTEM, now=NOW)
    return made


def assess(office: Office, extract_id: str, light: str = "green", *, now: datetime = NOW) -> None:
    """Record the risk report of a planned extract without a request, as the worker does."""
    with office.units.read() as unit:
        extract = extracts.get_extract(unit, extract_id)
    key = assessments.direct_key(extract)
    assessments.plan_assessment(office, extract=extract, version=extract.version, by=SYSTEM, now=now)
    assessments.begin_assessment(office, assessment_id=key, by=SYSTEM, now=now)
    assessments.finish_assessment(office, assessment_id=key, result={}, light=light, by=SYSTEM, now=now)


def open_session(office: Office, slug: str = "wages", username: str = "ana", now: datetime = NOW) -> Grant:
    """A running session with its session file."""
    grant = sessions.grant_session(office, slug=slug, by=actor(username), now=now)
    office.session_files.open(  # type: ignore[attr-defined]  # the adapter's side, which the spawner uses
        grant.session.id, {"username": username, "project": slug}, grant.session.ends_at
    )
    sessions.start_session(office, session_id=grant.session.id, container="c0", by=SYSTEM, now=now)
    return grant


def staged(name: str = "table.csv", sha256: str = "c" * 64) -> StagedFile:
    """A file as the vault hands it over."""
    report = {"verdict": "REVIEW", "findings": []}
    return StagedFile(
        name, 12, sha256, "text/csv", report, canonical_name=name, canonical_size=12, canonical_sha256=sha256
    )


DICTIONARY = """
name: register
title: {fr: "Registre d’essai", en: "Test register"}
description: {fr: "Des personnes et leurs salaires.", en: "People and their wages."}
licence: "Restricted"
origin: "The office"
reference_period: {first: 2020-01-01, last: 2020-03-31}
file: {format: csv, rows: 3}
unit_types:
  person: {title: {fr: "Personne", en: "Person"}, key: [number], pseudonym: person_id}
record: {unit: person, key: [number]}
variables:
  number: {type: integer, label: {fr: "Numéro national", en: "National number"}, minimum: 7411, maximum: 9422,
           identifying: direct}
  employer: {type: string, label: {fr: "Employeur", en: "Employer"}, identifying: direct,
             codes: [{value: "BE-0417", label: {fr: "Usine Secrète", en: "Secret Works"}}]}
  wage: {type: float, label: {fr: "Salaire élevé & <brut>", en: "High & <gross> wage"}, unit: EUR,
         minimum: 0.5, description: "Per month.", missing_allowed: true}
  sex: {type: integer, label: {fr: "Sexe", en: "Sex"}, sensitivity: sensitive,
        codes: [{value: 1, label: {fr: "homme", en: "man"}}, {value: 2, label: {fr: "femme", en: "woman"}}]}
  born: {type: date, label: {fr: "Date de naissance", en: "Date of birth"}}
"""
ROWS = (
    "number,employer,wage,sex,born\n"
    "7411,BE-0417,3123.75,1,1971-05-06\n8533,BE-0417,,2,1982-07-08\n9422,BE-0417,2987.25,2,1993-09-10\n"
)


def dictionary() -> Dictionary:
    """A source of three people, with two direct identifiers; ROWS are its data."""
    return parse(Dictionary, DICTIONARY, name="register.yaml")

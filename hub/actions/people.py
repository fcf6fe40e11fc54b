"""People of the office and of the projects."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime

from hub.actions.ports import Office, Unit
from hub.domain import lifecycle
from hub.domain.errors import Conflict, NotFound, Refused
from hub.domain.lifecycle import PersonState
from hub.domain.permissions import OFFICE, Actor, Permission, Role, require
from hub.domain.records import Person

_USERNAME = re.compile(r"[a-z][a-z0-9-]{0,29}")


def actor_for(unit: Unit, username: str) -> Actor:
    """The person as an actor with the roles they have now; suspended or unknown people have none."""
    person = unit.people.get(username)
    if person is None or person.state is not PersonState.ACTIVE:
        return Actor(username)
    return Actor(username, person.roles)


def get_person(unit: Unit, username: str) -> Person:
    """The person; raises NotFound `unknown_person`."""
    person = unit.people.get(username)
    if person is None:
        raise NotFound(
            "unknown_person",
            f"There is no person '{username}'.",
            f"La personne « {username} » n’existe pas.",
            field="people",
        )
    return person


def add_person(
    office: Office, *, username: str, name: str, email: str, roles: frozenset[Role], by: Actor, now: datetime
) -> Person:
    """Add a person. Raises Refused `bad_username`, Conflict `duplicate`."""
    require(office.rules.roles, by, Permission.PERSON_MANAGE, OFFICE)
    if not _USERNAME.fullmatch(username):
        raise Refused(
            "bad_username",
            "A user name is 1 to 30 small letters, digits or hyphens and begins with a letter.",
            "Un nom d’utilisateur comporte 1 à 30 minuscules, chiffres ou tirets et commence par une lettre.",
            field="username",
        )
    person = Person(username, name, email, roles, PersonState.ACTIVE, now)
    with office.units.write() as unit:
        unit.people.add(person)
        unit.record(
            by=by,
            action="person.added",
            object=f"person:{username}",
            now=now,
            details={"roles": sorted(roles)},
        )
    return person


def set_person_state(
    office: Office, *, username: str, state: PersonState, by: Actor, now: datetime
) -> Person:
    """Suspend or readmit a person; their open desks are closed at once. Nobody suspends themselves."""
    require(office.rules.roles, by, Permission.PERSON_MANAGE, OFFICE)
    if username == by.username and not by.system:
        raise Conflict(
            "yourself", "You cannot suspend yourself.", "Vous ne pouvez pas vous suspendre vous-même."
        )
    with office.units.write() as unit:
        person = get_person(unit, username)
        changed = dataclasses.replace(person, state=lifecycle.move(lifecycle.PERSON, person.state, state))
        unit.people.save(changed)
        unit.record(by=by, action=f"person.{state.value.lower()}", object=f"person:{username}", now=now)
        sessions = [s for s in unit.sessions.find(username=username) if s.ended_at is None]
    if state is PersonState.SUSPENDED:
        for session in sessions:
            office.session_files.end(session.id, "person_suspended")
    return changed

"""Whether a person may be at a project's desk right now, and until when."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from hub.domain.errors import PermissionDenied
from hub.domain.lifecycle import PersonState, ProjectState
from hub.domain.records import Person, Project


class Closed(StrEnum):
    """Why a desk is closed to somebody; stable codes that pages and session files carry."""

    PERSON_SUSPENDED = "person_suspended"
    MEMBERSHIP_ENDED = "membership_ended"
    PROJECT_SUSPENDED = "project_suspended"
    PROJECT_ENDED = "project_ended"
    PROJECT_NOT_STARTED = "project_not_started"
    EXTRACT_NOT_READY = "extract_not_ready"
    STOPPED = "stopped"
    START_FAILED = "start_failed"


REASONS: dict[Closed, tuple[str, str]] = {
    Closed.PERSON_SUSPENDED: (
        "Your access is suspended. Please contact the data-access unit.",
        "Votre accès est suspendu. Veuillez contacter l’unité d’accès aux données.",
    ),
    Closed.MEMBERSHIP_ENDED: (
        "You are not (or no longer) a member of this project.",
        "Vous ne faites pas (ou plus) partie de ce projet.",
    ),
    Closed.PROJECT_SUSPENDED: (
        "This project is suspended. Please contact the data-access unit.",
        "Ce projet est suspendu. Veuillez contacter l’unité d’accès aux données.",
    ),
    Closed.PROJECT_ENDED: (
        "This project has ended; access to its data is closed.",
        "Ce projet est terminé ; l’accès à ses données est coupé.",
    ),
    Closed.PROJECT_NOT_STARTED: (
        "This project has not started yet.",
        "Ce projet n’a pas encore commencé.",
    ),
    Closed.EXTRACT_NOT_READY: (
        "The data of this project are not ready yet.",
        "Les données de ce projet ne sont pas encore prêtes.",
    ),
    Closed.START_FAILED: (
        "The desk could not be opened. The administrators see the cause; please try again in a few minutes.",
        "Le bureau n’a pas pu être ouvert. L’administration en voit la cause ; veuillez réessayer bientôt.",
    ),
    Closed.STOPPED: ("This desk was closed.", "Ce bureau a été fermé."),
}


def closed_because(person: Person | None, project: Project, now: datetime) -> Closed | None:
    """The reason why the desk is closed to this person now, or None if it is open.

    1. The person is unknown or not active. 2. Not a member. 3. The project's time is over: the clock
    decides, not the stored state. 4. Suspended. 5. Not begun. 6. Not active: its extract is not ready.
    """
    if person is None or person.state is not PersonState.ACTIVE:  # (1)
        return Closed.PERSON_SUSPENDED
    if person.username not in project.members:  # (2)
        return Closed.MEMBERSHIP_ENDED
    if now >= project.ends_at or project.state in (ProjectState.EXPIRED, ProjectState.CLOSED):  # (3)
        return Closed.PROJECT_ENDED
    if project.state is ProjectState.SUSPENDED:  # (4)
        return Closed.PROJECT_SUSPENDED
    if now < project.starts_at:  # (5)
        return Closed.PROJECT_NOT_STARTED
    if project.state is not ProjectState.ACTIVE:  # (6)
        return Closed.EXTRACT_NOT_READY
    return None


def require_open(person: Person | None, project: Project, now: datetime) -> None:
    """Return only if the desk is open to this person now; raise PermissionDenied with the reason's code."""
    reason = closed_because(person, project, now)
    if reason is not None:
        raise PermissionDenied(reason.value, *REASONS[reason])

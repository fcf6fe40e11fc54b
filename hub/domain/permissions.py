"""Who may do what: permissions, roles as data, and the one function that refuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hub.domain.errors import PermissionDenied


class Role(StrEnum):
    RESEARCHER = "researcher"
    ADMIN = "admin"
    CHECKER = "checker"
    AUDITOR = "auditor"


class Permission(StrEnum):
    PROJECT_READ = "project.read"
    PROJECT_CREATE = "project.create"
    PROJECT_SUSPEND = "project.suspend"
    PROJECT_END = "project.end"
    DESK_OPEN = "desk.open"
    DESK_STOP = "desk.stop"
    PERSON_READ = "person.read"
    PERSON_MANAGE = "person.manage"
    SOURCE_READ = "source.read"
    SOURCE_REGISTER = "source.register"
    REQUEST_WRITE = "request.write"
    REQUEST_READ = "request.read"
    REQUEST_REVIEW = "request.review"
    SUBMISSION_CREATE = "submission.create"
    SUBMISSION_READ = "submission.read"
    SUBMISSION_WITHDRAW = "submission.withdraw"
    SUBMISSION_REVIEW = "submission.review"
    SUBMISSION_COPY = "submission.copy"
    RELEASE_DOWNLOAD = "release.download"
    REVIEW_STATISTICS = "review.statistics"
    PUBLICATION_READ = "publication.read"
    PUBLICATION_WRITE = "publication.write"
    PUBLICATION_REVIEW = "publication.review"
    AUDIT_READ = "audit.read"


class Reach(StrEnum):
    """How far a permission goes: the actor's own projects and submissions, or any."""

    OWN = "own"
    ANY = "any"


RolePermissions = Mapping[Role, Mapping[Permission, Reach]]


@dataclass(frozen=True)
class Actor:
    """Somebody who acts: `username`, and the roles the office gave them. `system` is the clock."""

    username: str
    roles: frozenset[Role] = frozenset()
    system: bool = False

    @property
    def audit_name(self) -> str:
        return f"system:{self.username}" if self.system else self.username


@dataclass(frozen=True)
class Subject:
    """What is acted upon: `members` of its project; `author` where it is a submission."""

    name: str = "office"
    members: frozenset[str] = field(default_factory=frozenset)
    author: str | None = None


OFFICE = Subject()
FOUR_EYES = frozenset({Permission.SUBMISSION_REVIEW, Permission.PUBLICATION_REVIEW})


def parse_roles(raw: Mapping[str, Mapping[str, str]]) -> RolePermissions:
    """Turn policy text into enums. Every role must be named; an unknown word raises ValueError."""
    parsed = {
        Role(role): {Permission(name): Reach(reach) for name, reach in permissions.items()}
        for role, permissions in raw.items()
    }
    missing = set(Role) - set(parsed)
    if missing:
        raise ValueError(f"roles without permissions: {', '.join(sorted(missing))}")
    return parsed


def reach_of(policy: RolePermissions, roles: Iterable[Role], permission: Permission) -> Reach | None:
    """The widest reach that any of `roles` has for `permission`; None if none has it."""
    reaches = {policy[role][permission] for role in roles if permission in policy.get(role, {})}
    if Reach.ANY in reaches:
        return Reach.ANY
    return Reach.OWN if reaches else None


def require(policy: RolePermissions, actor: Actor, permission: Permission, subject: Subject) -> None:
    """Return only if `actor` may; raise PermissionDenied with a stable code otherwise.

    1. The clock and the command line on the server (system actors) act by what they are called for.
    2. No role with the permission: refused.
    3. Review: never one's own submission or publication, nor one of a project one belongs to (four eyes);
       never a request that one is named in.
    4. Reach `own`: the actor is a member of the project; for a submission also its author.
    """
    if actor.system:  # (1)
        return
    reach = reach_of(policy, actor.roles, permission)
    if reach is None:  # (2)
        raise PermissionDenied(
            "no_permission", "Your role does not allow this.", "Votre rôle ne le permet pas."
        )
    if permission in FOUR_EYES and (  # (3)
        actor.username == subject.author or actor.username in subject.members
    ):
        raise PermissionDenied(
            "own_submission",
            "You cannot check a submission of your own project.",
            "Vous ne pouvez pas contrôler une soumission de votre propre projet.",
        )
    if permission is Permission.REQUEST_REVIEW and actor.username in subject.members:
        raise PermissionDenied(
            "own_request",
            "You cannot decide on a request that names you.",
            "Vous ne pouvez pas décider d’une demande dans laquelle vous figurez.",
        )
    if reach is Reach.ANY:
        return
    if actor.username not in subject.members or subject.author not in (None, actor.username):  # (4)
        raise PermissionDenied(
            "not_yours", "This belongs to another project.", "Ceci appartient à un autre projet."
        )


def may(policy: RolePermissions, actor: Actor, permission: Permission, subject: Subject) -> bool:
    """`require` as a question, for showing or hiding a button; never instead of `require`."""
    try:
        require(policy, actor, permission, subject)
    except PermissionDenied:
        return False
    return True

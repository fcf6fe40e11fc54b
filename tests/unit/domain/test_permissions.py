"""Roles × permissions × whose it is, as a table; and what no policy can allow."""

from __future__ import annotations

import pytest

from hub.domain.errors import PermissionDenied
from hub.domain.permissions import OFFICE, Actor, Permission, Reach, Role, Subject, may, parse_roles, require
from tests.factories import rules

OWN = Subject("o1", frozenset({"me", "other"}), "me")
PEERS = Subject("o2", frozenset({"me", "other"}), "other")
FOREIGN = Subject("o3", frozenset({"other"}), "other")

# permission → (researcher, admin, checker, auditor), each for (own, a peer's in my project, foreign)
EXPECTED: dict[Permission, tuple[str, str, str, str]] = {
    Permission.PROJECT_READ: ("ynn", "yyy", "yyy", "yyy"),
    Permission.PROJECT_CREATE: ("nnn", "yyy", "nnn", "nnn"),
    Permission.PROJECT_SUSPEND: ("nnn", "yyy", "nnn", "nnn"),
    Permission.PROJECT_END: ("nnn", "yyy", "nnn", "nnn"),
    Permission.DESK_OPEN: ("ynn", "nnn", "nnn", "nnn"),
    Permission.DESK_STOP: ("ynn", "yyy", "nnn", "nnn"),
    Permission.PERSON_READ: ("nnn", "yyy", "nnn", "yyy"),
    Permission.PERSON_MANAGE: ("nnn", "yyy", "nnn", "nnn"),
    Permission.SOURCE_READ: ("nnn", "yyy", "nnn", "yyy"),
    Permission.SOURCE_REGISTER: ("nnn", "yyy", "nnn", "nnn"),
    Permission.REQUEST_WRITE: ("ynn", "nnn", "nnn", "nnn"),
    Permission.REQUEST_READ: ("ynn", "yyy", "nnn", "yyy"),
    Permission.REQUEST_REVIEW: ("nnn", "nny", "nnn", "nnn"),
    Permission.SUBMISSION_CREATE: ("ynn", "nnn", "nnn", "nnn"),
    Permission.SUBMISSION_READ: ("ynn", "nnn", "yyy", "yyy"),
    Permission.SUBMISSION_COPY: ("nnn", "nnn", "nnn", "yyy"),
    Permission.SUBMISSION_WITHDRAW: ("ynn", "nnn", "nnn", "nnn"),
    Permission.SUBMISSION_REVIEW: ("nnn", "nnn", "nny", "nnn"),
    Permission.REVIEW_STATISTICS: ("nnn", "yyy", "yyy", "yyy"),
    Permission.PUBLICATION_READ: ("ynn", "yyy", "yyy", "yyy"),
    Permission.PUBLICATION_WRITE: ("ynn", "nnn", "nnn", "nnn"),
    Permission.PUBLICATION_REVIEW: ("nnn", "nnn", "nny", "nnn"),
    Permission.RELEASE_DOWNLOAD: ("ynn", "nnn", "nnn", "nnn"),
    Permission.AUDIT_READ: ("nnn", "nnn", "nnn", "yyy"),
}
ROWS = [
    (permission, role, subject, answer == "y")
    for permission, answers in EXPECTED.items()
    for role, word in zip((Role.RESEARCHER, Role.ADMIN, Role.CHECKER, Role.AUDITOR), answers, strict=True)
    for subject, answer in zip((OWN, PEERS, FOREIGN), word, strict=True)
]


def test_the_table_has_every_permission() -> None:
    assert set(EXPECTED) == set(Permission)


@pytest.mark.parametrize(("permission", "role", "subject", "allowed"), ROWS)
def test_require(permission: Permission, role: Role, subject: Subject, allowed: bool) -> None:
    assert may(rules().roles, Actor("me", frozenset({role})), permission, subject) is allowed


@pytest.mark.parametrize("permission", Permission)
def test_nobody_without_a_role_may_anything(permission: Permission) -> None:
    with pytest.raises(PermissionDenied) as refused:
        require(rules().roles, Actor("me"), permission, OWN)
    assert refused.value.code == "no_permission"


@pytest.mark.parametrize("subject", [OWN, PEERS])
def test_a_checker_who_is_also_a_researcher_never_checks_their_own_project(subject: Subject) -> None:
    both = Actor("me", frozenset({Role.RESEARCHER, Role.CHECKER}))
    with pytest.raises(PermissionDenied) as refused:
        require(rules().roles, both, Permission.SUBMISSION_REVIEW, subject)
    assert refused.value.code == "own_submission"


def test_own_reach_on_the_office_is_nothing() -> None:
    assert not may(rules().roles, Actor("me", frozenset({Role.RESEARCHER})), Permission.PROJECT_READ, OFFICE)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"researcher": {}},
        {**{role.value: {} for role in Role}, "guest": {}},
        {**{role.value: {} for role in Role}, "admin": {"everything": "any"}},
        {**{role.value: {} for role in Role}, "admin": {"audit.read": "all"}},
    ],
)
def test_parse_roles_refuses(raw: dict[str, dict[str, str]]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_roles(raw)


def test_parse_roles_takes_enums_by_name() -> None:
    raw: dict[str, dict[str, str]] = {role.value: {} for role in Role}
    raw["auditor"] = {"audit.read": "any"}
    assert parse_roles(raw)[Role.AUDITOR] == {Permission.AUDIT_READ: Reach.ANY}

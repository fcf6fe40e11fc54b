"""The office's rules: one model per file of `policies/` and one for the files of `policies/classes/`,
and one fingerprint over all of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from hub.documents.base import Document, Text, bad_value, parse, read_text
from hub.documents.classes import ClassSchemes, parse_schemes, scheme_files
from hub.domain.errors import DocumentError

Share = Annotated[float, Field(gt=0, le=1)]


class Tier(StrEnum):
    """How a desk is shown: JupyterLab itself in the browser, or pixels of it only."""

    OPEN = "open"
    SEALED = "sealed"


class TierLimits(Document):
    """What one desk of a tier may use, and what its users are told."""

    title: Text
    explanation: Text
    memory_bytes: int = Field(ge=256 * 2**20)
    cpus: float = Field(gt=0, le=256)
    pids: int = Field(ge=64, le=65_536)
    bytes_out_limit: int = Field(ge=1)


class TiersPolicy(Document):
    """`tiers.yaml`. A tier that is not listed cannot be chosen for a project."""

    tiers: dict[Tier, TierLimits] = Field(min_length=1)


class RoleDocument(Document):
    title: Text
    permissions: dict[str, Literal["own", "any"]]


class RolesPolicy(Document):
    """`roles.yaml`. Names of roles and permissions are checked by `hub.domain.permissions.parse_roles`."""

    roles: dict[str, RoleDocument] = Field(min_length=1)

    def permissions(self) -> dict[str, dict[str, str]]:
        """Role → permission → reach, as `parse_roles` takes it."""
        return {name: dict(role.permissions) for name, role in self.roles.items()}


class SubmissionsPolicy(Document):
    """`submissions.yaml`: what may be handed in for checking."""

    max_bytes: int = Field(ge=1)
    max_files: int = Field(ge=1, le=1000)
    types: tuple[Annotated[str, Field(pattern=r"^\.[a-z0-9]{1,8}$")], ...] = Field(min_length=1)

    @field_validator("types")
    @classmethod
    def _each_once(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(types)) != len(types):
            raise bad_value("a type is listed twice", "un type figure deux fois")
        return types


class ReviewPolicy(Document):
    """`review.yaml`: how many people decide. That votes are blind and nobody checks their own is not here:
    the program has no way to switch it off."""

    approvals_needed: int = Field(ge=2, le=5)
    comment_needed_for: tuple[Literal["approve", "return", "reject"], ...]


class OutputThresholds(Document):
    """The numbers of the automatic checks. Shares are between 0 and 1."""

    min_units: int = Field(ge=1)
    max_group_share: Share
    max_largest_share: Share
    max_two_largest_share: Share
    min_degrees_of_freedom: int = Field(ge=1)
    row_level_rows: int = Field(ge=2)
    max_table_rows: int = Field(ge=1)


class OutputsPolicy(Document):
    """`outputs.yaml`: the thresholds of output checking."""

    thresholds: OutputThresholds


POLICY_FILES: dict[str, type[Document]] = {
    "outputs.yaml": OutputsPolicy,
    "review.yaml": ReviewPolicy,
    "roles.yaml": RolesPolicy,
    "submissions.yaml": SubmissionsPolicy,
    "tiers.yaml": TiersPolicy,
}


@dataclass(frozen=True)
class Policies:
    """All rules in force, and the SHA-256 over their files that is stamped on what they decided."""

    outputs: OutputsPolicy
    review: ReviewPolicy
    roles: RolesPolicy
    submissions: SubmissionsPolicy
    tiers: TiersPolicy
    classes: ClassSchemes
    fingerprint: str


def load_policies(directory: Path) -> Policies:
    """Read the rules of `directory`; any doubt about one raises DocumentError.

    A YAML file with a name that no model belongs to is refused too: nobody would obey it.
    """
    for path in sorted(directory.glob("*.y*ml")):
        if path.name not in POLICY_FILES:
            raise DocumentError(
                "unknown_policy",
                "no rule of this name exists",
                "aucune règle de ce nom n’existe",
                file=path.name,
                line=None,
                key=None,
            )
    texts = {name: read_text(directory / name, name=name) for name in POLICY_FILES}
    classes = {shown: read_text(path, name=shown) for shown, path in scheme_files(directory)}
    return Policies(
        outputs=parse(OutputsPolicy, texts["outputs.yaml"], name="outputs.yaml"),
        review=parse(ReviewPolicy, texts["review.yaml"], name="review.yaml"),
        roles=parse(RolesPolicy, texts["roles.yaml"], name="roles.yaml"),
        submissions=parse(SubmissionsPolicy, texts["submissions.yaml"], name="submissions.yaml"),
        tiers=parse(TiersPolicy, texts["tiers.yaml"], name="tiers.yaml"),
        classes=parse_schemes(classes),
        fingerprint=fingerprint(texts | classes),
    )


def fingerprint(texts: dict[str, str]) -> str:
    """SHA-256 over names and contents in the order of names; lengths keep the borders apart."""
    digest = hashlib.sha256()
    for name in sorted(texts):
        for part in (name.encode(), texts[name].encode()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()

"""The office's rules: one model per file of `policies/` and one for the files of `policies/classes/`,
and one fingerprint over all of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from hub.documents.base import Document, Sparse, Text, bad_value, parse, read_text
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
    prechecks_per_hour: int = Field(ge=1, le=1000)
    types: tuple[Annotated[str, Field(pattern=r"^\.[a-z0-9]{1,8}$")], ...] = Field(min_length=1)

    @field_validator("types")
    @classmethod
    def _each_once(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(types)) != len(types):
            raise bad_value("a type is listed twice", "un type figure deux fois")
        return types


class LowRiskClass(StrEnum):
    """Kinds of submissions that a policy may call low-risk: all files are CSV or TSV tables of which every
    number was made again and all rules hold; with `declared`, from their declaration."""

    DECLARED_TABLE = "declared_table"
    DECLARED_REGRESSION = "declared_regression"
    TABLE = "table"


class LowRisk(Document):
    """Limits within which one checker decides a class alone. `reason` stands in the record of the release;
    `sample`: the share of such submissions that all checkers decide nevertheless."""

    reason: Text
    tiers: tuple[Tier, ...] = Field(min_length=1)
    max_files: int = Field(ge=1, le=20)
    max_bytes: int = Field(ge=1, le=1_000_000)
    sample: Annotated[float, Field(ge=0, lt=1)]


ControlName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class ReviewPolicy(Document):
    """`review.yaml`: how many people decide, and what each of them confirms. That votes are blind and nobody
    checks their own is not here: the program has no way to switch it off."""

    approvals_needed: int = Field(ge=2, le=5)
    comment_needed_for: tuple[Literal["approve", "return", "reject"], ...]
    target_hours: int = Field(ge=1, le=8760)
    controls: dict[ControlName, Text] = Field(min_length=1, max_length=20)
    one_decider: dict[LowRiskClass, LowRisk]


class OutputThresholds(Document):
    """The numbers of the automatic checks that belong to no single rule."""

    row_level_rows: int = Field(ge=2)
    max_table_rows: int = Field(ge=1)


class OutputRule(Document):
    """One rule of output checking: what it says, who says so, its numbers, and what breaking it means."""

    severity: Literal["note", "review", "block"]
    source: str = Field(min_length=1)
    thresholds: dict[str, Annotated[float, Field(gt=0)]]
    text: Text

    @field_validator("text")
    @classmethod
    def _in_three_languages(cls, text: Text) -> Text:
        if text.de is None:
            raise bad_value("a German text is needed too", "il faut aussi un texte allemand")
        return text


# Every rule that the checks apply, with the thresholds it needs. One that is missing would not be applied.
OUTPUT_RULES: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        (
            "binary_mean",
            "differencing",
            "differing_populations",
            "empty_cell",
            "extreme",
            "false_claim",
            "instance_model",
            "map",
            "missing_context",
            "population_share",
            "residuals",
            "rounded_small",
            "same_value",
            "saturated_model",
            "share_without_base",
            "small_share",
            "suppressed_margins",
            "suppression_solvable",
            "suppression_undone",
            "transition",
            "unit_plot",
            "unit_series",
            "unknown_units",
            "unreproduced",
        ),
        frozenset[str](),
    ),
    "degrees_of_freedom": frozenset({"degrees_of_freedom"}),
    "dispersion": frozenset({"degrees_of_freedom"}),
    "dominance_one": frozenset({"share"}),
    "dominance_rest": frozenset({"share"}),
    "dominance_two": frozenset({"share"}),
    "dummy_units": frozenset({"units"}),
    "group_share": frozenset({"share"}),
    "percentile_units": frozenset({"median", "quartile", "decile", "p5", "p1"}),
    "small_units": frozenset({"units"}),
    "trajectory": frozenset({"rows"}),
}
# These decide between REVIEW and PASS: as a note they would let pass what nobody could judge.
_NEVER_NOTES = ("false_claim", "unknown_units", "unreproduced")


class OutputsPolicy(Document):
    """`outputs.yaml`: the rules of output checking with their thresholds."""

    thresholds: OutputThresholds
    rules: dict[str, OutputRule]

    @field_validator("rules")
    @classmethod
    def _all_of_them(cls, rules: dict[str, OutputRule]) -> dict[str, OutputRule]:
        if set(rules) != set(OUTPUT_RULES):
            names = ", ".join(sorted(set(rules) ^ set(OUTPUT_RULES)))
            raise bad_value(f"rules missing or unknown: {names}", f"règles absentes ou inconnues : {names}")
        for name, rule in rules.items():
            if set(rule.thresholds) != OUTPUT_RULES[name]:
                raise bad_value(f"{name} has other thresholds", f"{name} a d’autres seuils")
            if any(word.startswith("share") and value > 1 for word, value in rule.thresholds.items()):
                raise bad_value(f"a share of {name} is above 1", f"une part de {name} dépasse 1")
        if any(rules[name].severity == "note" for name in _NEVER_NOTES):
            words = ", ".join(_NEVER_NOTES)
            raise bad_value(f"never a note: {words}", f"jamais une simple note : {words}")
        return rules


ConditionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Condition(Sparse):
    """A document that must be recorded: once, per institution, or per researcher."""

    title: Text
    per: Literal["project", "institution", "person"]
    valid_months: int | None = Field(default=None, ge=1, le=600)


class RequestKind(Document):
    """A legal ground for requests, with its conditions. `source` is the text that demands them.

    `open_data`: only for sources whose dictionary says `access: open`. Such a kind may have no conditions, an
    admin may provision its projects without a request, and `red_report: show` lets its extracts be made
    whatever the risk report says: anyone may have the same data. All others wait for a decision (`decide`).
    """

    title: Text
    source: str = Field(min_length=1)
    open_data: bool = False
    red_report: Literal["decide", "show"] = "decide"
    conditions: dict[ConditionName, Condition]

    @property
    def without_request(self) -> bool:
        """Whether an admin may make projects of this kind directly: nothing is to be recorded or decided."""
        return self.open_data and not self.conditions and self.red_report == "show"

    @model_validator(mode="after")
    def _only_open_data_goes_without(self) -> RequestKind:
        if not self.open_data and (not self.conditions or self.red_report != "decide"):
            raise bad_value(
                "only a kind with open_data: true has no conditions, or does not wait for a decision",
                "seul un type avec open_data: true est sans conditions ou n’attend pas de décision",
            )
        return self


class ConditionsPolicy(Document):
    """`conditions.yaml`: what must be recorded before extraction, by the kind of the request."""

    kinds: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")], RequestKind] = Field(min_length=1)


class ShareLimits(Document):
    """Above `notice` amber, above `decide` red."""

    notice: Annotated[float, Field(ge=0, le=1)]
    decide: Annotated[float, Field(ge=0, le=1)]

    @model_validator(mode="after")
    def _in_order(self) -> ShareLimits:
        if self.decide < self.notice:
            raise bad_value("decide is below notice", "decide est inférieur à notice")
        return self


class SizeLimits(Document):
    """Below `notice` amber, below `decide` red."""

    notice: int = Field(ge=1)
    decide: int = Field(ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> SizeLimits:
        if self.decide > self.notice:
            raise bad_value("decide is above notice", "decide est supérieur à notice")
        return self


class RiskThresholds(Document):
    """Limits of the risk report (hub.extraction.risks)."""

    k: int = Field(ge=2)
    below_k_share: ShareLimits
    population_k: SizeLimits
    l: SizeLimits  # noqa: E741  # l-diversity is called so
    household_uniques: ShareLimits
    employer_size: SizeLimits
    trajectory_points: tuple[Annotated[int, Field(ge=1, le=24)], ...] = Field(min_length=1, max_length=8)
    trajectory_unicity: ShareLimits


class AreaLimits(Document):
    """How many areas and units a combination of an undelivered area's attributes must stand for."""

    min_areas: int = Field(ge=2)
    min_units: int = Field(ge=10)


class RisksPolicy(Document):
    """`risks.yaml`: the limits of the risk report, and of attributes of areas that are not delivered."""

    thresholds: RiskThresholds
    areas: AreaLimits


POLICY_FILES: dict[str, type[Document]] = {
    "conditions.yaml": ConditionsPolicy,
    "outputs.yaml": OutputsPolicy,
    "review.yaml": ReviewPolicy,
    "risks.yaml": RisksPolicy,
    "roles.yaml": RolesPolicy,
    "submissions.yaml": SubmissionsPolicy,
    "tiers.yaml": TiersPolicy,
}


@dataclass(frozen=True)
class Policies:
    """All rules in force, and the SHA-256 over their files that is stamped on what they decided."""

    conditions: ConditionsPolicy
    outputs: OutputsPolicy
    review: ReviewPolicy
    risks: RisksPolicy
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
        conditions=parse(ConditionsPolicy, texts["conditions.yaml"], name="conditions.yaml"),
        outputs=parse(OutputsPolicy, texts["outputs.yaml"], name="outputs.yaml"),
        review=parse(ReviewPolicy, texts["review.yaml"], name="review.yaml"),
        risks=parse(RisksPolicy, texts["risks.yaml"], name="risks.yaml"),
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

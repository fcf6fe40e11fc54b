"""The numbers the rules use, and the bounds within which a file is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hub.checks.findings import Severity

if TYPE_CHECKING:  # the child reads no YAML, so it does not load the models either
    from hub.documents.policies import OutputsPolicy

# What holds where the caller brings no policy: the numbers of the guidelines named in policies/outputs.yaml.
_LIMITS: Mapping[str, float] = MappingProxyType(
    {
        "group_share.share": 0.90,
        "dominance_one.share": 0.50,
        "dominance_two.share": 0.67,
        "dominance_rest.share": 0.10,
        "percentile_units.median": 20,
        "percentile_units.quartile": 40,
        "percentile_units.decile": 80,
        "percentile_units.p5": 200,
        "percentile_units.p1": 400,
        "dispersion.degrees_of_freedom": 10,
        "degrees_of_freedom.degrees_of_freedom": 10,
        "dummy_units.units": 10,
        "trajectory.rows": 3,
    }
)
_SEVERITIES: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        ("empty_cell", "population_share", "binary_mean", "suppressed_margins", "instance_model", "unit_plot",
         "transition", "map", "same_value", "rounded_small", "unknown_units", "unreproduced",
         "missing_context"),
        "REVIEW",
    )
    | {"share_without_base": "NOTE"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Numbers of `policies/outputs.yaml`, plus bounds of the engine.

    The first two are policy and have no default. `min_units`: fewer persons than this behind a cell is
    too few. `row_level_min_rows`, with `row_level_min_columns`: that many rows agreeing on that many columns
    with the extract are a copy of it.
    """

    min_units: int
    row_level_min_rows: int
    row_level_min_columns: int = 3
    max_bytes: int = 16_000_000
    max_columns: int = 1_000
    max_rows: int = 5_000
    max_cells: int = 2_000_000
    max_cell_characters: int = 10_000
    max_pixels: int = 25_000_000
    max_findings: int = 50
    limits: Mapping[str, float] = field(default_factory=lambda: dict(_LIMITS))
    severities: Mapping[str, str] = field(default_factory=lambda: dict(_SEVERITIES))

    def __post_init__(self) -> None:
        """Refuse a number that would switch a rule off."""
        if set(self.limits) < set(_LIMITS) or any(not value > 0 for value in self.limits.values()):
            raise ValueError("a limit is missing or not above 0")
        if not set(self.severities.values()) <= {one.value for one in Severity}:
            raise ValueError("an unknown severity")
        for name in (one.name for one in fields(self) if one.name not in ("limits", "severities")):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"threshold {name} must be a whole number above 0")
        if self.row_level_min_columns < 2:
            raise ValueError("row_level_min_columns must be at least 2")

    def limit(self, rule: str, name: str) -> float:
        """A number of a rule."""
        return self.limits[f"{rule}.{name}"]

    def severity(self, rule: str) -> Severity:
        """What breaking a rule means; a rule without a word of its own blocks."""
        return Severity(self.severities.get(rule, "BLOCK"))

    def to_json(self) -> dict[str, Any]:
        """Name → number, with the limits and severities of the rules."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**found, "limits": dict(self.limits), "severities": dict(self.severities)}

    @classmethod
    def of(cls, policy: OutputsPolicy, *, max_bytes: int) -> Thresholds:
        """The numbers of `policies/outputs.yaml`; `max_bytes` is that of `policies/submissions.yaml`."""
        return cls(
            min_units=int(policy.rules["small_units"].thresholds["units"]),
            row_level_min_rows=policy.thresholds.row_level_rows,
            max_rows=policy.thresholds.max_table_rows,
            max_bytes=max_bytes,
            limits={
                f"{name}.{word}": value
                for name, rule in policy.rules.items()
                for word, value in rule.thresholds.items()
            },
            severities={name: rule.severity.upper() for name, rule in policy.rules.items()},
        )

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Thresholds:
        """The inverse of `to_json`; raises TypeError or ValueError on anything unexpected."""
        return cls(**raw)

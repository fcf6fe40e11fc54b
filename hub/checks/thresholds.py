"""The numbers the rules use, and the bounds within which a file is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the child reads no YAML, so it does not load the models either
    from hub.documents.policies import OutputThresholds


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

    def __post_init__(self) -> None:
        """Refuse a number that would switch a rule off."""
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"threshold {name} must be a whole number above 0")
        if self.row_level_min_columns < 2:
            raise ValueError("row_level_min_columns must be at least 2")

    def to_json(self) -> dict[str, int]:
        """Name → number."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def of(cls, policy: OutputThresholds, *, max_bytes: int) -> Thresholds:
        """The numbers of `policies/outputs.yaml`; `max_bytes` is that of `policies/submissions.yaml`."""
        return cls(
            min_units=policy.min_units,
            row_level_min_rows=policy.row_level_rows,
            max_rows=policy.max_table_rows,
            max_bytes=max_bytes,
        )

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Thresholds:
        """The inverse of `to_json`; raises TypeError or ValueError on anything unexpected."""
        return cls(**raw)

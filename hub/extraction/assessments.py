"""What an extract would contain, counted without delivering anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from hub.documents.classes import NO_SCHEMES, ClassSchemes
from hub.documents.policies import AreaLimits, RiskThresholds
from hub.domain.errors import Refused
from hub.extraction.deliveries import prepare
from hub.extraction.exposures import delivered_tables
from hub.extraction.extracts import Progress
from hub.extraction.keys import sample_key
from hub.extraction.planning import judge_again
from hub.extraction.plans import ExtractPlan
from hub.extraction.risks import RiskReport, risk_report
from hub.extraction.sources import Sources, require_unchanged
from hub.extraction.tables import translated


@dataclass(frozen=True)
class PopulationSize:
    """How many units were drawn, of how many."""

    drawn: int
    of: int


@dataclass(frozen=True)
class Assessment:
    """Rows per dataset, units per population, and what the tables would reveal."""

    rows: dict[str, int]
    populations: dict[str, PopulationSize]
    report: RiskReport


def assess(
    plan: ExtractPlan,
    *,
    warehouse: Path,
    master_key: bytes,
    thresholds: RiskThresholds,
    schemes: ClassSchemes = NO_SCHEMES,
    areas: AreaLimits | None = None,
    progress: Progress | None = None,
) -> Assessment:
    """Make the tables of `plan`, count and measure them; nothing is written. The same refusals as `extract`.

    `progress` is called with a stage (verify, pseudonyms, count, risks, done) and the share done.
    """
    report: Progress = progress if progress is not None else lambda _stage, _share: None
    report("verify", 0.0)
    sources: Sources = {}
    try:
        sources = judge_again(plan, warehouse=warehouse, schemes=schemes, areas=areas)
        report("pseudonyms", 0.1)
        delivery = prepare(plan, sources, schemes, master_key=master_key)
        report("count", 0.5)
        rows = {
            name: int(table.select(pl.len()).collect(engine="streaming").item())
            for name, table in delivery.rows.items()
        }
        report("risks", 0.6)
        risks = risk_report(
            delivered_tables(delivery, rows),
            thresholds,
            seed=sample_key(master_key, plan.project, "risk report"),
        )
        require_unchanged(sources)
    except (OSError, PolarsError, Refused) as error:
        require_unchanged(sources)  # whatever it looked like, that then is why
        if isinstance(error, Refused):
            raise
        raise translated(error) from None
    report("done", 1.0)
    return Assessment(
        rows=rows,
        populations={name: PopulationSize(one.drawn, one.of) for name, one in delivery.chosen.items()},
        report=risks,
    )

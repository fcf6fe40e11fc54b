"""The risk report that is made before an extract is delivered."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from hub.documents.policies import RiskThresholds
from hub.extraction import risk_sentences as sentences
from hub.extraction.risk_measures import (
    employer_measure,
    household_measure,
    people_measures,
    trajectory_measure,
)
from hub.extraction.risk_pictures import pictures
from hub.extraction.risk_reports import Light, Measure, MeasureId, RiskReport, worst
from hub.extraction.risk_tables import DeliveredTable

__all__ = ["DeliveredTable", "Light", "Measure", "MeasureId", "RiskReport", "pictures", "risk_report"]


def risk_report(tables: Sequence[DeliveredTable], thresholds: RiskThresholds, *, seed: bytes) -> RiskReport:
    """What the tables, as they would be delivered, say about people, households and employers.

    The same tables, thresholds and seed give the same report, whatever the order of the rows. Each table
    is measured by itself: two tables that share a person should be handed in joined. A table to which no
    measure applies is amber. Memory grows with the people of a table, not with its rows.
    """
    if not tables:
        raise ValueError("nothing is delivered: there is nothing to report")
    measures = [measure for table in tables for measure in _measures(table, thresholds, seed)]
    light = worst([measure.light for measure in measures])
    return RiskReport(light=light, k=thresholds.k, measures=tuple(measures))


def _measures(table: DeliveredTable, thresholds: RiskThresholds, seed: bytes) -> list[Measure]:
    found: list[Measure] = []
    if table.quasi_identifiers:
        found += people_measures(table, thresholds)
    if table.household is not None:
        found.append(household_measure(table, table.household, thresholds))
    if table.employer is not None:
        found.append(employer_measure(table, table.employer, thresholds))
    own = hashlib.sha256(seed + b"\x00" + table.name.encode()).digest()
    if table.trajectory:
        found.append(trajectory_measure(MeasureId.TRAJECTORIES, table, table.trajectory, thresholds, own))
    if table.characteristics:
        names = table.characteristics
        found.append(trajectory_measure(MeasureId.CHARACTERISTICS, table, names, thresholds, own))
    return found or [_unmeasured(table)]


def _unmeasured(table: DeliveredTable) -> Measure:
    return Measure(
        id=MeasureId.UNMEASURED,
        table=table.name,
        unit="person",
        units=0,
        kind="share",
        figure=None,
        notice=None,
        decide=None,
        light=Light.AMBER,
        meaning=sentences.unmeasured(),
        advice=sentences.ADVICE[MeasureId.UNMEASURED],
    )

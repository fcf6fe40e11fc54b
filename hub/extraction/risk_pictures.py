"""Pictures of a risk report."""

from __future__ import annotations

from hub.extraction.risk_reports import RiskReport


def pictures(report: RiskReport, language: str) -> dict[str, str]:
    """Name → SVG."""
    del report, language
    return {}

"""What a submission's form must say before anybody can judge its files."""

from __future__ import annotations

from collections.abc import Mapping

from hub.checks.findings import Finding, Severity
from hub.checks.sentences import finding

# Without these a checker cannot judge. The French name is the label of the portal's form.
CONTEXT_FIELDS: Mapping[str, tuple[str, str]] = {
    "what": ("ce que c’est", "what it is"),
    "population": ("la population", "the population"),
    "variables": ("les variables", "the variables"),
    "counts": ("les effectifs non pondérés", "the unweighted counts"),
    "purpose": ("l’usage prévu", "the purpose"),
}


def find_missing_context(form: Mapping[str, str], severity: Severity = Severity.REVIEW) -> list[Finding]:
    """A finding for each field of the form without which nobody can judge; `severity` as the policy says."""
    return [
        finding(
            "missing_context",
            severity,
            words={"field": french},
            field=english,
            evidence={"name": name},
        )
        for name, (french, english) in CONTEXT_FIELDS.items()
        if not str(form.get(name, "")).strip()
    ]

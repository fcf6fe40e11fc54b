"""Output checks: bytes and rules (and the extract) → findings; and a file as a checker may safely see it.

The doors: `check_in_subprocess` and `render_in_subprocess`. `hub.checks.engine.run_checks` and
`hub.checks.renderings.render` are the same in this process, for tests and the child.
"""

from hub.checks.confinement import Limits, check_in_subprocess, render_in_subprocess
from hub.checks.findings import (
    Finding,
    Place,
    Report,
    Severity,
    UnreadableReport,
    Verdict,
    dump_report,
    load_report,
    report_from_json,
)
from hub.checks.sentences import place_in_words
from hub.checks.thresholds import Thresholds

__all__ = [
    "Finding",
    "Limits",
    "Place",
    "Report",
    "Severity",
    "Thresholds",
    "UnreadableReport",
    "Verdict",
    "check_in_subprocess",
    "dump_report",
    "load_report",
    "place_in_words",
    "render_in_subprocess",
    "report_from_json",
]

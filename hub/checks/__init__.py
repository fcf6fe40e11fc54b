"""Output checks: bytes and rules (and the extract) → findings; and a file as a checker may safely see it.

The doors: `rewrite_in_subprocess` (what may leave of a file), `check_in_subprocess` (what the rules say of
it) and `render_in_subprocess`. `hub.checks.canonical.take_in`, `hub.checks.engine.run_checks` and
`hub.checks.renderings.render` are the same in this process, for tests and the child.
"""

from hub.checks.comparing import compare_in_subprocess, relate_in_subprocess
from hub.checks.confinement import (
    Limits,
    add_changes,
    advice_on,
    check_in_subprocess,
    refused_report,
    render_in_subprocess,
    rewrite_in_subprocess,
)
from hub.checks.context import find_missing_context
from hub.checks.findings import (
    Finding,
    Place,
    Report,
    Severity,
    UnreadableReport,
    Verdict,
    dump_report,
    finding_from_json,
    load_report,
    report_from_json,
)
from hub.checks.reading import PdfPage, read_page_in_subprocess
from hub.checks.rewriting import Canonical, Part, doubts_of
from hub.checks.sentences import place_in_words
from hub.checks.thresholds import Thresholds

__all__ = [
    "Canonical",
    "Finding",
    "Limits",
    "Part",
    "PdfPage",
    "Place",
    "Report",
    "Severity",
    "Thresholds",
    "UnreadableReport",
    "Verdict",
    "add_changes",
    "advice_on",
    "check_in_subprocess",
    "compare_in_subprocess",
    "doubts_of",
    "dump_report",
    "find_missing_context",
    "finding_from_json",
    "load_report",
    "place_in_words",
    "read_page_in_subprocess",
    "refused_report",
    "relate_in_subprocess",
    "render_in_subprocess",
    "report_from_json",
    "rewrite_in_subprocess",
]

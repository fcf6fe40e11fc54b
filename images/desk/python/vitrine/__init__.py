"""The extract, and results that say what they are: `import vitrine` in a desk.

`read_extract` reads the extract; `table` and `regression` write a file and, beside it, the declaration from
which the platform makes the same numbers again; `suppress`, `round_to`, `merge` and `drop_extremes` mend a
table, which `written` takes up again from its declaration. Courtesy to the researcher: what leaves is decided
by the platform's own checks and by people.
"""

from __future__ import annotations

from .extracts import extract_tables, read_extract
from .mendings import written
from .mitigations import drop_extremes, merge, round_to, suppress
from .regressions import regression
from .tables import Table, table
from .words import BadArgument, NotDeclarable

__all__ = [
    "BadArgument", "NotDeclarable", "Table", "drop_extremes", "extract_tables", "merge", "read_extract",
    "regression", "round_to", "suppress", "table", "written",
]  # fmt: skip

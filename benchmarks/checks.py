"""How well the output checks judge: files drawn from real panels, safe and unsafe kinds, many variants each.

Reports per kind the verdicts, then unsafe→PASS, BLOCK precision and recall, safe→PASS without and with a
declaration, and seconds per file (median, p95; columns stay read between the files unless `--confined`,
which judges each file in a child of its own, as `vitrine check` does, or `--indexed`, the same with an index
of the extract, as the portal does). Last line: one JSON object.
Exit 1 when an unsafe file passed.

ACRO is asked for the outputs that it can make, on the same rows (`--no-acro`: it is not).
`--rows N` scales the panels to N rows: at many rows draw few variants, for drawing is slower than judging.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.output_checks.acro import NOT_COMPARED, Comparison, python_of_acro
from benchmarks.output_checks.beside import SAFE_BESIDE, UNSAFE_BESIDE
from benchmarks.output_checks.by_pandas import SAFE_BY_PANDAS
from benchmarks.output_checks.cases import Case, Draw, Make, written
from benchmarks.output_checks.leaks import UNSAFE_BY_PANDAS
from benchmarks.output_checks.models import SAFE_MODELS, UNSAFE_MODELS
from benchmarks.output_checks.panels import Panel, real_panels, scaled_panel
from benchmarks.output_checks.queries import SAFE_QUERIES, UNSAFE_QUERIES, drawn_query
from benchmarks.output_checks.safe import SAFE as DRAWN_SAFE
from benchmarks.output_checks.unsafe import UNSAFE as DRAWN_UNSAFE
from hub.checks import Thresholds, check_in_subprocess
from hub.checks.engine import run_checks
from hub.checks.prepared import Indexes
from hub.commands.checks import LIMITS, read_thresholds
from hub.documents.outputs import Declaration

ROOT = Path(__file__).resolve().parents[1]
_TRIES = 12
SAFE = {**DRAWN_SAFE, **SAFE_BY_PANDAS, **SAFE_MODELS, **SAFE_BESIDE}
UNSAFE = {**DRAWN_UNSAFE, **UNSAFE_BY_PANDAS, **UNSAFE_MODELS, **UNSAFE_BESIDE}


def cases(kind: str, make: Make, panel: Panel, variants: int, seed: int, *, unsafe: bool) -> list[Case]:
    """Up to `variants` files of one kind from one panel; a panel may have none."""
    found: list[Case] = []
    for variant in range(variants):
        draw = Draw(panel, Random(f"{seed}/{kind}/{panel.name}/{variant}"))
        tries = _TRIES if panel.frame.height < 100_000 else 3
        table = next((one for one in (make(draw) for _ in range(tries)) if one is not None), None)
        if table is None:
            if variant >= 2 and not found:
                break
            continue
        found.append(written(kind, table, draw, unsafe=unsafe))
    return found


class Score:
    """Verdicts by kind, and seconds."""

    def __init__(
        self, thresholds: Thresholds, *, confined: bool = False, indexes: Indexes | None = None
    ) -> None:
        self.thresholds = thresholds
        self.confined = confined
        self.indexes = indexes
        self.verdicts: dict[tuple[str, bool, bool], Counter[str]] = defaultdict(Counter)
        self.seconds: list[float] = []
        self.slowest: dict[tuple[str, bool, bool], float] = defaultdict(float)
        self.passed: list[str] = []

    def judge(self, case: Case, panel: Panel, directory: Path, *, declared: bool) -> str | None:
        """The verdict on one file; `declared`: with what an honest researcher would declare, if anything."""
        file = directory / "file"
        file.write_bytes(case.content)
        declaration = None
        if declared:
            if case.declaration is None:
                return None
            declaration = Declaration.model_validate_json(json.dumps(case.declaration))
        index = None
        if self.indexes is not None:
            index = self.indexes.made(panel.directory, panel.directory.name, dict(panel.units))
        start = time.perf_counter()
        asked = {
            "name": case.name, "form": None, "extract": panel.directory, "thresholds": self.thresholds,
            "units": panel.units, "declaration": declaration,
        }  # fmt: skip
        if self.confined or index is not None:
            report = check_in_subprocess(file, **asked, limits=LIMITS, index=index)
        else:
            report = run_checks(file, **asked, with_units=False)
        self.seconds.append(time.perf_counter() - start)
        key = (case.kind, case.unsafe, declared)
        self.slowest[key] = max(self.slowest[key], self.seconds[-1])
        self.verdicts[key][report.verdict.value] += 1
        if case.unsafe and report.verdict.value == "PASS":
            self.passed.append(f"{case.kind} ({panel.name}, {case.name})")
            print(f"UNSAFE PASSED: {case.kind}, {panel.name}\n{case.content[:600].decode(errors='replace')}")
        return report.verdict.value

    def total(self, *, unsafe: bool, declared: bool) -> Counter[str]:
        """Verdicts over all kinds."""
        found: Counter[str] = Counter()
        for (_, one, said), verdicts in self.verdicts.items():
            if one == unsafe and said == declared:
                found.update(verdicts)
        return found

    def summary(self) -> dict[str, object]:
        """The figures of the last line."""
        unsafe, safe = (self.total(unsafe=one, declared=False) for one in (True, False))
        said_safe, said_unsafe = (self.total(unsafe=one, declared=True) for one in (False, True))
        blocked = unsafe["BLOCK"] + safe["BLOCK"]
        # Mixed: a kind counts with its declarations, and without where none can be written.
        kinds = {kind for kind, one, said in self.verdicts if said and not one}
        others = Counter[str]()
        for (kind, one, said), verdicts in self.verdicts.items():
            if not one and not said and kind not in kinds:
                others.update(verdicts)
        mixed = said_safe + others
        seconds = sorted(self.seconds)
        return {
            "unsafe": unsafe.total(),
            "safe": safe.total(),
            "unsafe_passed": unsafe["PASS"] + said_unsafe["PASS"],
            "unsafe_declared": said_unsafe.total(),
            "block_precision": _share(unsafe["BLOCK"], blocked),
            "block_recall": _share(unsafe["BLOCK"], unsafe.total()),
            "block_recall_declared": _share(said_unsafe["BLOCK"], said_unsafe.total()),
            "safe_passed": _share(safe["PASS"], safe.total()),
            "safe_passed_declared": _share(said_safe["PASS"], said_safe.total()),
            "safe_declared": said_safe.total(),
            "safe_passed_with_declarations_where_possible": _share(mixed["PASS"], mixed.total()),
            "seconds_median": round(seconds[len(seconds) // 2], 3) if seconds else None,
            "seconds_p95": round(seconds[int(len(seconds) * 0.95)], 3) if seconds else None,
            "load_average": [round(one, 1) for one in os.getloadavg()],
        }

    def table(self) -> str:
        """One line per kind."""
        lines = [f"{'kind':42}{'':8}{'decl.':6}{'PASS':>6}{'REVIEW':>8}{'BLOCK':>7}{'slowest':>9}"]
        for (kind, unsafe, said), verdicts in sorted(
            self.verdicts.items(), key=lambda one: (one[0][1], one[0])
        ):
            lines.append(
                f"{kind:42}{'unsafe' if unsafe else 'safe':8}{'yes' if said else 'no':6}"
                f"{verdicts['PASS']:6}{verdicts['REVIEW']:8}{verdicts['BLOCK']:7}"
                f"{self.slowest[kind, unsafe, said]:9.2f}"
            )
        return "\n".join(lines)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def compare(
    score: Score, comparison: Comparison, panel: Panel, scratch: Path, variants: int, seed: int
) -> None:
    """Judge the outputs that ACRO makes too, and keep the queries for it."""
    for unsafe, kinds in ((False, SAFE_QUERIES), (True, UNSAFE_QUERIES)):
        for kind, ask in kinds.items():
            for variant in range(variants):
                query = drawn_query(ask, panel, Random(f"{seed}/{kind}/{panel.name}/{variant}"))
                if query is None:
                    break
                name, content = query.printed()
                verdict = score.judge(Case(kind, unsafe, name, content), panel, scratch, declared=False)
                comparison.add(kind, query, verdict or "", unsafe=unsafe)


def main() -> int:
    """Draw, judge, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=10, help="files per kind and panel")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--panels", nargs="*", default=["nlswork", "cps", "wagepan"])
    parser.add_argument("--var", type=Path, default=ROOT / "var" / "bench")
    parser.add_argument("--rows", type=int, default=0, help="scale the panels to so many rows")
    parser.add_argument("--kinds", nargs="*", help="only these kinds")
    parser.add_argument("--confined", action="store_true", help="each file in a child, as vitrine check")
    parser.add_argument("--indexed", action="store_true", help="each file in a child, with an index")
    parser.add_argument("--no-acro", action="store_true", help="without ACRO's verdict on the same outputs")
    options = parser.parse_args()
    comparison = Comparison()
    indexes = Indexes(options.var / "indexes", os.urandom(32)) if options.indexed else None
    score = Score(read_thresholds(ROOT / "policies"), confined=options.confined, indexes=indexes)
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.panels:
            if options.rows:
                panel = scaled_panel(options.var, name, options.rows)
            else:
                (panel,) = real_panels(options.var, [name])
            drawn = [
                case
                for unsafe, kinds in ((False, SAFE), (True, UNSAFE))
                for kind, make in kinds.items()
                if not options.kinds or kind in options.kinds
                for case in cases(kind, make, panel, options.variants, options.seed, unsafe=unsafe)
            ]
            if not (options.no_acro or options.kinds or options.rows):
                compare(score, comparison, panel, Path(scratch), min(options.variants, 5), options.seed)
            panel = replace(panel, frame=panel.frame.head(0))  # the memory is the judge's from here on
            for case in drawn:
                for declared in (False, True):
                    score.judge(case, panel, Path(scratch), declared=declared)
            print(f"{panel.name}: {len(score.seconds)} files judged so far", file=sys.stderr)
    print(score.table())
    told: Mapping[str, int | None] = NOT_COMPARED
    if not (options.no_acro or options.kinds or options.rows):
        python = python_of_acro(options.var)
        if python is not None:
            comparison.ask(python)
            print(comparison.table())
            told = comparison.summary()
    print(json.dumps({**score.summary(), **told}))
    return 1 if score.passed else 0


if __name__ == "__main__":
    sys.exit(main())

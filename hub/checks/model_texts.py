"""The printed summaries of models in a file: which lines and tables they explain, and the rules for them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from hub.checks.contents import Contents, bounds_of
from hub.checks.findings import Finding, Place, Severity
from hub.checks.panels import Floats, Panel, fold
from hub.checks.r_prints import tables_in_text
from hub.checks.sentences import finding
from hub.checks.side_by_side import models_apart
from hub.checks.tables import Table, UnreadableTable
from hub.checks.terms import units_among
from hub.checks.thresholds import Thresholds

if TYPE_CHECKING:
    from hub.checks.printed_models import PrintedModel
    from hub.checks.regressions import Fitted
    from hub.checks.summaries import Summary
    from hub.documents.outputs import DeclaredRegression

# What every summary has: the head of its coefficients.
_HEAD = re.compile(
    r"\bcoef\b.{0,60}\bstd.{0,5}err|\bCoef\..{0,40}Std\.Err\.|Estimate\s+Std\. Error|\bg?lm\(formula = ",
    re.IGNORECASE,
)
_TEST = re.compile(r"t-test$|Chi-squared test\b|^Analysis of Variance Table$", re.MULTILINE)
_COEFFICIENTS = re.compile(r"^(?:coef\w*|estimates?|est|b|beta|2 5|0 025)$")
_MOST_MODELS = 30  # of a file; further ones stay unexplained
_MOST_TABLES = 10  # of coefficients
_Key = tuple[int | None, int | None]


@dataclass
class Explained:
    """`left`: the contents without the lines and tables that summaries explain; `tables`: these.
    `found`: whether a summary was made again, wholly or in part; `declared`: by the declaration."""

    left: Contents
    models: list[tuple[PrintedModel, Place]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    coefficients: list[tuple[Fitted, Floats, Table]] = field(default_factory=list)
    tests: list[tuple[Fitted, Floats, Place]] = field(default_factory=list)
    declared: bool = False

    @property
    def found(self) -> bool:
        return bool(self.models or self.coefficients or self.tests)

    def fitted(self) -> list[tuple[Fitted, Floats, Place]]:
        """Every model that was made again, with its outcome and where it stands."""
        printed = [(model.fitted, model.outcome, place) for model, place in self.models]
        tables = [(fitted, outcome, table.place) for fitted, outcome, table in self.coefficients]
        return [*printed, *tables, *self.tests]

    @property
    def complete(self) -> bool:
        """Whether every number of the summaries that were made again is right."""
        return all(model.complete for model, _ in self.models)


def explain_models(
    contents: Contents,
    panels: Sequence[Panel],
    declared: DeclaredRegression | None,
    thresholds: Thresholds,
) -> Explained:
    """Fit the models again that the file prints summaries of, and hold the rules against them."""
    explained = Explained(contents)
    if may_hold_models(contents):
        reader = Reader(explained, panels, declared, thresholds)
        reader.read_texts()
        reader.read_tables()
    if declared is None:
        Reader(explained, panels, None, thresholds).read_tests()
        _read_coefficients(explained, panels)
    if explained.found:
        explained.findings += _rules(explained, thresholds)
    return explained


def may_hold_models(contents: Contents) -> bool:
    """Whether a text or table has the head of a model's coefficients."""
    texts = [*(one.content for one in contents.printed), *map(_as_text, contents.tables)]
    return any(_HEAD.search(text) for text in texts)


def _read_coefficients(explained: Explained, panels: Sequence[Panel]) -> None:
    """Tables of coefficients that say no outcome."""
    tried = 0
    whole: list[Table] = []
    for table in explained.left.tables[:_MOST_TABLES]:
        parts = models_apart(table)
        names = [row[0] for part in parts for row in part.rows]
        models = [_fitted(part, panels) or _fitted(part, panels, names) for part in parts]
        if models and all(models):
            explained.coefficients += [(*found, table) for found in models if found is not None]
            whole.append(table)
    for table in explained.left.tables:
        headed = any(_COEFFICIENTS.match(fold(head)) for head in table.columns)
        if any(table is one for one in whole) or not headed:
            continue
        tried += 1
        if tried > _MOST_TABLES:
            break
        found = _fitted(table, panels)
        if found is not None:
            explained.coefficients.append((*found, table))
    done = [table for _, _, table in explained.coefficients]
    explained.tables += done
    kept = [table for table in explained.left.tables if not any(table is one for one in done)]
    explained.left = replace(explained.left, tables=kept)


def _fitted(
    table: Table, panels: Sequence[Panel], beside: Sequence[str] = ()
) -> tuple[Fitted, Floats] | None:
    """The model of a table of coefficients; None where it is another table, or no model makes it again."""
    from hub.checks.coefficient_tables import fit_coefficients, read_coefficients

    printed = read_coefficients(table)
    if printed is None:
        return None
    fits = (fit_coefficients(printed, panel, beside) for panel in panels)
    return next((fit for fit in fits if fit is not None), None)


def _as_text(table: Table) -> str:
    return "   ".join([*table.columns, *(cell for row in table.rows[:40] for cell in row)])


class Reader:
    """Takes the summaries out of `explained.left`, which it makes its own."""

    def __init__(
        self,
        explained: Explained,
        panels: Sequence[Panel],
        declared: DeclaredRegression | None,
        thresholds: Thresholds,
    ) -> None:
        left = explained.left
        explained.left = replace(left, tables=list(left.tables), printed=list(left.printed))
        self.explained = explained
        self.panels = panels
        self.declared = declared
        self.thresholds = thresholds
        self.fitted = 0
        self.foreign: set[tuple[str, ...]] = set()

    def read_texts(self) -> None:
        """Summaries in printed text: their lines go, and with them the tables that they looked like."""
        from hub.checks.summaries import find_summaries, plain_line, without

        left = self.explained.left
        for at, text in enumerate(left.printed):
            if not _HEAD.search(text.content):
                continue
            lines = text.content.splitlines()
            summaries = find_summaries([plain_line(line) for line in lines])
            read = self.explain(summaries, text.place)
            if read:
                rest = without(lines, read)
                self._forget(text.content, rest, text.place)
                left.printed[at] = replace(text, content=rest)

    def _forget(self, before: str, after: str, place: Place) -> None:
        """Take away the tables of a text that its rest no longer has."""
        left = self.explained.left
        gone = Counter(map(_content, self._printed(before, place)))
        gone.subtract(Counter(map(_content, self._printed(after, place))))
        kept, whole = [], []
        for table in left.tables:
            if _key(table.place) == _key(place) and gone[_content(table)] > 0:
                gone[_content(table)] -= 1
                whole.append(table)
            else:
                kept.append(table)
        # A table of which some lines are left is none that was there before; what was found in it stays.
        held = Counter(_content(one) for one in kept)
        parts = [table for table in self._printed(after, place) if held[_content(table)] == 0]
        left.tables[:] = [*kept, *parts]
        self.explained.tables += whole if not parts else []

    def _printed(self, text: str, place: Place) -> list[Table]:
        try:
            return tables_in_text(text, bounds_of(self.thresholds), place)
        except UnreadableTable:
            return []

    def read_tests(self) -> None:
        """Tests of hypotheses in printed text, as R writes them; their lines go as those of summaries do."""
        left = self.explained.left
        for at, text in enumerate(left.printed):
            if not _TEST.search(text.content):
                continue
            from hub.checks.printed_tests import find_tests, lines_of

            lines = text.content.splitlines()
            tests = find_tests(lines, self.panels, self.thresholds.min_units)
            for number in lines_of(tests):
                lines[number] = ""
            if tests:
                rest = "\n".join(lines)
                self._forget(text.content, rest, text.place)
                left.printed[at] = replace(text, content=rest)
                self.explained.tests += [(*one, text.place) for test in tests for one in test.models]

    def read_tables(self) -> None:
        """Summaries in tables that are no text: of a page, a CSV file, a workbook."""
        for key in dict.fromkeys(_key(table.place) for table in self.explained.left.tables):
            self._read_tables_of(key)

    def _read_tables_of(self, key: _Key) -> None:
        from hub.checks.summaries import find_summaries, row_line

        left = self.explained.left
        tables = [table for table in left.tables if _key(table.place) == key]
        lines: list[str] = []
        owners: list[int] = []
        for number, table in enumerate(tables):
            heads = [one.replace(" / ", "   ") for one in table.columns] if table.headed else []
            lines += [row_line(row) for row in (heads, *table.rows)]
            owners += [number] * (1 + len(table.rows))
        if not any(_HEAD.search(line) for line in lines):
            return
        # The notes of a page stand in its text.
        texts = [at for at, text in enumerate(left.printed) if _key(text.place) == key]
        for at in texts:
            beside = left.printed[at].content.splitlines()
            lines += beside
            owners += [-1 - at] * len(beside)
        read = self.explain(find_summaries(lines), tables[0].place)
        for at in texts:
            own = [place for place, owner in enumerate(owners) if owner == -1 - at and place not in read]
            left.printed[at] = replace(left.printed[at], content="\n".join(lines[place] for place in own))
        for number, table in enumerate(tables):
            own = [place for place, owner in enumerate(owners) if owner == number]
            if read and all(place in read or not re.search(r"\d", lines[place]) for place in own):
                left.tables.remove(table)
                self.explained.tables.append(table)

    def explain(self, summaries: Sequence[Summary], place: Place) -> set[int]:
        """The lines that are wholly made again."""
        read: set[int] = set()
        for summary in summaries:
            if self.fitted >= _MOST_MODELS:
                break
            self.fitted += 1
            model = self._fit(summary, place)
            if model is None:
                continue
            self.explained.models.append((model, place))
            read |= model.lines
            if model.wrong:
                severity, count = self.thresholds.severity("unreproduced"), len(model.wrong)
                told = list(dict.fromkeys(model.wrong))[:20]
                labels, evidence = ", ".join(told[:6]), {"labels": told}
                self.explained.findings.append(
                    finding(
                        "model_numbers", severity, place, cells=count, labels=labels[:200], evidence=evidence
                    )
                )
        return read

    def _fit(self, summary: Summary, place: Place) -> PrintedModel | None:
        from hub.checks.declared import UnreadableClaim
        from hub.checks.printed_models import fit_printed

        if self.declared is not None:
            try:
                model = fit_printed(summary, self.panels, self.declared)
            except UnreadableClaim as error:
                # It is of the first summary, and of the same in other forms; further ones may be others.
                if not self.explained.declared:
                    problem = str(error)[:120]
                    self.explained.findings.append(
                        finding("unread_claim", Severity.REVIEW, place, problem=problem)
                    )
            else:
                self.explained.declared = True
                return model
        key = tuple(text for one in summary.coefficients for text in (one.term, *one.cells.values()))
        if key in self.foreign:  # a notebook prints the same as text and as a table
            return None
        try:
            return fit_printed(summary, self.panels)
        except UnreadableClaim:
            self.foreign.add(key)
            return None


def _key(place: Place) -> _Key:
    return place.cell, place.output


def _content(table: Table) -> tuple[tuple[str, ...], ...]:
    return (tuple(table.columns), *(tuple(row) for row in table.rows))


def _rules(explained: Explained, thresholds: Thresholds) -> Iterator[Finding]:
    from hub.checks.models import find_in_fitted

    models = explained.fitted()
    for fitted, outcome, place in models:
        yield from find_in_fitted(fitted, outcome, place, thresholds)
        if not fitted.panel.units:
            yield finding("unknown_units", thresholds.severity("unknown_units"), place)
    for (one, _, _), (two, _, place) in combinations(models, 2):
        if one.panel is not two.panel:
            continue
        least = _difference(one, two)
        if least is not None and least < thresholds.min_units:
            severity = thresholds.severity("differing_populations")
            evidence = {"units": least}
            yield finding(
                "differing_populations", severity, place, limit=thresholds.min_units, evidence=evidence
            )


def _difference(one: Fitted, two: Fitted) -> int | None:
    """The fewest units in one estimation and not in the other; None where both are of the same rows."""
    panel = one.panel
    found = []
    for first, second in ((one, two), (two, one)):
        rows = np.setdiff1d(first.rows, second.rows, assume_unique=True)
        if rows.size:
            found += [units_among(panel.unit(kind)[0][rows]) for kind in panel.units]
    return min(found, default=None)

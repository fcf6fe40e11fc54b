"""Which numbers of a file the extract explains, what the rules say of them, and whether anything is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.checks.arithmetic import follows, left_columns, without
from hub.checks.beside import Said, find_beside, find_in_texts
from hub.checks.cells import Cell
from hub.checks.contents import Contents
from hub.checks.cross_tables import find_in_cross_table
from hub.checks.derived_columns import derived
from hub.checks.disclosure import Judge
from hub.checks.edges import find_unexplained_edges
from hub.checks.estimation_samples import sample_of
from hub.checks.explanations import Recomputed, best_of
from hub.checks.extremes_in_texts import find_extremes_in_texts
from hub.checks.findings import Finding, Place, Severity
from hub.checks.heads import find_in_heads, find_in_model_heads
from hub.checks.hidden_parts import find_hidden_part
from hub.checks.linked import find_linked
from hub.checks.model_texts import Explained, explain_models
from hub.checks.ones import as_counts
from hub.checks.panels import Panel, open_panels
from hub.checks.plain_heads import find_outright
from hub.checks.populations import differing_pairs
from hub.checks.recompute import Search
from hub.checks.remainders import COUNTS
from hub.checks.runs import taken
from hub.checks.sentences import finding
from hub.checks.sequences import Sequences, explain_by_rows
from hub.checks.shapes import find_in_shape, find_nearly_equal, find_units_in_text, find_units_named
from hub.checks.shown_models import shown_models
from hub.checks.tables import Table, number_of
from hub.checks.terms import find_in_summary, find_in_terms, units_among
from hub.checks.thresholds import Thresholds
from hub.checks.traces import find_residuals, find_twins
from hub.checks.transitions import Moves, named_as_moves, state_of, without_stays
from hub.checks.unit_numbers import find_unit_numbers
from hub.checks.unit_rows import find_unit_rows

if TYPE_CHECKING:  # most files have no declaration; then the models of documents are not loaded
    from hub.documents.outputs import Declaration, DeclaredRegression

_MAX_TABLES = 40
_MAX_CELLS_TOLD = 2_000

# What the numbers of a table look like alone; of a model's summary each of them was made again.
_OF_NUMBERS = frozenset(
    {"small_integer", "unit_like", "row_level", "column_copy", "order_statistic", "ragged", "formula"}
)


@dataclass
class Judgement:
    """What recomputation says of a file. `reproduced`: every number of it was made again. `doubted`: heads
    of a model say more than they should."""

    findings: list[Finding] = field(default_factory=list)
    explained: list[tuple[Recomputed, Table]] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    samples: list[Cell] = field(default_factory=list)  # of models
    declared: list[Place] = field(default_factory=list)
    summaries: list[Table] = field(default_factory=list)
    reproduced: bool = False
    doubted: bool = False
    with_units: bool = True

    def kept(self, findings: Sequence[Finding]) -> list[Finding]:
        """`findings` of the rules that only look at the file, without those that the extract answered."""
        return [one for one in findings if not self._answered(one)]

    def _answered(self, one: Finding) -> bool:
        if one.rule in ("small_integer", "unit_like") and one.place.is_in_any(self.declared):
            return True
        of_models = [table.place for table in self.summaries]
        if one.rule in _OF_NUMBERS and one.place.is_in_any(of_models):
            return True
        table = next((pair for pair in self.explained if one.place.is_in_any([pair[1].place])), None)
        if table is None:
            return False
        found = table[0]
        if one.rule in ("row_level", "column_copy", "order_statistic", "unit_like") and found.complete:
            return not self._of_single_units(table[1])
        if one.rule == "not_a_number":  # an empty group is printed so
            return found.complete
        columns = found.statistics()
        if one.rule in ("small_integer", "unit_like", "order_statistic"):
            return one.place.column in columns or one.place.column in found.layout.labels
        if one.rule == "small_count":
            # A count by its head that is a mean of small numbers; small counts keep their finding.
            return columns.get(one.place.column) not in (None, *COUNTS)
        return False

    def _of_single_units(self, table: Table) -> bool:
        """Whether most groups of an explained table are single units: then the groups are the rows."""
        persons = [cell.persons for cell in self.cells if cell.place == table.place]
        return sum(one == 1 for one in persons) * 2 > len(persons)

    def told(self) -> list[dict[str, Any]]:
        """The cells as a checker sees them beside the table: without the units themselves."""
        return [
            {name: value for name, value in cell.to_json().items() if name != "held"}
            for cell in self.cells[:_MAX_CELLS_TOLD]
        ]


def judge(
    contents: Contents,
    directory: Path,
    *,
    units: Mapping[str, str] | None,
    context: str,
    thresholds: Thresholds,
    declaration: Declaration | None = None,
    proven: Sequence[Place] = (),
    with_units: bool = True,
) -> Judgement:
    """Explain every table of a file by the extract and hold the rules against it. `proven`: places of tables
    that are already known to be rows of the extract; where nothing explains them, that is not proven twice.
    `with_units`: the cells have their sets of units, though no table of the file needs another's.

    Raises UnreadableExtract. Anything left unexplained is one finding per table, `unreproduced`. A
    declaration is of the first table; where it cannot be applied the file is judged without it.
    """
    _, panels = open_panels(directory, units)
    judgement = Judgement(with_units=with_units or len(contents.tables) > 1)
    searches = [Search(panel, f"{context} {contents.titles()}") for panel in panels]
    models = _judge_models(judgement, contents, declaration, panels, thresholds)
    declaration = None if models.declared else declaration
    whole, contents = contents, models.left
    in_summaries = shown_models(whole, thresholds)[0]
    shown = replace(contents, tables=[*contents.tables, *(table for _, _, table in models.coefficients)])
    complete = bool(contents.tables or models.found) and models.complete
    complete &= len(contents.tables) <= _MAX_TABLES and not judgement.doubted
    moves: dict[object, Moves | None] = {}
    for number, table in enumerate(contents.tables[:_MAX_TABLES]):
        if declaration is not None and number == 0:
            done = _judge_declared(judgement, table, declaration, panels, thresholds)
            if done is not None:
                complete &= done
                continue
        read, found = _explained(table, searches)
        if found is None or not found.complete:
            by_rows = explain_by_rows(table, panels, context, moves)
            read, found = (table, by_rows) if by_rows is not None else (read, found)
        complete &= _judge_table(judgement, read, found, thresholds, table.columns)
        judgement.findings += find_units_named(table, panels)
        if (found is None or not found.complete) and table.place not in proven:
            of_model = any(table is one for one in in_summaries)
            judgement.findings += _look_at_units(table, found, panels, thresholds, of_model=of_model)
    _judge_together(judgement, models, panels, thresholds, tables=bool(contents.tables))
    judgement.findings += _look_at_texts(whole, panels, thresholds)
    judgement.findings += find_nearly_equal(contents.tables[:_MAX_TABLES], thresholds)
    used = [*_panels_of(judgement), *(fitted.panel for fitted, _, _ in models.fitted())]
    if complete and not all(panel.units for panel in used):
        judgement.findings.append(finding("unknown_units", thresholds.severity("unknown_units")))
        complete = False
    beside = list(find_beside(shown, shown.tables, panels, lambda *one: _restricted(judgement, *one)))
    if complete and not contents.images:  # else people read the texts anyway
        results = len(whole.tables) + len(models.models)
        said = _said_of(judgement, models)
        beside += find_in_texts(shown, shown.tables, panels, results=results, said=said)
    judgement.findings += beside
    judgement.reproduced = complete and not contents.images and not beside
    return judgement


def _judge_together(
    judgement: Judgement,
    models: Explained,
    panels: Sequence[Panel],
    thresholds: Thresholds,
    *,
    tables: bool,
) -> None:
    """What the tables and models of a file say of each other."""
    judgement.findings += [
        finding("differing_populations", thresholds.severity("differing_populations"), table.place,
                limit=thresholds.min_units, evidence={"units": least})
        for table, least in differing_pairs(judgement.explained, thresholds)
    ]  # fmt: skip
    if len(judgement.cells) > _MAX_CELLS_TOLD:  # those beyond would be shown to nobody
        judgement.findings.append(finding("cells_cut", Severity.REVIEW, limit=_MAX_CELLS_TOLD))
    judgement.samples += [
        sample_of(*one, with_units=judgement.with_units or tables) for one in models.fitted()
    ]
    judgement.findings += find_linked([*judgement.cells, *judgement.samples], thresholds, panels)


def _restricted(judgement: Judgement, variable: str, value: float) -> bool:
    """Whether an explained table is of the rows with this value only."""
    for found, _ in judgement.explained:
        known = found.panel.categories(variable) if variable in found.panel.variables else None
        at = known.numbers.get(value) if known is not None else None
        kept = found.cube.kept()
        if known is not None and at is not None and kept is not None:
            return bool((known.codes[kept] == at).all())
    return False


def _restricted_to(judgement: Judgement) -> list[str]:
    """The words of the groups that explained tables are restricted to."""
    said: list[str] = []
    for found, _ in judgement.explained:
        where = found.where
        known = found.panel.categories(where.variable) if where is not None else None
        if where is None or where.position is None or known is None:
            continue
        said += [text for text, at in known.texts.items() if at == where.position]
        said += [f"{number:g}" for number, at in known.numbers.items() if at == where.position]
    return said


def _said_of(judgement: Judgement, models: Explained) -> Said:
    """What titles may say of the tables and models that were made again."""
    shares = [fitted.r_squared for fitted, _, _ in models.fitted() if fitted.r_squared is not None]
    return Said(_restricted_to(judgement), _sizes_of(judgement, models), shares)


def _sizes_of(judgement: Judgement, models: Explained) -> frozenset[int]:
    """How many rows and units the explained tables are of: of the groups that are printed. Those of others
    would tell a few people apart."""
    sizes: set[int] = set()
    for found, _ in judgement.explained:
        none = (False,) * len(found.layout.axes)
        shown = found.cube.groups(none, "printed")
        sizes.add(int(shown.rows()[0]))
        sizes.update(int(shown.units(kind)[0]) for kind in found.panel.units)
    for fitted, _, _ in models.fitted():
        sizes.add(int(fitted.rows.size))
        for kind in fitted.panel.units:
            sizes.add(units_among(taken(fitted.panel.unit(kind)[0], fitted.rows)))
    return frozenset(sizes)


def _explained(table: Table, searches: Sequence[Search]) -> tuple[Table, Recomputed | None]:
    """The best explanation of a table, or of one that it stands for, with the table that it is of."""
    found = as_counts(best_of([search.explain(table) for search in searches]), searches)
    if found is not None and found.complete:
        return table, found
    if found is not None and (columns := left_columns(found)):
        rest = without(table, columns)
        other = best_of([search.explain(rest) for search in searches])
        if other is not None and other.complete and follows(table, columns, other):
            return rest, other
    for one in derived(table):
        other = best_of([search.explain(one.table) for search in searches])
        if other is not None and other.complete and one.holds(other):
            return one.table, other
    return table, found


def _judge_models(
    judgement: Judgement,
    contents: Contents,
    declaration: Declaration | None,
    panels: Sequence[Panel],
    thresholds: Thresholds,
) -> Explained:
    """The summaries of models in the file, fitted again."""
    declared = declaration.output if declaration is not None else None
    regression = declared if declared is not None and declared.kind == "regression" else None
    models = explain_models(contents, panels, regression, thresholds)
    judgement.findings += models.findings
    for fitted, _, table in models.coefficients:
        heads = list(find_in_model_heads(table, fitted.panel))
        judgement.findings += heads
        judgement.doubted |= bool(heads)
    # In a notebook a text and a page may count their tables alike: then nothing is answered for either.
    places = [table.place for table in models.left.tables]
    judgement.summaries += [table for table in models.tables if table.place not in places]
    return models


def _look_at_texts(contents: Contents, panels: Sequence[Panel], thresholds: Thresholds) -> Iterator[Finding]:
    """Units picked by code or named, extremes told, and models whose summary (printed, or as a table) names
    too few observations."""
    yield from find_extremes_in_texts(contents.prose(), panels, thresholds)
    yield from find_unit_numbers([*contents.printed, *contents.raw, *contents.seen], panels)
    for text in contents.printed:
        yield from find_units_in_text(text, panels)
    lines = [
        (table.place, "\n".join(" ".join(row) for row in (table.columns, *table.rows)))
        for table in contents.tables
    ]
    for place, said in (*((text.place, text.content) for text in contents.printed), *lines):
        few = find_in_summary(said, thresholds)
        if few is not None:
            needed = int(thresholds.limit("degrees_of_freedom", "degrees_of_freedom"))
            severity = thresholds.severity("degrees_of_freedom")
            yield finding("degrees_of_freedom", severity, place, limit=needed, evidence={"degrees": few})


def _look_at_units(
    table: Table, found: Recomputed | None, panels: Sequence[Panel], thresholds: Thresholds, *, of_model: bool
) -> Iterator[Finding]:
    """What a table that nothing explains may still show: records, residuals, a model with too few units."""
    columns = found.statistics() if found is not None else {}
    explained = frozenset(at for at in columns if at is not None)
    for panel in panels:
        for one in find_unit_rows(table, panel, explained, thresholds):
            yield _less_sure(one, table, of_model=of_model)
    yield from find_in_shape(table, found, panels, thresholds)
    yield from find_in_terms(table, panels, thresholds)
    yield from find_residuals(table, explained, thresholds)
    yield from find_outright(table, explained, thresholds)
    if found is None:
        yield from find_in_cross_table(table, panels, thresholds)
        yield from find_unexplained_edges(table, panels, thresholds)
    if found is None or not any(found.sure):
        yield from find_hidden_part(table, panels, thresholds)


def _less_sure(one: Finding, table: Table, *, of_model: bool) -> Finding:
    """A single column of coefficients or errors that agrees with the values of a few units does so by chance:
    people look at it."""
    columns = one.evidence.get("columns")
    if one.rule != "trajectory" or not isinstance(columns, Sequence) or len(columns) > 1:
        return one
    from hub.checks.coefficient_tables import read_coefficients

    by_chance = of_model or read_coefficients(table) is not None
    return replace(one, severity=Severity.REVIEW) if by_chance else one


def _judge_declared(
    judgement: Judgement,
    table: Table,
    declaration: Declaration,
    panels: Sequence[Panel],
    thresholds: Thresholds,
) -> bool | None:
    """Whether a table is all that its declaration says; None where the declaration cannot be applied."""
    from hub.checks.declared import UnreadableClaim, recompute_declared
    from hub.checks.filters import find_units_picked
    from hub.documents.outputs import DeclaredRegression

    try:
        if isinstance(declaration.output, DeclaredRegression):
            return _judge_regression(judgement, table, declaration.output, panels, thresholds)
        found = recompute_declared(table, declaration.output, panels)
    except UnreadableClaim as error:
        for panel in panels:
            judgement.findings += find_units_picked(declaration.output.where, panel, table.place, thresholds)
        judgement.findings.append(
            finding("unread_claim", Severity.REVIEW, table.place, problem=str(error)[:120])
        )
        return None
    wrong = sum(int((~fit.matched).sum()) for fit in found.fits if fit is not None)
    if wrong:
        severity = thresholds.severity("false_claim")
        judgement.findings.append(finding("false_claim", severity, table.place, cells=wrong))
    return _judge_table(judgement, table, found, thresholds)


def _judge_regression(
    judgement: Judgement,
    table: Table,
    declared: DeclaredRegression,
    panels: Sequence[Panel],
    thresholds: Thresholds,
) -> bool:
    from hub.checks.models import check_declared, find_in_fitted

    check = check_declared(table, declared, panels)
    judgement.findings += find_in_fitted(check.fitted, check.outcome, table.place, thresholds)
    judgement.samples.append(
        sample_of(check.fitted, check.outcome, table.place, with_units=judgement.with_units)
    )
    judgement.declared.append(table.place)
    if check.wrong:
        severity = thresholds.severity("false_claim")
        evidence = {"at": [list(place) for place in check.wrong[:50]]}
        judgement.findings.append(
            finding("false_claim", severity, table.place, cells=len(check.wrong), evidence=evidence)
        )
    if check.unexplained:
        judgement.findings.append(_unreproduced(table, len(check.unexplained), check.unexplained, thresholds))
    heads = list(find_in_model_heads(table, check.fitted.panel))
    judgement.findings += heads
    if not check.fitted.panel.units:
        judgement.findings.append(finding("unknown_units", thresholds.severity("unknown_units")))
    return not (check.wrong or check.unexplained or heads) and bool(check.fitted.panel.units)


def _panels_of(judgement: Judgement) -> list[Panel]:
    return [found.panel for found, _ in judgement.explained]


def _judge_table(
    judgement: Judgement,
    table: Table,
    found: Recomputed | None,
    thresholds: Thresholds,
    heads: Sequence[str] = (),
) -> bool:
    """Add what the rules say of one table; whether it is wholly explained. `heads`: those that are printed,
    where the table stands for another."""
    numbers = sum(number_of(cell) is not None for row in table.rows for cell in row)
    if found is None:
        # Words alone prove nothing: data written as labels would be a table without numbers.
        if numbers:
            judgement.findings.append(_unreproduced(table, numbers, [], thresholds))
        return False
    judge = Judge(found, table, thresholds)
    state = found.panel.state if isinstance(found.panel, Sequences) else state_of(found)
    broken = judge.findings() if state is None else without_stays(judge.findings(), state, thresholds)
    judgement.findings += [*broken, *find_twins(found, table, thresholds)]
    judgement.explained.append((found, table))
    cells = judge.cells(with_units=judgement.with_units)
    judgement.cells += cells if state is None else [named_as_moves(one, state) for one in cells]
    if not found.complete:
        missing = [
            (entry.row, entry.column)
            for fit, sure, series in zip(found.fits, found.sure, found.layout.series, strict=True)
            for at, entry in enumerate(series.entries)
            if number_of(entry.text) is not None and not (sure and fit is not None and fit.matched[at])
        ]
        judgement.findings.append(_unreproduced(table, len(missing), missing, thresholds))
    elif telling := list(find_in_heads(found, table, heads)):
        judgement.findings += telling
        return False
    return found.complete


def _unreproduced(
    table: Table, cells: int, places: Sequence[tuple[int, int]], thresholds: Thresholds
) -> Finding:
    columns = sorted({column for _, column in places})
    evidence = {
        "columns": [str(table.columns[at])[:80] for at in columns[:20]],
        "at": [list(p) for p in places[:50]],
    }
    place = table.place.within(column=columns[0] if len(columns) == 1 else None)
    return finding("unreproduced", thresholds.severity("unreproduced"), place, cells=cells, evidence=evidence)

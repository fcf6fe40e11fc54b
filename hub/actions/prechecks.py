"""Before submitting: what a researcher is told of a file, and that it was asked.

A check that answers is an oracle. So (1) it is made without the extract: nothing in the answer can depend on
the data; (2) only the rules of SHOWN are answered, an unknown rule is not; (3) small cells are said to be
there, not how many nor where; (4) each person has a number of files per hour in a project, however often the
desk is opened; (5) each file asked about is in the audit chain with its SHA-256, size and rules, before the
answer leaves. The caller keeps no bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from hub.actions.ports import Office, Unit
from hub.actions.submissions import session_actor
from hub.checks.findings import Report, Severity
from hub.checks.sentences_intake import INTAKE_SENTENCES
from hub.documents.outputs import Declaration, DeclaredTable
from hub.domain.errors import Conflict
from hub.domain.permissions import Permission, require
from hub.domain.records import Session

ACTION = "output.prechecked"
PERIOD = timedelta(hours=1)


class Remedy(NamedTuple):
    """What to do, in both languages, and the call that does it in Python and R (empty: none). `act`: what the
    desk's form can do by itself with a declared table (extensions/output-check, mendings)."""

    fr: str
    en: str
    python: str = ""
    r: str = ""
    act: str = ""


SUPPRESS = Remedy(
    "Masquer les petites cellules, et une seconde pour que les totaux ne les révèlent pas.",
    "Suppress small cells, and a second one so that totals do not give them back.",
    "t = vitrine.suppress(t, below={limit}, secondary=True)",
    "t <- vitrine_suppress(t, below = {limit}, secondary = TRUE)",
    "suppress",
)
ROUND = Remedy(
    "Arrondir les effectifs à 5.",
    "Round counts to 5.",
    "t = vitrine.round_to(t, 5)",
    "t <- vitrine_round(t, 5)",
    "round",
)
MERGE = Remedy(
    "Regrouper des modalités ou élargir les classes.",
    "Merge categories or widen bands.",
    't = vitrine.merge(t, "variable", breaks=[…])',
    't <- vitrine_merge(t, "variable", breaks = c(…))',
    "merge",
)
DROP_EXTREMES = Remedy(
    "Retirer les minimums et les maximums.",
    "Leave minima and maxima out.",
    "t = vitrine.drop_extremes(t)",
    "t <- vitrine_drop_extremes(t)",
    "drop_extremes",
)
DECLARE = Remedy(
    "Écrire le tableau avec sa déclaration : il sera refait depuis l’extrait et jugé plus vite.",
    "Write the table with its declaration: it is made again from the extract and judged sooner.",
    't = vitrine.table(d, by=["…"], stat="mean", of="…", file="….csv")',
    't <- vitrine_table(d, by = "…", stat = "mean", of = "…", file = "….csv")',
)

FEWER_DIGITS = Remedy(
    "Écrire moins de décimales.",
    "Print fewer decimals.",
    't = vitrine.table(d, by=["…"], stat="mean", of="…", file="….csv", digits=6)',
    'write.csv(format(t, digits = 6), "….csv", row.names = FALSE)',
)

REGRESSION = Remedy(
    "Écrire le modèle sans résidus, avec sa déclaration : il est réestimé depuis l’extrait.",
    "Write the model without residuals, with its declaration: it is fitted again from the extract.",
    't = vitrine.regression(model, file="….csv")',
    't <- vitrine_regression(model, file = "….csv")',
)
COEFFICIENTS = Remedy(
    "Ou n’imprimer que les coefficients.",
    "Or print the coefficients alone.",
    "print(model.summary2().tables[1])",
    "print(coef(summary(model)))",
)

SMALL_CELLS = "small_cells"
_SMALL = frozenset({"small_count", "small_integer"})
# Rules that judge the file or the form alone. Whatever compares with the data is not here.
SHOWN: Mapping[str, Sequence[Remedy]] = {
    **dict.fromkeys(INTAKE_SENTENCES, ()),
    SMALL_CELLS: (SUPPRESS, MERGE, ROUND),
    "degrees_of_freedom": (),
    "residual_ends": (REGRESSION, COEFFICIENTS),
    "missing_context": (),
    "type_unlisted": (),
    "type_mismatch": (),
    "empty": (),
    "too_large": (),
    "too_wide": (MERGE,),
    "too_many_cells": (MERGE,),
    "many_rows": (MERGE,),
    "long_cell": (),
    "ragged": (),
    "unreadable_table": (),
    "not_a_number": (),
    "unrounded": (FEWER_DIGITS, ROUND),
    "encoding": (),
    "hidden_characters": (),
    "formula": (),
    "encoded_blob": (),
    "image_too_large": (),
    "image_malformed": (),
    "trailing_bytes": (),
    "image_metadata": (),
    "hidden_content": (),
    "notebook_malformed": (),
    "notebook_extra": (),
    "json_malformed": (),
    "share_without_base": (DECLARE,),
    "numbers_in_text": (DECLARE,),
    "outside_tables": (),
}


@dataclass(frozen=True)
class Advice:
    """One thing to mend, in both languages, with remedies that are filled in."""

    rule: str
    fr: str
    en: str
    remedies: tuple[Remedy, ...]


@dataclass(frozen=True)
class CheckedFile:
    """A file that was looked over and not kept."""

    sha256: str
    size: int
    report: Report


def advise(report: Report, *, limit: int, declaration: Declaration | None = None) -> list[Advice]:
    """What the researcher is told of one file: each rule once (missing context: each field once), and what
    its declaration alone says."""
    advice: dict[str, Advice] = {}
    if declaration is not None and _has_extremes(declaration):
        advice[EXTREMES.rule] = EXTREMES
    for finding in report.findings:
        rule = SMALL_CELLS if finding.rule in _SMALL else finding.rule
        if rule not in SHOWN or (rule == SMALL_CELLS and finding.severity is Severity.NOTE):
            continue  # numbers that name rows are no counts
        fr, en = finding.message["fr"], finding.message["en"]
        if rule == SMALL_CELLS:
            fr = f"Des cellules semblent compter moins de {limit} unités."
            en = f"Some cells seem to count fewer than {limit} units."
        key = f"{rule}:{en}" if rule == "missing_context" else rule
        remedies = tuple(
            each._replace(python=each.python.format(limit=limit), r=each.r.format(limit=limit))
            for each in SHOWN[rule]
        )
        advice.setdefault(key, Advice(rule, fr, en, remedies))
    return list(advice.values())


EXTREMES = Advice(
    "extremes",
    "Le tableau contient des minimums ou des maximums : ce sont des valeurs d’unités, elles ne sortent pas.",
    "The table has minima or maxima: they are the values of single units and do not leave.",
    (DROP_EXTREMES,),
)


def _has_extremes(declaration: Declaration) -> bool:
    output = declaration.output
    return isinstance(output, DeclaredTable) and any(each.stat in ("min", "max") for each in output.measures)


def require_allowed(office: Office, *, session_id: str, now: datetime, wanted: int = 1) -> None:
    """The desk is open, its person may submit, and the hour's number leaves `wanted` files."""
    session, project, by = session_actor(office, session_id=session_id, now=now)
    require(office.rules.roles, by, Permission.SUBMISSION_CREATE, project.subject)
    with office.units.read() as unit:
        _require_left(office, unit, session, now=now, wanted=wanted)


def note(office: Office, *, session_id: str, files: Sequence[CheckedFile], now: datetime) -> int:
    """Record that these files were looked over; how many more may be within the hour.

    Raises as `require_allowed`: whoever asks many times at once is not answered either.
    """
    session, project, by = session_actor(office, session_id=session_id, now=now)
    require(office.rules.roles, by, Permission.SUBMISSION_CREATE, project.subject)
    with office.units.write() as unit:
        left = _require_left(office, unit, session, now=now, wanted=len(files))
        unit.record(
            by=by,
            action=ACTION,
            object=f"session:{session.id}",
            now=now,
            details={
                "project": project.slug,
                "files": [
                    {
                        "sha256": file.sha256,
                        "size": file.size,
                        "rules": sorted({finding.rule for finding in file.report.findings}),
                    }
                    for file in files
                ],
                "policies": office.rules.fingerprint,
            },
        )
    return left


def _require_left(office: Office, unit: Unit, session: Session, *, now: datetime, wanted: int) -> int:
    """A desk that was closed within the hour counts with the one that is open now."""
    most = office.rules.submissions.prechecks_per_hour
    desks = [
        one
        for one in unit.sessions.find(project=session.project, username=session.username)
        if one.ended_at is None or one.ended_at > now - PERIOD
    ]
    used = sum(
        len(files)
        for desk in desks
        for entry in unit.events(object=f"session:{desk.id}")
        if entry.action == ACTION
        and entry.at > now - PERIOD
        and isinstance(files := entry.details["files"], list)
    )
    if used + wanted > most:
        raise Conflict(
            "too_many_prechecks",
            f"You may have {most} files looked over in an hour. Try again later, or submit.",
            f"Vous pouvez faire examiner {most} fichiers par heure. Réessayez plus tard, ou soumettez.",
            field="files",
        )
    return most - used - wanted

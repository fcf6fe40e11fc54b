"""The checker's page of one submission: its files beside the findings, what changed, and the vote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from hub.actions import reviews as actions
from hub.actions.approvals import Grounds, rules_to_judge
from hub.actions.comments import visible_comments
from hub.actions.deciders import Deciders, deciders_of
from hub.actions.projects import get_project
from hub.actions.releases import to_answer
from hub.actions.submissions import get_submission
from hub.actions.withholding import Named, Withholder, parse_names, unknown_output
from hub.checks import Report, find_missing_context, place_in_words
from hub.checks.findings import Place, Severity
from hub.domain.errors import NotFound, Refused
from hub.domain.permissions import Permission
from hub.domain.records import Decision, ReviewComment, Submission, SubmittedFile
from hub.domain.reviews import decided
from hub.portal import cell_facts, differences, renderings, submissions
from hub.portal.pages import go, page_number, show
from hub.portal.permissions import About, Routes, needs, status_of
from hub.portal.review_queue import WAITING
from hub.portal.visits import CurrentVisit, Visit

TABS = ("file", "differences")
# Refusals of a vote that the form itself shows, with what was typed.
_ABOUT_THE_FORM = (
    "answer_missing",
    "cannot_withhold",
    "context_missing",
    "control_missing",
    "not_judged",
)
_MAX_LISTED = 200  # numbers made again that are listed under a file that is shown as text


def register(routes: Routes) -> None:
    p = routes.portal.prefix
    checks = needs(Permission.SUBMISSION_REVIEW, About.SUBMISSION)
    routes.add("GET", f"{p}/review/{{id}}", checks, show_review)
    routes.add("GET", f"{p}/review/{{id}}/files/{{n}}/image/{{k}}", checks, show_image)
    routes.add("POST", f"{p}/review/{{id}}/vote", checks, vote)


def show_image(visit: CurrentVisit, id: str, n: int, k: int) -> Response:
    """A picture of the page that the checker is looking at."""
    return renderings.answer_image(visit, id, n, k)


def show_review(visit: CurrentVisit, id: str) -> Response:
    """One submission with one of its files (`?file=`), rendered, and the vote."""
    return _review_page(visit, id, error=None)


def _review_page(visit: Visit, id: str, *, error: Refused | None) -> Response:
    with visit.office.units.read() as unit:
        submission = get_submission(unit, id)
        page = actions.view_submission(unit, submission, by=visit.actor)
        project = get_project(unit, submission.project)
        people = {person.username: person for person in unit.people.find()}
        older = unit.submissions.get(submission.supersedes) if submission.supersedes else None
        remarks = visible_comments(visit.office, unit, submission, by=visit.actor)
        position = _file_wanted(visit, page.files)
        deciders = deciders_of(visit.office, unit, submission)
        disputed = actions.disputed_outputs(visit.office, unit, submission)
        versions = differences.earlier_versions(unit, submission, page.files[position])
    shown = renderings.look(visit, id, position, page_number(visit.request) - 1)
    tab = visit.request.query_params.get("tab", "file")
    reports = submissions.reports_of(page.files)
    return show(
        visit,
        "review.html",
        status=status_of(error) if error else 200,
        here=visit.url(f"/review/{id}?file={position}&page={shown.page + 1}"),
        page=page,
        submission=submission,
        project=project,
        people=people,
        older=older,
        shown=shown,
        report=reports[position],
        reports=reports,
        position=position,
        tab=tab if tab in TABS else "file",
        difference=_difference(visit, submission, shown.file, versions) if tab == "differences" else None,
        changes=submissions.changes_of(shown.file),
        missing=[
            finding.message[visit.words.language] for finding in find_missing_context(_texts(submission))
        ],
        images=visit.url(f"/review/{id}/files/{position}/image"),
        is_decided=decided(submission),
        remarks=remarks,
        remarked=_remarked([one for one in remarks if one.position == position]),
        remark_place=lambda one: place_in_words(place_of(one), None, visit.words.language),
        **_vote_form(visit, page, reports, error, deciders, disputed),
        has_notebooks=any(file.shown_name.lower().endswith(".ipynb") for file in page.files),
        elsewhere=_elsewhere(visit, page.files, position, shown),
        **_numbers_made_again(visit, shown, reports[position]),
        **renderings.pointers(shown, reports[position], visit.words.language),
    )


def _vote_form(
    visit: Visit,
    page: actions.SubmissionPage,
    reports: Mapping[int, Report | None],
    error: Refused | None,
    deciders: Deciders,
    disputed: frozenset[Named],
) -> dict[str, Any]:
    """What the vote's form needs, with what was typed where it is shown again. `mine`: the vote that stands;
    one that is in dispute is cast again."""
    own = next((v for v in page.votes if v.checker == visit.person.username), None)
    return {
        "mine": own if not disputed else None,
        "earlier": own if disputed else None,
        "disputed": _said_outputs(visit, page.files, disputed),
        "withheld": {
            vote.checker: _said_outputs(visit, page.files, parse_names(vote.withheld)) for vote in page.votes
        },
        "open_to_vote": page.submission.state in WAITING,
        "quorum": deciders.needed,
        "one_decider": (
            visit.office.rules.review.one_decider[deciders.one].reason[visit.words.language]
            if deciders.one is not None
            else None
        ),
        "error": error.message(visit.words.language) if error else None,
        "error_field": error.field if error else None,
        "error_code": error.code if error else None,
        "chosen": visit.value("decision"),
        "comment": visit.value("comment"),
        "named_outputs": set(visit.form.get("output", ())),
        "to_answer": [(file, to_answer(file)) for file in page.files],
        "broken": {
            (position, finding.rule): finding.message[visit.words.language]
            for position, report in reports.items()
            for finding in reversed(report.findings if report is not None else ())
        },
        "doubtful": {
            finding.rule: finding.message[visit.words.language]
            for report in reversed(list(reports.values()))
            for finding in reversed(report.findings if report is not None else ())
            if finding.severity is Severity.REVIEW
        },
        "answers": answers_of(visit.form),
        "to_judge": rules_to_judge(page.files),
        "judged": set(visit.form.get("judged", ())),
        "controls": list(visit.office.rules.review.controls),
        "controls_said": {
            name: text[visit.words.language] for name, text in visit.office.rules.review.controls.items()
        },
        "confirmed": set(visit.form.get("control", ())),
    }


def _numbers_made_again(visit: Visit, shown: renderings.Shown, report: Report | None) -> dict[str, Any]:
    """The units behind numbers: beside the cells of a table, in a list under anything else."""
    facts = cell_facts.facts_of(report, min_units=visit.portal.thresholds.min_units)
    declaration = report.summary.get("declaration") if report is not None else None
    return {
        "facts": facts,
        "facts_listed": cell_facts.listed(facts, _MAX_LISTED) if shown.view["kind"] != "table" else [],
        "behind": lambda fact: cell_facts.sentence(visit.words, fact),
        "units": lambda fact: cell_facts.units(visit.words, fact),
        "statistic": lambda fact: cell_facts.statistic(visit.words, fact),
        "declaration": json.dumps(declaration, indent=2, ensure_ascii=False) if declaration else None,
        "rows_per_page": renderings.ROWS_PER_PAGE,
    }


def _difference(
    visit: Visit, submission: Submission, file: SubmittedFile, versions: Sequence[differences.Other]
) -> differences.Difference:
    to = visit.request.query_params.get("to") or None
    return differences.difference(visit, submission, file, wanted=to, versions=versions)


def _texts(submission: Submission) -> dict[str, str]:
    return {name: str(value) for name, value in submission.form.items()}


def place_of(comment: ReviewComment) -> Place:
    """The place that a remark names."""
    return Place(**{name: int(str(number)) for name, number in comment.place.items()})


def _remarked(comments: Sequence[ReviewComment]) -> dict[cell_facts.Spot, set[tuple[int | None, int | None]]]:
    """Printed table → the (row, column) that remarks are about."""
    found: dict[cell_facts.Spot, set[tuple[int | None, int | None]]] = {}
    for place in map(place_of, comments):
        found.setdefault((place.cell, place.output, place.table or 0), set()).add((place.row, place.column))
    return found


def _file_wanted(visit: Visit, files: tuple[SubmittedFile, ...]) -> int:
    text = visit.request.query_params.get("file") or visit.value("file") or "0"
    if not text.isascii() or not text.isdigit() or int(text) >= len(files):
        raise NotFound("not_found", "There is no such file.", "Ce fichier n’existe pas.")
    return int(text)


def answers_of(form: Mapping[str, list[str]]) -> dict[tuple[int, str], str]:
    """The answers to broken rules in a form: fields `answer-<position>-<rule>`."""
    answers: dict[tuple[int, str], str] = {}
    for name, values in form.items():
        word, _, rest = name.partition("-")
        position, _, rule = rest.partition("-")
        if word == "answer" and position.isascii() and position.isdigit() and len(position) < 6:
            answers[int(position), rule] = values[0]
    return answers


def withholder_of(visit: Visit) -> Withholder:
    """What writes a notebook without the outputs that a vote names."""
    return Withholder(visit.portal.vault, visit.portal.thresholds)


def grounds_of(form: Mapping[str, list[str]], withheld: frozenset[Named]) -> Grounds:
    """What an approval is based on, in a form: `answers_of`, ticks `judged` (rules) and `control` (names)."""
    return Grounds(
        withheld=withheld,
        answers=answers_of(form),
        judged=frozenset(form.get("judged", ())),
        confirmed=frozenset(form.get("control", ())),
    )


def parse_decision(text: str) -> Decision:
    """The decision named; Refused `decision_missing` for anything else."""
    try:
        return Decision(text.upper())
    except ValueError:
        raise Refused(
            "decision_missing", "Choose what you decide.", "Choisissez votre décision.", field="decision"
        ) from None


def _named(visit: Visit) -> frozenset[Named]:
    """The outputs that were ticked: of the notebook beside the form (`output`), or of any file (`withhold`);
    and those typed where no script carries ticks from page to page (`withhold_typed`, counted from 1).
    NotFound `unknown_output` where one is written otherwise."""
    position, ticked = visit.value("file") or "0", visit.form.get("output", ())
    listed = parse_names([*(f"{position}-{one}" for one in ticked), *visit.form.get("withhold", ())])
    typed = parse_names(visit.value("withhold_typed").split())
    if any(0 in one for one in typed):
        raise unknown_output()
    return listed | {(file - 1, cell - 1, output - 1) for file, cell, output in typed}


def _elsewhere(
    visit: Visit, files: Sequence[SubmittedFile], position: int, shown: renderings.Shown
) -> list[tuple[str, str]]:
    """The outputs named in the form as it came that the page shown again has no tick for: name, words."""
    here = {
        (position, cell["number"], place[0])
        for cell in (shown.view["cells"] if shown.view["kind"] == "notebook" else ())
        for place in cell.get("places", ())
    }
    named = sorted(_named(visit) - here) if visit.form else []
    return [
        ("-".join(map(str, one)), said)
        for one in named
        for said in _said_outputs(visit, files, frozenset({one}))
    ]


def _said_outputs(visit: Visit, files: Sequence[SubmittedFile], named: frozenset[Named]) -> list[str]:
    names = {file.position: file.shown_name for file in files}
    language = visit.words.language
    return [
        f"{names.get(position, position)}, {place_in_words(Place(cell=cell, output=output), None, language)}"
        for position, cell, output in sorted(named)
    ]


def _with_outputs(visit: Visit, id: str, named: frozenset[Named]) -> str:
    """The comment and, where the submission is not approved, which outputs of a notebook were ticked. A
    comment that was not written stays missing."""
    comment = visit.value("comment").strip()
    if not comment or not named or visit.value("decision").upper() == Decision.APPROVE:
        return comment
    with visit.office.units.read() as unit:
        files = unit.files.find(submission=id)
    if not {position for position, _, _ in named} <= {file.position for file in files}:
        raise unknown_output()
    listed = "\n".join(f"- {one}" for one in _said_outputs(visit, files, named))
    return f"{comment}\n\n{visit.words('review.about_outputs')}\n{listed}"


def vote(visit: CurrentVisit, id: str) -> Response:
    """The checker's vote; what is missing is said beside the form, with the comment kept."""
    named = _named(visit)
    try:
        submission = actions.cast_vote(
            visit.office,
            submission_id=id,
            decision=parse_decision(visit.value("decision")),
            comment=_with_outputs(visit, id, named),
            grounds=grounds_of(visit.form, named),
            withholder=withholder_of(visit),
            by=visit.actor,
            now=visit.now,
        )
        with visit.office.units.read() as unit:
            disputed = actions.disputed_outputs(visit.office, unit, submission)
    except Refused as error:
        if error.field in ("comment", "decision") or error.code in _ABOUT_THE_FORM:
            return _review_page(visit, id, error=error)
        raise
    if disputed:
        return go(visit, f"/review/{id}", "disputed")
    return go(visit, f"/review/{id}", "decided" if decided(submission) else "voted")

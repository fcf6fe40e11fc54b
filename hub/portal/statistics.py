"""The figures of output checking, for the head of the unit."""

from __future__ import annotations

from starlette.responses import Response

from hub.actions.statistics import review_statistics
from hub.domain.permissions import Permission, Reach
from hub.portal.pages import show
from hub.portal.permissions import Routes, needs
from hub.portal.visits import CurrentVisit


def register(routes: Routes) -> None:
    may = needs(Permission.REVIEW_STATISTICS)
    routes.add("GET", f"{routes.portal.prefix}/review/statistics", may, show_statistics)


def show_statistics(visit: CurrentVisit) -> Response:
    """Workload and turnaround of the last twelve weeks."""
    figures = review_statistics(visit.office, by=visit.actor, now=visit.now)
    with visit.office.units.read() as unit:
        people = {person.username: person for person in unit.people.find()}
    reads_all = visit.reach(Permission.SUBMISSION_READ) is Reach.ANY
    most = max((max(week.submitted, week.decided) for week in figures.weeks), default=0)
    return show(
        visit,
        "review_statistics.html",
        figures=figures,
        people=people,
        most=max(most, 1),
        reads_all=reads_all,
    )

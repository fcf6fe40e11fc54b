"""The checker's queue, the units behind numbers, differences to earlier files, and the same by API."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from hub.domain.lifecycle import SubmissionState
from hub.domain.records import Submission
from tests import factories
from tests.integration.portal.stage import FORM, TABLE, P, Stage, make_stage, parts, token_of
from tests.integration.portal.test_ledger import write_people

CSV = TABLE.encode()
SCRIPT = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stage, dict[str, str]]:
    """A released table of regions; a table with a small cell, returned once and submitted again."""
    stage = make_stage(tmp_path_factory.mktemp("portal"))
    for slug in ("wages", "health"):
        write_people(stage.folder / "extracts" / slug / "v1")
    session = factories.open_session(stage.office).session.id
    people = pl.read_parquet(stage.folder / "extracts/wages/v1/data.parquet")

    def table(*by: str) -> bytes:
        of = [pl.len().alias("n"), pl.col("wage").mean().round(1).alias("mean_wage")]
        return people.group_by(*by).agg(of).sort(*by).write_csv().encode()

    released = stage.submit(session, ("regions.csv", table("region")))
    stage.approve(released)
    small = table("region", "zone")
    first = stage.submit(session, ("zones.csv", small), ("fit.py", b"x = 1\n"), counts="")
    for checker in ("chloe", "denis"):
        stage.post(checker, f"/review/{first}/vote", decision="return", comment="Group the cells.")
    fewer = b"\n".join(small.splitlines()[:-1]) + b"\n"
    again = stage.gate().post(
        f"/internal/sessions/{session}/submissions",
        files=parts(
            {**FORM, "counts": "", "supersedes": first}, ("zones.csv", fewer), ("fit.py", b"x = 2\n")
        ),
    )
    assert again.status_code == 201, again.text
    return stage, {"released": released, "first": first, "again": again.json()["id"], "session": session}


def page(reviewed: tuple[Stage, dict[str, str]], path: str = "", who: str = "chloe") -> str:
    stage, ids = reviewed
    answer = stage.visit(who).get(f"{P}/review/{ids['again']}{path}")
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def told(reviewed: tuple[Stage, dict[str, str]], path: str) -> dict[str, object]:
    stage, ids = reviewed
    answer = stage.visit("chloe").get(
        f"{P}/api/review{path.format(**ids)}", headers={"x-vitrine-form": token_of("chloe")}
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_the_units_stand_behind_each_number_and_a_finding_leads_to_its_cell(
    reviewed: tuple[Stage, dict[str, str]],
) -> None:
    text = page(reviewed)
    cell = re.search(r'<td id="c-1-2"[^>]*class="([^"]*)"[^>]*>(.*?)</td>', text, re.DOTALL)
    assert cell is not None
    assert {"marked", "mark-BLOCK", "known", "few"} <= set(cell[1].split())
    assert "Count. 3 persons" in cell[2]
    assert 'data-target="c-1-2"' in text
    assert "#c-1-2" in text
    assert "Mean of wage. 3 persons. Largest person" in text


def test_what_the_form_lacks_is_said_at_the_top(reviewed: tuple[Stage, dict[str, str]]) -> None:
    text = page(reviewed)
    assert text.index('data-testid="missing-context"') < text.index('data-testid="rendered"')
    assert "the unweighted counts" in text


def test_no_number_of_the_extract_is_shown_to_the_author(reviewed: tuple[Stage, dict[str, str]]) -> None:
    stage, ids = reviewed
    for path in (f"/submissions/{ids['again']}", f"/api/submissions/{ids['again']}"):
        headers = {"x-vitrine-form": token_of("ana")}
        assert "persons" not in stage.visit("ana").get(P + path, headers=headers).text
    for path in ("", "/files/0/differences"):
        headers = {"x-vitrine-form": token_of("ana")}
        answer = stage.visit("ana").get(f"{P}/api/review/{ids['again']}{path}", headers=headers)
        assert answer.status_code == 403


def test_the_version_before_is_compared_first(reviewed: tuple[Stage, dict[str, str]]) -> None:
    text = page(reviewed, "?tab=differences")
    assert 'data-testid="difference-table"' in text
    assert re.findall(r'data-change="(\w+)"', text).count("removed") == 1
    code = page(reviewed, "?file=1&tab=differences")
    assert re.findall(r'data-change="(\w+)"', code) == ["removed", "added"]


def test_a_release_of_the_same_columns_is_offered_and_the_look_is_audited(
    reviewed: tuple[Stage, dict[str, str]],
) -> None:
    stage, ids = reviewed
    text = page(reviewed, f"?tab=differences&to={ids['released']}.0")
    assert "Release no. 1" in text
    with stage.office.units.read() as unit:
        looks = [e.action for e in unit.events(object=f"submission:{ids['released']}")]
    assert "submission.viewed" in looks
    assert (
        stage.visit("chloe").get(f"{P}/review/{ids['again']}?tab=differences&to={ids['again']}.0").status_code
        == 404
    )


def test_a_first_version_has_nothing_to_compare_with(stage: Stage) -> None:
    session = factories.open_session(stage.office).session.id
    submission = stage.submit(session, ("a.csv", CSV))
    text = stage.visit("chloe").get(f"{P}/review/{submission}?tab=differences").text
    assert 'data-testid="no-difference"' in text


def test_hostile_names_labels_and_cells_are_text_in_every_view(stage: Stage) -> None:
    session = factories.open_session(stage.office).session.id
    hostile = f'g,n\n"{SCRIPT}",12\n"<img src=x onerror=alert(1)>",30\n'.encode()
    first = stage.submit(session, ("a.csv", hostile), what=SCRIPT)
    for checker in ("chloe", "denis"):
        stage.post(checker, f"/review/{first}/vote", decision="return", comment=SCRIPT)
    body = parts({**FORM, "supersedes": first, "note": SCRIPT}, ("a.csv", hostile.replace(b"30", b"31")))
    again = stage.gate().post(f"/internal/sessions/{session}/submissions", files=body).json()["id"]
    stage.post("chloe", f"/review/{again}/comments", file="0", text=SCRIPT, row="1", column="1")
    for path in (f"/review/{again}", f"/review/{again}?tab=differences", "/review"):
        answer = stage.visit("chloe").get(P + path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert not re.search(r"<[^>]+\son\w+=", answer.text)


def test_the_api_tells_the_same(reviewed: tuple[Stage, dict[str, str]]) -> None:
    report = told(reviewed, "/{again}")
    assert report["missing_context"] == ["counts"]
    file = report["files"][0]  # type: ignore[index]
    assert file["verdict"] == "BLOCK"
    assert "small_units" in file["to_answer"]
    cell = next(c for c in file["cells"] if (c["row"], c["column"]) == (1, 2))
    assert (cell["persons"], cell["few"], cell["statistic"]) == (3, True, "count")
    difference = told(reviewed, "/{again}/files/0/differences")
    assert difference["chosen"] == f"{reviewed[1]['first']}.0"
    assert difference["found"]["changed"] == 1  # type: ignore[index]
    kinds = [other["kind"] for other in difference["others"]]  # type: ignore[attr-defined]
    assert kinds == ["version", "release"]


def test_the_api_shows_the_file_and_the_look_is_audited(reviewed: tuple[Stage, dict[str, str]]) -> None:
    stage, ids = reviewed

    def looks() -> int:
        with stage.office.units.read() as unit:
            events = unit.events(object=f"submission:{ids['again']}")
            return sum(entry.action == "submission.viewed" for entry in events)

    before = looks()
    shown = told(reviewed, "/{again}/files/0")
    assert (shown["name"], shown["page"], shown["pages"]) == ("zones.csv", 1, 1)
    view = shown["view"]
    assert view["kind"] == "table"  # type: ignore[index]
    assert view["columns"] == ["region", "zone", "n", "mean_wage"]  # type: ignore[index]
    assert looks() == before + 1


def test_the_api_has_types(stage: Stage) -> None:
    schema = stage.visit("chloe").get(f"{P}/api/openapi.json", headers={"x-vitrine-form": token_of("chloe")})
    document = schema.json()
    assert {"QueuePage", "ReviewReport", "DifferenceJson", "VoteBody"} <= set(
        document["components"]["schemas"]
    )


def put(stage: Stage, number: int, **changes: object) -> None:
    """A waiting submission without files, straight into the records."""
    submission = Submission(
        f"o{number}", number, "wages", "ana", None, SubmissionState.SUBMITTED, {"what": f"Table {number}"},
        factories.NOW, verdict="REVIEW",
    )  # fmt: skip
    with stage.office.units.write() as unit:
        unit.submissions.add(replace(submission, **changes))  # type: ignore[arg-type]
        unit.record(by=factories.SYSTEM, action="test.put", object=f"submission:o{number}", now=factories.NOW)


def test_the_quick_lane_and_what_is_overdue(stage: Stage) -> None:
    hours = stage.office.rules.review.target_hours
    put(stage, 1, verdict="PASS")
    put(stage, 2, submitted_at=factories.NOW - timedelta(hours=hours + 1))
    put(stage, 3, verdict="BLOCK", submitted_at=factories.NOW - timedelta(hours=hours - 1))
    put(stage, 4, verdict=None)

    def numbers(query: str) -> list[str]:
        text = stage.visit("chloe").get(f"{P}/review{query}").text
        return re.findall(r'data-testid="review-(\d+)"', text)

    assert numbers("") == ["2", "3", "1", "4"]
    assert numbers("?show=quick") == ["1"]
    assert numbers("?show=overdue") == ["2"]
    assert numbers("?verdict=BLOCK") == ["3"]
    assert numbers("?show=quick&verdict=BLOCK") == []
    assert numbers("?show=nonsense&verdict=nonsense") == ["2", "3", "1", "4"]
    text = stage.visit("chloe").get(f"{P}/review").text
    assert text.count('class="overdue"') == 1
    assert "1 h late" in text
    headers = {"x-vitrine-form": token_of("chloe")}
    listed = stage.visit("chloe").get(f"{P}/api/review?show=overdue", headers=headers).json()
    assert [(one["number"], one["overdue"]) for one in listed["submissions"]] == [(2, True)]
    assert stage.visit("chloe").get(f"{P}/api/review?verdict=GOOD", headers=headers).status_code == 422


def test_a_submission_has_the_gravest_verdict_of_its_files(stage: Stage) -> None:
    session = factories.open_session(stage.office).session.id
    submission = stage.submit(session, ("a.csv", CSV), ("b.csv", b"g,n\nx,3\ny,400\n"))
    with stage.office.units.read() as unit:
        stored = unit.submissions.get(submission)
    assert stored is not None
    assert stored.verdict == "BLOCK"


def test_an_empty_queue_says_so(stage: Stage) -> None:
    assert "Nothing to check." in stage.visit("chloe").get(f"{P}/review").text

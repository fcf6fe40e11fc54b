"""The portal's part of a submission's way: in through the gate's door, two votes, out as released."""

from __future__ import annotations

import hashlib

from tests import factories
from tests.integration.portal.stage import TABLE, P, Stage


def test_a_submission_arrives_is_checked_twice_and_leaves_unchanged(stage: Stage) -> None:
    session = factories.open_session(stage.office).session.id
    submission = stage.submit(session, ("table 2 – été.csv", TABLE.encode()))

    queue = stage.visit("chloe").get(f"{P}/review").text
    assert 'data-testid="review-1"' in queue
    page = stage.visit("chloe").get(f"{P}/review/{submission}").text
    assert "<td" in page
    assert "43310.9" in page

    assert stage.visit("ana").get(f"{P}/submissions/{submission}/files/0/download").status_code == 409
    stage.approve(submission)

    page = stage.visit("ana").get(f"{P}/submissions/{submission}").text
    assert 'data-state="RELEASED"' in page
    assert 'data-testid="download-0"' in page
    answer = stage.visit("ana").get(f"{P}/submissions/{submission}/files/0/download")
    assert answer.content == TABLE.encode()
    assert answer.headers["x-content-sha256"] == hashlib.sha256(TABLE.encode()).hexdigest()
    assert answer.headers["content-disposition"] == (
        'attachment; filename="table 2 _ _t_.csv"; '
        "filename*=UTF-8''table%202%20%E2%80%93%20%C3%A9t%C3%A9.csv"
    )

    log = stage.visit("eve").get(f"{P}/audit").text
    for action in (
        "submission.submitted",
        "submission.viewed",
        "review.voted",
        "submission.released",
        "release.downloaded",
    ):
        assert f'data-action="{action}"' in log
    assert 'data-fault=""' in log

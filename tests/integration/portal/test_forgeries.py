"""Requests that their owner did not mean: refused, and nothing changes."""

from __future__ import annotations

import pytest

from hub.domain.lifecycle import ProjectState
from tests import factories
from tests.integration.portal.stage import PUBLIC_URL, P, Stage, form_tokens, token_of

SUSPEND = f"{P}/admin/projects/wages/suspend"


def state(stage: Stage) -> ProjectState:
    with stage.office.units.read() as unit:
        project = unit.projects.get("wages")
        assert project is not None
        return project.state


REFUSED_POSTS: dict[str, tuple[dict[str, str | None], str | None]] = {
    "no token": ({}, None),
    "empty token": ({}, ""),
    "another session's token": ({}, token_of("eve")),
    "another site": ({"origin": "http://evil.test"}, token_of("bob")),
    "another port": ({"origin": PUBLIC_URL + ":8080"}, token_of("bob")),
    "opaque origin": ({"origin": "null"}, token_of("bob")),
    "cross-site": ({"sec-fetch-site": "cross-site"}, token_of("bob")),
    "same site, other origin": ({"sec-fetch-site": "same-site"}, token_of("bob")),
    "typed into the address bar": ({"sec-fetch-site": "none"}, token_of("bob")),
    "no origin at all": ({"origin": None}, token_of("bob")),
}


@pytest.mark.parametrize("case", REFUSED_POSTS)
def test_a_forged_form_changes_nothing(stage: Stage, case: str) -> None:
    headers, token = REFUSED_POSTS[case]
    client = stage.visit("bob")
    for name, value in headers.items():
        if value is None:
            del client.headers[name]
        else:
            client.headers[name] = value
    answer = client.post(SUSPEND, data={} if token is None else {"form_token": token})
    assert answer.status_code == 403
    assert state(stage) is ProjectState.ACTIVE


def test_the_form_of_the_page_is_accepted(stage: Stage) -> None:
    client = stage.visit("bob")
    (token, *others) = form_tokens(client.get(f"{P}/projects/wages").text)
    assert set(others) <= {token}
    answer = client.post(SUSPEND, data={"form_token": token}, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 303
    assert state(stage) is ProjectState.SUSPENDED


def test_json_with_the_cookie_needs_the_token_too(stage: Stage) -> None:
    client = stage.visit("bob")
    path = f"{P}/api/projects/wages/suspend"
    assert client.post(path).status_code == 403
    assert client.post(path, headers={"x-vitrine-form": token_of("eve")}).status_code == 403
    assert state(stage) is ProjectState.ACTIVE
    assert client.post(path, headers={"x-vitrine-form": token_of("bob")}).status_code == 200


def test_a_token_in_the_header_needs_no_form_token(stage: Stage) -> None:
    client = stage.visit(None)
    del client.headers["origin"]
    answer = client.post(f"{P}/api/projects/wages/suspend", headers={"authorization": "token bob"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", [f"{P}/", f"{P}/projects/wages", f"{P}/api/me", f"{P}/submissions"])
def test_a_script_of_a_desk_cannot_read_pages_with_the_cookie(stage: Stage, path: str) -> None:
    """Desks share our origin: a `fetch` from one comes with the cookie, but not with the form token."""
    client = stage.visit("ana")
    for mode in ("cors", "same-origin", "no-cors", "websocket"):
        headers = {"sec-fetch-mode": mode, "sec-fetch-site": "same-origin", "sec-fetch-dest": "empty"}
        answer = client.get(path, headers=headers)
        assert answer.status_code == 403
        assert "form_token" not in answer.text.replace("Code: form_token", "").replace(
            'data-code="form_token"', ""
        ).replace('"code":"form_token"', "")
        assert token_of("ana") not in answer.text
    own = {"sec-fetch-mode": "cors", "x-vitrine-form": token_of("ana")}
    assert client.get(path, headers=own).status_code == 200


def test_releases_cannot_be_fetched_by_a_script_of_a_desk(stage: Stage) -> None:
    session = factories.open_session(stage.office).session.id
    submission = stage.submit(session, ("a.csv", b"group,n\na,100\nb,900\n"))
    stage.approve(submission)
    path = f"{P}/submissions/{submission}/files/0/download"
    assert stage.visit("ana").get(path, headers={"sec-fetch-mode": "cors"}).status_code == 403
    assert stage.visit("ana").get(path, headers={"sec-fetch-mode": "navigate"}).status_code == 200

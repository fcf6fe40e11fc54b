"""The tables of states: closed, and nothing moves that they do not list."""

from __future__ import annotations

import pytest

from hub.domain import lifecycle
from hub.domain.errors import Conflict
from hub.domain.lifecycle import SubmissionState


@pytest.mark.parametrize("name", lifecycle.TABLES)
def test_every_state_is_in_its_table_and_reachable(name: str) -> None:
    table = lifecycle.TABLES[name]
    first = next(iter(table))
    assert set(table) == set(type(first))
    reached, frontier = {first}, [first]
    while frontier:
        for target in table[frontier.pop()]:
            if target not in reached:
                reached.add(target)
                frontier.append(target)
    assert reached == set(table)


@pytest.mark.parametrize("state", SubmissionState)
def test_nothing_is_released_but_what_was_approved(state: SubmissionState) -> None:
    if state is SubmissionState.APPROVED:
        assert lifecycle.move(lifecycle.SUBMISSION, state, SubmissionState.RELEASED)
        return
    with pytest.raises(Conflict) as refused:
        lifecycle.move(lifecycle.SUBMISSION, state, SubmissionState.RELEASED)
    assert refused.value.code == "wrong_state"

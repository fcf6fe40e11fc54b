"""Rigs of real gate processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.gate.harness import Desk, Rig


@pytest.fixture
def own_rig() -> Iterator[Rig]:
    """A gate process for one test, with one open session, s1: ana's desk of the project wages."""
    made = Rig()
    try:
        made.write_session()
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def shared_rig() -> Iterator[Rig]:
    """A gate process for the tests of one module that neither kill it nor break its surroundings."""
    made = Rig()
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def rig(shared_rig: Rig) -> Rig:
    """The shared gate with s1 as in `own_rig`, its desk not yet listening."""
    shared_rig.reset()
    shared_rig.write_session()
    return shared_rig


@pytest.fixture
def desk(rig: Rig) -> Desk:
    """Ana's desk in the shared gate."""
    return rig.open_desk()

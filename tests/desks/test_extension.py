"""The JupyterLab extension's own tests, in the stage of the desk image that builds it from source."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

STAGE = "vitrine-extension"


@pytest.fixture(scope="module", autouse=True)
def stage() -> None:
    """The stage under a name; the image build has made it, so this only finds it again."""
    done = subprocess.run(
        [str(ROOT / "scripts" / "images.sh"), "extension"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("script", "proof"),
    [("test", r"Tests:\s+\d+ passed"), ("test:types", r""), ("lint:check", r"")],
)
def test_of_the_extension_passes(script: str, proof: str) -> None:
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", STAGE, "jlpm", script],
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert re.search(proof, output)

"""The desk image, started as the hub starts it: what a session needs is there, and nothing else is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars
import pytest

from hub.documents.outputs import Declaration
from hub.gate.routes import find_route
from tests.desks.containers import DEADLINE, ENDS_AT, IMAGE, LOCKED, docker
from tests.desks.started import BASE, START, Desk, empty_folders, remove, start_desk
from tests.unit.desk.conftest import make_extract
from tests.unit.extension.gates import Gate, listening

pytestmark = pytest.mark.containers

# What a stock server reads from a person's folder.
OWN_CONFIGURATION = {
    ".jupyter/jupyter_server_config.py": "c.ServerApp.base_url = '/mine/'\n",
    ".jupyter/jupyter_server_config.d/x.json": '{"ServerApp": {"jpserver_extensions": {"jupyter_lsp": 1}}}',
    ".jupyter/labconfig/page_config.json": '{"disabledExtensions": {"vitrine-output-check": true}}',
    ".jupyter/custom/custom.css": "body { display: none }",
    ".local/lib/python3.13/site-packages/sitecustomize.py": "raise SystemExit('mine')\n",
    ".local/share/jupyter/kernels/mine/kernel.json": '{"argv": ["sh"], "display_name": "mine"}',
    "sitecustomize.py": "raise SystemExit('mine')\n",
    "jupyterlab.py": "raise SystemExit('mine')\n",
    "jupyter_server_config.py": "raise SystemExit('mine')\n",
}


def make_folders() -> Path:
    """The folders of a desk, with a table in the extract and one in the home."""
    folder = empty_folders()
    # Nothing but the mount keeps a desk from writing here.
    polars.DataFrame({"year": [2019, 2020], "wage": [30.5, 31.5]}).write_parquet(
        folder / "data" / "a.parquet"
    )
    (folder / "data" / "a.parquet").chmod(0o666)
    (folder / "home" / "table.csv").write_text("year,mean\n2020,31\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    folder = make_folders()
    for name, text in OWN_CONFIGURATION.items():
        path = folder / "home" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    started = start_desk(folder)
    yield started
    remove(started)


PROBE = """
import json, os, pathlib, socket
found = {}

def tried(name, call):
    try:
        call()
    except Exception as error:
        found[name] = type(error).__name__
    else:
        found[name] = "done"

lines = open("/proc/self/status").read().splitlines()
found.update(line.split(":\\t", 1) for line in lines if line.startswith(("Cap", "NoNewPrivs", "Seccomp:")))
found["uid"] = [*os.getresuid(), *os.getresgid()]
found["groups"] = sorted(os.getgroups())
found["interfaces"] = sorted(os.listdir("/sys/class/net"))
found["environment"] = dict(os.environ)
found["docker"] = [str(path) for path in pathlib.Path("/run").rglob("*docker*")] + [
    path for path in ("/var/run/docker.sock", "/run/docker.sock") if os.path.exists(path)
]
found["mounts"] = [line.split()[1] for line in open("/proc/self/mounts")]
for name in ("/", "/etc", "/opt/desk", "/usr/local/bin", "/var/tmp", "/data", "/root", "/run"):
    tried(f"write {name}", lambda: open(os.path.join(name, "x"), "w"))
for name in ("/home/researcher", "/shared", "/tmp", "/run/desk"):
    tried(f"keep {name}", lambda: open(os.path.join(name, "kept"), "w").write("x"))
tried("overwrite", lambda: open("/data/a.parquet", "ab"))
tried("remove", lambda: os.unlink("/data/a.parquet"))
tried("mode", lambda: os.chmod("/data/a.parquet", 0o666))
tried("remount", lambda: os.mkdir("/data/mine"))
tried("internet", lambda: socket.create_connection(("1.1.1.1", 53), 2))
tried("name", lambda: socket.getaddrinfo("example.org", 443))
tried("raw", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
tried("namespace", lambda: os.unshare(os.CLONE_NEWUSER))
import pandas, polars
found["pandas"] = float(pandas.read_parquet("/data/a.parquet")["wage"].mean())
found["polars"] = float(polars.scan_parquet("/data/*.parquet").collect()["wage"].mean())
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(desk: Desk) -> dict[str, Any]:
    """What one notebook cell sees and may do."""
    probed: dict[str, Any] = json.loads(desk.run(PROBE))
    return probed


def test_start_is_refused_without_a_prefix() -> None:
    for value in ("", "user/ana", "/user/ana"):
        run = docker(
            "run", "--rm", *LOCKED, f"--env=VITRINE_BASE_URL={value}", IMAGE,
            DEADLINE, "9999999999", "--ends-at-file", ENDS_AT, "--", START,
            check=False,
        )  # fmt: skip
        assert run.returncode == 64
        assert "VITRINE_BASE_URL" in run.stderr


def test_the_image_alone_refuses_to_start() -> None:
    """Without the hub's word until when, there is no desk."""
    assert docker("run", "--rm", *LOCKED, IMAGE, check=False).returncode == 64


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((name, "0000000000000000") for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")),
        ("NoNewPrivs", "1"),
        ("Seccomp", "2"),
        ("uid", [1000] * 6),
        ("groups", [1000]),
        ("interfaces", ["lo"]),
        ("docker", []),
    ],
)
def test_a_cell_holds_no_right(found: dict[str, Any], key: str, value: object) -> None:
    assert found[key] == value


@pytest.mark.parametrize(
    ("deed", "errors"),
    [
        *(
            (f"write {name}", {"OSError"})
            for name in ("/", "/etc", "/opt/desk", "/usr/local/bin", "/var/tmp", "/run")
        ),
        ("write /root", {"OSError", "PermissionError"}),
        ("write /data", {"OSError"}),
        ("overwrite", {"OSError"}),
        ("remove", {"OSError"}),
        ("mode", {"OSError"}),
        ("remount", {"OSError"}),
        ("internet", {"OSError"}),
        ("name", {"gaierror"}),
        ("raw", {"PermissionError"}),
        ("namespace", {"PermissionError"}),
    ],
)
def test_a_cell_cannot(found: dict[str, Any], deed: str, errors: set[str]) -> None:
    assert found[deed] in errors


@pytest.mark.parametrize("place", ["/home/researcher", "/shared", "/tmp", "/run/desk"])
def test_a_cell_may_write_only_here(found: dict[str, Any], place: str) -> None:
    assert found[f"keep {place}"] == "done"


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_cell_reads_the_data(found: dict[str, Any], library: str) -> None:
    assert found[library] == 31.0


def test_the_environment_is_this_and_nothing_else(found: dict[str, Any]) -> None:
    """No token, no secret, no address: a list, so that a new variable has to be looked at."""
    ours = {"VITRINE_BASE_URL", "VITRINE_LOCALE", "VITRINE_PROJECT"}
    shell = {"CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "GIT_PAGER", "PAGER", "TERM"}  # of ipykernel
    system = {"HOME", "HOSTNAME", "LANG", "PATH", "PWD", "SHELL", "OLDPWD"}
    python = {"PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE", "PYDEVD_USE_FRAME_EVAL"}
    plots = {"MPLCONFIGDIR", "MPLBACKEND"}
    trust = {"NODE_EXTRA_CA_CERTS", "PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "YARN_CA_FILE_PATH"}
    pip = {"PIP_DISABLE_PIP_VERSION_CHECK", "PIP_ROOT_USER_ACTION"}
    folders = {"JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"}
    kernel = {"JPY_PARENT_PID", "JPY_SESSION_NAME"}
    allowed = ours | shell | system | python | plots | trust | pip | folders | kernel
    assert set(found["environment"]) <= allowed
    assert found["environment"]["VITRINE_BASE_URL"] == BASE


@pytest.mark.parametrize(
    "path",
    [
        "files/table.csv",
        "files/data/a.parquet",
        "/files/table.csv",
        "%66iles/table.csv",
        "files%2ftable.csv",
        "nbconvert/html/a.ipynb",
        "api/nbconvert",
        "view/table.csv",
        "api/config/x",
        "api/security/csp-report",
        "custom/custom.css",
        "lsp/status",
        "kernelspecs/mine/kernel.json",
        "tree",
        "notebooks/a.ipynb",
        "static/../../../etc/passwd",
    ],
)
def test_no_such_service(desk: Desk, path: str) -> None:
    answer = desk.ask(path)
    assert answer.status in {302, 403, 404, 405}
    assert b"2020,31" not in answer.body
    if answer.status == 302:  # the Lab's own page, which then finds nothing
        assert answer.headers["Location"].startswith(f"{BASE}lab")


def test_a_path_below_lab_is_labs_own_page(desk: Desk) -> None:
    answer = desk.ask("lab/../files/table.csv")
    assert b"jupyter-config-data" in answer.body
    assert b"2020,31" not in answer.body


@pytest.mark.parametrize("path", ["api/shutdown", "api/terminals/x", "api/security/csp-report"])
def test_no_such_deed(desk: Desk, path: str) -> None:
    assert desk.ask(path, {}).status in {403, 404, 405}


def test_nothing_answers_outside_the_prefix(desk: Desk) -> None:
    assert desk.ask("api/status", base="/").status == 404
    assert desk.ask("api/status", base="/mine/").status == 404


def test_the_persons_own_configuration_is_not_read(desk: Desk) -> None:
    page = desk.ask("lab").body.decode()
    start = page.index('id="jupyter-config-data"')
    config = json.loads(page[page.index("{", start) : page.index("</script>", start)])
    extensions = [extension["name"] for extension in config["federated_extensions"]]
    assert "vitrine-output-check" in extensions
    assert "vitrine-output-check" not in config["disabledExtensions"]
    assert "@jupyterlab/filebrowser-extension:download" in config["disabledExtensions"]
    assert config["news"] == {"disabled": True}
    assert config["token"] == ""
    assert sorted(desk.ask("api/kernelspecs").json()["kernelspecs"]) == ["ir", "python3"]


def test_lab_speaks_french_unless_told_otherwise(desk: Desk) -> None:
    setting = desk.ask("lab/api/settings/@jupyterlab/translation-extension:plugin").json()
    assert setting["schema"]["properties"]["locale"]["default"] == "fr_FR"
    catalogue = desk.ask("lab/api/translations/fr_FR").json()
    assert catalogue["data"]["jupyterlab"]["Rename"] == ["Renommer"]


def test_lab_speaks_english_on_demand() -> None:
    desk = start_desk(make_folders(), "--env=VITRINE_LOCALE=en")
    try:
        setting = desk.ask("lab/api/settings/@jupyterlab/translation-extension:plugin").json()
        assert setting["schema"]["properties"]["locale"]["default"] == "en"
    finally:
        remove(desk)


def test_preferences_and_layout_are_kept_in_the_home(desk: Desk) -> None:
    raw = {"raw": '{"theme": "JupyterLab Dark"}'}
    assert desk.ask("lab/api/settings/@jupyterlab/apputils-extension:themes", raw, "PUT").status == 204
    layout = {"data": {}, "metadata": {"id": "default"}}
    assert desk.ask("lab/api/workspaces/default", layout, "PUT").status == 204
    kept = {path.name for path in (desk.folder / "home" / ".jupyter-desk").rglob("*") if path.is_file()}
    assert {"themes.jupyterlab-settings"} <= kept
    assert any(name.endswith(".jupyterlab-workspace") for name in kept)


def test_the_file_browser_shows_home_data_and_shared(desk: Desk) -> None:
    assert {"data", "shared", "table.csv"} <= {
        each["name"] for each in desk.ask("api/contents").json()["content"]
    }
    assert [each["name"] for each in desk.ask("api/contents/data").json()["content"]] == ["a.parquet"]


def test_a_notebook_is_saved(desk: Desk) -> None:
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    model = {"type": "notebook", "format": "json", "content": notebook}
    assert desk.ask("api/contents/a.ipynb", model, "PUT").status == 201
    assert (desk.folder / "home" / "a.ipynb").is_file()


def test_matplotlib_draws_without_building_its_font_list(desk: Desk) -> None:
    code = """
import matplotlib.pyplot as plt
plt.plot([1, 2]); plt.title("Salaire médian (€)"); plt.savefig("/tmp/a.png")
import matplotlib, glob
print(open("/tmp/a.png", "rb").read(4))
print(len(glob.glob(matplotlib.get_cachedir() + "/fontlist-*.json")))
"""
    assert desk.run(code).split() == [r"b'\x89PNG'", "1"]


def test_statistics_run(desk: Desk) -> None:
    code = """
import numpy, statsmodels.api as sm
x = numpy.arange(20.0)
print(round(sm.OLS(3 * x + 1, sm.add_constant(x)).fit().params[1], 6))
"""
    assert desk.run(code).strip() == "3.0"


def test_r_is_in_the_launcher_with_its_picture(desk: Desk) -> None:
    described = desk.ask("api/kernelspecs").json()["kernelspecs"]["ir"]
    assert described["spec"]["display_name"] == "R"
    assert "logo-64x64" in described["resources"]
    for logo in described["resources"].values():
        rest = tuple(logo.removeprefix(BASE).split("/"))
        assert rest[-1] == "kernel.js" or find_route("GET", rest) is not None


def test_r_runs_what_official_statisticians_use(desk: Desk) -> None:
    code = """
suppressPackageStartupMessages({library(tidyverse); library(data.table); library(haven); library(survey)})
d <- vitrine::read_parquet("/data/a.parquet")
cat(names(d), class(d)[1], nrow(d), mean(d$wage), "\n")
"""
    assert desk.run(code, "ir").split() == ["year", "wage", "tbl_df", "2", "31"]


DECLARED = {
    "python3": """
import os; os.environ.update(VITRINE_EXTRACT="/home/researcher/extract", VITRINE_LOCALE="fr")
import vitrine
d = vitrine.read_extract("people")
vitrine.table(d, by=["region"], stat="mean", of="wage", file="p.csv", where=("age", ">=", 30))
vitrine.regression("wage ~ age + C(region)", d, file="r.csv")
try:
    vitrine.table(d.assign(band=d["age"] // 10), by=["band"], file="x.csv")
except vitrine.NotDeclarable as refusal:
    print(refusal)
""",
    "ir": """
Sys.setenv(VITRINE_EXTRACT="/home/researcher/extract", VITRINE_LOCALE="fr")
library(vitrine)
d <- read_extract("people")
t <- vitrine_table(d, by="region", stat="mean", of="wage", file="p.csv", where=list("age", ">=", 30))
r <- vitrine_regression(lm(wage ~ age + factor(region), data=d), file="r.csv")
d$band <- d$age %/% 10
cat(tryCatch(vitrine_table(d, by="band", file="x.csv"), error=conditionMessage))
""",
}


@pytest.mark.parametrize("language", DECLARED)
def test_declared_outputs_in_both_languages(desk: Desk, language: str) -> None:
    folder = desk.folder / "home" / "extract"
    folder.mkdir(mode=0o777, exist_ok=True)
    frame = make_extract(folder)
    said = desk.run(DECLARED[language], language)
    assert "une variable dérivée ne se déclare pas" in said
    home = desk.folder / "home"
    declared = [
        Declaration.model_validate_json((home / f"{name}.csv.spec.json").read_text(encoding="utf-8")).output
        for name in ("p", "r")
    ]
    assert declared[0].model_dump(mode="json")["where"] == {
        "field": "age",
        "operator": ">=",
        "values": [30],
    }
    assert [term.variables for term in declared[1].terms] == [("age",), ("region",)]
    wanted = frame[frame["age"] >= 30].groupby("region")["wage"].mean()
    shown = polars.read_csv(home / "p.csv")
    assert shown["mean_wage"].to_list() == pytest.approx(wanted.tolist(), rel=1e-5)
    assert polars.read_csv(home / "r.csv")["term"][:2].to_list() == ["Intercept", "age"]
    for path in home.glob("[pr].csv*"):
        path.chmod(0o666)


MERGED_AND_MOVED = """
Sys.setenv(VITRINE_EXTRACT="/home/researcher/extract", VITRINE_LOCALE="fr")
library(vitrine)
d <- read_extract("people")
t <- vitrine_merge(vitrine_table(d, by="region", file="m.csv"), "region", groups=list(South=c(3, 4)))
u <- vitrine_table(d, by="employed", stat="transition", time="year", file="t.csv")
cat("made")
"""


def test_merged_categories_and_transitions_from_r(desk: Desk) -> None:
    folder = desk.folder / "home" / "extract"
    folder.mkdir(mode=0o777, exist_ok=True)
    frame = make_extract(folder)
    assert "made" in desk.run(MERGED_AND_MOVED, "ir")
    home = desk.folder / "home"
    merged = dict(polars.read_csv(home / "m.csv").rows())
    sizes = frame["region"].value_counts()
    assert merged == {"1": sizes[1], "2": sizes[2], "South": sizes[3] + sizes[4]}
    moved = polars.read_csv(home / "t.csv")
    pairs = frame.assign(to=frame.groupby("pid")["employed"].shift(-1)).dropna(subset="to")
    counted = pairs.groupby(["employed", "to"]).size()
    assert moved["transitions"].to_list() == counted.to_list()
    for path in home.glob("[mt].csv*"):
        path.chmod(0o666)


def test_an_idle_desk_is_small() -> None:
    """R and its packages cost disk, not memory: nothing of them runs before a notebook asks."""
    desk = start_desk(make_folders())
    try:
        used = docker("stats", "--no-stream", "--format={{.MemUsage}}", desk.container.identifier).stdout
        processes = docker("exec", desk.container.identifier, "ps", "-eo", "comm=").stdout.split()
        assert "R" not in processes
        number, unit = re.match(r"([\d.]+)(\w+)", used).groups()
        assert unit == "MiB"
        assert float(number) < 150
    finally:
        remove(desk)


def test_a_terminal_opens(desk: Desk) -> None:
    opened = desk.ask("api/terminals", {})
    assert opened.status == 200
    assert desk.ask(f"api/terminals/{opened.json()['name']}", method="DELETE").status == 204


def test_submissions_go_from_lab_and_terminal_to_the_socket(desk: Desk) -> None:
    absent = desk.ask("vitrine/session")
    assert (absent.status, absent.json()["error"]["code"]) == (503, "gate_unreachable")
    with listening(Gate(desk.folder / "run" / "submit.sock")) as gate:
        gate.path.chmod(0o666)
        gate.answer = {"project": {"slug": "wages"}}
        assert desk.ask("vitrine/session").json() == gate.answer
        refused = desk.ask("vitrine/submissions", {"paths": ["data/a.parquet"], "form": {"what": "x"}})
        assert (refused.status, refused.json()["error"]["code"]) == (403, "from_data")
        gate.status, gate.answer = 201, {"id": "x1", "number": 1, "state": "SUBMITTED", "files": []}
        assert desk.ask("vitrine/submissions", {"paths": ["table.csv"], "form": {"what": "x"}}).status == 201
        said = desk.run(
            "import subprocess; command = ['submit', 'table.csv', '--note', 'x']\n"
            "print(subprocess.run(command, capture_output=True, text=True, check=False))"
        )
        assert "Soumission n° 1 : déposée" in said
        assert [heard.parts()[1] for heard in gate.heard[-2:]] == [
            ("file", "table.csv", b"year,mean\n2020,31\n")
        ] * 2
    gate.path.unlink()


def test_the_image_carries_no_tools_and_no_risen_rights() -> None:
    script = """
find / -xdev -perm /6000 -type f
for program in gcc cc node npm jlpm-cache pip git curl wget ssh sudo; do command -v $program; done
ls /var/lib/apt/lists | grep -v -e partial -e lock
find / -writable -type d -not -path '/proc/*' -not -path '/dev/*' 2>/dev/null
stat -c '%a %U' /usr/local/sbin/deadline
"""
    found = docker("run", "--rm", *LOCKED, IMAGE, "sh", "-c", script).stdout
    assert found.split() == ["/tmp", "711", "root"]


def test_a_used_home_opens_again() -> None:
    """Seen: once a kernel had run, jupyter-core wanted to move its old files and the desk died at start."""
    folder = make_folders()
    first = start_desk(folder)
    try:
        assert first.run("print(1)").strip() == "1"
        assert (folder / "home" / ".ipython").is_dir()
    finally:
        first.container.remove()
    second = start_desk(folder)
    try:
        assert second.run("print(2)").strip() == "2"
    finally:
        remove(second)

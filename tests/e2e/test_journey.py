"""One researcher's whole way, on the compose stack, in a real browser (screenshots in the test report)."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Download, Locator, Page, expect

from tests.e2e.conftest import Stack, shot, sign_in, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.containers, pytest.mark.timeout(600)]

PORTAL = "/services/portal"
DESK = "/user/ana/cps-wages"
CELL = """
import polars as pl
units = pl.scan_parquet("/data/*.parquet")
table = (
    units.group_by("fips")
    .agg(pl.len().alias("unites"), (pl.col("e00200").mean() / 100).round().alias("salaire_moyen"))
    .sort("fips")
    .collect()
)
table.write_csv("salaires.csv")
units.limit(30).collect().write_csv("brut.csv")
try:
    open("/data/essai", "w")
except OSError as error:
    print("LECTURE SEULE", error.errno)
print("TABLE", table.height)
"""


def open_desk(page: Page, stack: Stack, slug: str) -> None:
    """From the portal's card to JupyterLab with its banner."""
    page.goto(f"{stack.url}{PORTAL}/")
    page.click(f"[data-testid=open-desk-{slug}]")
    page.wait_for_url(f"**/user/ana/{slug}/lab**", timeout=60_000)
    page.wait_for_selector(".vtr-Banner", timeout=60_000)
    page.wait_for_selector(".jp-LauncherCard", timeout=60_000)


def run_notebook(page: Page) -> None:
    """A new notebook, one cell, its output."""
    page.click('.jp-LauncherCard[data-category="Notebook"]')
    page.wait_for_selector(".jp-Notebook .jp-Cell .cm-content", timeout=60_000)
    # Lab runs a cell only once the kernel has answered; before that it moves on and says nothing.
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Inactif", timeout=60_000)
    cell = page.locator(".jp-Notebook .jp-Cell .cm-content").first
    cell.click()
    page.keyboard.insert_text(CELL.strip())
    expect(cell).to_contain_text('print("TABLE", table.height)')
    page.keyboard.press("Shift+Enter")
    output = page.locator(".jp-OutputArea-output").first
    expect(output).to_contain_text("TABLE", timeout=60_000)
    expect(output).to_contain_text("LECTURE SEULE 30")  # EROFS


def menu_words(page: Page) -> list[str]:
    return [word.strip() for word in page.locator(".lm-Menu-itemLabel").all_inner_texts() if word.strip()]


TAKES_OUT = re.compile(
    r"télécharger|download|exporter|export|imprimer|print|nouvel onglet|new browser tab", re.IGNORECASE
)


def no_way_out_but_submission(page: Page) -> None:
    """The file menu and the file browser's menu offer the submission, and nothing that takes a file out."""
    page.click('.lm-MenuBar-itemLabel:text-is("Fichier")')
    words = menu_words(page)
    shot(page, "03-file-menu")
    assert any("Soumettre au contrôle de sortie" in word for word in words), words
    assert [word for word in words if TAKES_OUT.search(word)] == []
    page.keyboard.press("Escape")
    page.click('.jp-DirListing-item:has-text("salaires.csv")', button="right")
    words = menu_words(page)
    shot(page, "04-context-menu")
    assert any("Soumettre au contrôle de sortie" in word for word in words), words
    assert [word for word in words if TAKES_OUT.search(word)] == []


def gate_refuses(context: BrowserContext, stack: Stack) -> None:
    """The same by hand: what serves files answers 403, whatever the desk would say."""
    for route in (
        "/files/salaires.csv",
        "/nbconvert/html/Untitled.ipynb",
        "/view/salaires.csv",
        "//files/salaires.csv",
        "/%66iles/salaires.csv",
        "/lab/../files/salaires.csv",
        "/files%2fsalaires.csv",
        "/custom/custom.css",
        "/proxy/8888/",
    ):
        answer = context.request.get(f"{stack.url}{DESK}{route}", max_redirects=0)
        assert answer.status in (400, 403), (route, answer.status)


def number_in(text: str) -> int:
    """The submission's number in a sentence about it."""
    found = re.search(r"n°\s*(\d+)", text, re.IGNORECASE)
    assert found, text
    return int(found[1])


def send(page: Page) -> int:
    """Send the open form; the number it got."""
    page.click(".vtr-Form-submit")
    page.wait_for_selector("[data-testid=vtr-form-sent]", timeout=60_000)
    return number_in(page.locator("[data-testid=vtr-form-sent]").inner_text())


def submit_in_form(page: Page, what: str, name: str) -> int:
    """The form behind the context menu, filled in and sent; the number it got."""
    page.click('.lm-Menu-itemLabel:has-text("Soumettre au contrôle de sortie")')
    page.wait_for_selector(".vtr-Form")
    expect(page.locator(".vtr-Form")).to_contain_text(name)
    for field, value in {
        "what": what,
        "population": "Contribuables de 18 à 66 ans",
        "variables": "fips, e00200",
        "counts": "Colonne « unites », au moins 1 000 par ligne",
        "purpose": "Tableau 1 de l'article",
    }.items():
        page.fill(f"[data-vtr-field={field}]", value)
    shot(page, "05-form")
    number = send(page)
    shot(page, "06-sent")
    page.click(".vtr-Form-sent .vtr-mod-accept")
    page.wait_for_selector(".vtr-Panel .vtr-Submission")
    return number


def vote(page: Page, stack: Stack, number: int, decision: str, comment: str, name: str) -> None:
    """Through the queue to the file, its findings, and the vote."""
    page.goto(f"{stack.url}{PORTAL}/review")
    shot(page, f"{name}-queue")
    page.click(f"[data-testid=review-{number}]")
    expect(page.locator("[data-testid=rendered]")).to_be_visible()
    if comment:
        page.fill("[data-testid=vote-comment]", comment)
    if decision == "approve":  # each finding judged, each control confirmed
        for tick in page.locator("section.vote input[type=checkbox]").all():
            tick.check()
    shot(page, f"{name}-file")
    page.click(f"[data-testid=vote-{decision}]")
    page.wait_for_load_state()


def download(page: Page, stack: Stack, number: int) -> bytes:
    page.goto(f"{stack.url}{PORTAL}/submissions")
    page.click(f"[data-testid=submission-{number}] a")
    expect(page.locator("[data-testid=submission-state]")).to_have_attribute("data-state", "RELEASED")
    shot(page, "13-released")
    with page.expect_download() as waiting:
        page.click("[data-testid=download-0]")
    got: Download = waiting.value
    assert got.suggested_filename == "salaires.csv"
    return got.path().read_bytes()


def in_panel(page: Page, number: int) -> Locator:
    """The submission's card in the desk's panel."""
    numbered = page.locator(".vtr-Submission-number", has_text=re.compile(rf"\b{number}$"))
    return page.locator(".vtr-Submission", has=numbered)


def make_project(page: Page, stack: Stack) -> None:
    """bob provisions a second project in the portal's form; a mistake first, named beside its field."""
    page.goto(f"{stack.url}{PORTAL}/admin/projects/new")
    page.fill("#slug", "prestations")
    page.fill("#title", "Prestations en nature")
    page.fill("#purpose", "À des fins statistiques.")
    page.check('input[name=people][value="ana"]')
    page.fill("#starts_at", "2026-01-01")
    page.fill("#ends_at", "2025-01-01")
    page.select_option('[name="extract.source"]', "cps")
    page.fill('[name="extract.columns"]', "fips\nsnap_ben")
    page.click("[data-testid=create-project]")
    expect(page.locator("#ends_at")).to_have_attribute("aria-invalid", "true")
    shot(page, "15-project-refused")
    page.fill("#ends_at", "2099-12-31")
    page.click("[data-testid=create-project]")
    page.wait_for_url("**/projects/prestations**")
    shot(page, "16-project-made")


def make_short_project(stack: Stack, folder: Path, seconds: float) -> datetime:
    """bob provisions a third from the operator's command line; it ends in seconds."""
    now = datetime.now(UTC)
    document = {
        "slug": "bref",
        "title": "Projet bref",
        "purpose": "Finit dans quelques secondes.",
        "kind": "open-data",
        "tier": "open",
        "people": ["ana"],
        "starts_at": (now - timedelta(days=1)).isoformat(timespec="seconds"),
        "ends_at": (now + timedelta(seconds=seconds)).isoformat(timespec="seconds"),
        "extract": {"source": "cps", "columns": ["fips", "e00200"]},
    }
    file = folder / "bref.yaml"
    file.write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML
    assert "bref" in stack.script("vitrine.sh", "project", "create", str(file), "--as", "bob")
    refused = stack.vitrine("project", "create", "-", "--as", "ana", stdin=file.read_text(encoding="utf-8"))
    assert (refused.returncode, "no_permission" in refused.stderr) == (2, True)
    wait_for(lambda: "bref/v1 SEALED" in stack.vitrine("project", "list").stdout, 60, "extract sealed")
    return now + timedelta(seconds=seconds)


def ends(page: Page, stack: Stack, ends_at: datetime) -> None:
    """The desk dies at the end, the page says why, and a new one is refused."""
    wait_for(lambda: datetime.now(UTC) >= ends_at, 120, "the end")
    wait_for(
        lambda: page.request.get(f"{stack.url}/user/ana/bref/api/status").status != 200, 3, "the gate closes"
    )
    wait_for(lambda: not any("bref" in name for name in stack.desk_names()), 12, "the desk is gone")
    page.goto(f"{stack.url}{PORTAL}/projects/bref")
    expect(page.locator("[data-testid=closed-reason]")).to_have_attribute("data-reason", "project_ended")
    expect(page.locator("[data-testid=open-desk-bref]")).to_have_count(0)
    shot(page, "18-ended")
    page.goto(f"{stack.url}{PORTAL}/projects/bref/desk")
    expect(page.locator("body")).to_contain_text("terminé")


STEPS = [
    "person.added", "source.registered", "project.created", "extract.sealed", "project.activated",
    "session.granted", "session.started", "submission.submitted", "submission.viewed", "review.voted",
    "submission.returned", "submission.approved", "submission.released", "release.downloaded",
    "project.ended", "session.ended",
]  # fmt: skip


def eve_reads(page: Page, stack: Stack) -> None:
    """The auditor finds every step with actor, time and object, and the chain holds."""
    page.goto(f"{stack.url}{PORTAL}/audit")
    expect(page.locator("[data-testid=audit-row]").first).to_be_visible()
    shot(page, "19-audit")
    entries = stack.audit()
    assert {entry["action"] for entry in entries} >= set(STEPS)
    assert all(entry["actor"] and entry["at"] and entry["object"] for entry in entries)
    voters = {entry["actor"] for entry in entries if entry["action"] == "review.voted"}
    assert voters == {"chloe", "denis"}
    done = stack.vitrine("audit", "verify")
    assert done.returncode == 0, done.stdout


def test_journey(stack: Stack, browser: Browser, tmp_path: Path) -> None:  # noqa: PLR0915  # eight steps of one way
    ana_context, ana = sign_in(browser, stack, "ana")
    asked: list[str] = []
    ana.on("request", lambda request: asked.append(request.url))
    expect(ana.locator("[data-testid=project-cps-wages]")).to_contain_text("jours")
    shot(ana, "01-projects")

    # 1. The desk: banner, notebook on /data, which is read-only.
    open_desk(ana, stack, "cps-wages")
    banner = ana.locator(".vtr-Banner")
    expect(banner).to_contain_text("Salaires et prestations des ménages")
    expect(banner).to_contain_text("Temps restant")
    run_notebook(ana)
    shot(ana, "02-desk")

    # 2. No way out but submission.
    ana.wait_for_selector('.jp-DirListing-item:has-text("salaires.csv")', timeout=30_000)
    no_way_out_but_submission(ana)
    gate_refuses(ana_context, stack)

    # 3. Submit from the form, and from a terminal.
    table = submit_in_form(ana, "Salaire moyen par État", "salaires.csv")
    (desk,) = (one for one in stack.desks() if stack.desk_name(one).endswith("ana--cps-wages"))
    done = stack.in_desk(desk, "submit", "brut.csv", "--note", "Extrait de contrôle")
    assert done.returncode == 0, done.stderr
    rows = number_in(done.stdout)
    expect(in_panel(ana, table)).to_have_attribute("data-state", "SUBMITTED", timeout=40_000)
    expect(in_panel(ana, rows)).to_have_attribute("data-state", "SUBMITTED", timeout=40_000)
    shot(ana, "07-panel")
    assert ana_context.request.get(f"{stack.url}{PORTAL}/review").status == 403

    # 4. Two checkers, each blind to the other.
    _, chloe = sign_in(browser, stack, "chloe")
    _, denis = sign_in(browser, stack, "denis")
    chloe.goto(f"{stack.url}{PORTAL}/review")
    chloe.click(f"[data-testid=review-{rows}]")
    expect(chloe.locator("[data-testid=finding]").first).to_be_visible()
    shot(chloe, "08-row-level")
    vote(chloe, stack, table, "return", "Indiquez la population non pondérée.", "09-chloe")
    expect(chloe.locator("[data-testid=vote-hidden]")).to_be_visible()
    denis.goto(f"{stack.url}{PORTAL}/review")
    denis.click(f"[data-testid=review-{table}]")
    expect(denis.locator("body")).not_to_contain_text("non pondérée")
    vote(denis, stack, table, "approve", "", "10-denis")
    expect(denis.locator("body")).to_contain_text("Indiquez la population non pondérée.")

    # 5. Returned with the comment, submitted again, approved twice, released, downloaded.
    returned = in_panel(ana, table)
    expect(returned).to_contain_text("Indiquez la population non pondérée.", timeout=40_000)
    shot(ana, "11-returned")
    returned.locator(".vtr-Submission-actions .vtr-mod-accept").click()
    ana.wait_for_selector(".vtr-Form")
    expect(ana.locator("[data-vtr-field=what]")).to_have_value("Salaire moyen par État")
    ana.fill("[data-vtr-field=population]", "Contribuables de 18 à 66 ans, effectifs non pondérés")
    shot(ana, "12-resubmit")
    again = send(ana)
    vote(chloe, stack, again, "approve", "", "12-chloe")
    vote(denis, stack, again, "approve", "", "12-denis")
    content = download(ana, stack, again)
    # The table has the form in which tables leave already, so it leaves as the desk wrote it.
    expected = stack.in_desk(desk, "sha256sum", "salaires.csv").stdout.split()[0]
    assert hashlib.sha256(content).hexdigest() == expected
    assert content.startswith(b"fips,unites,salaire_moyen\n")

    # 6. bob provisions, in the portal and on the command line.
    _, bob = sign_in(browser, stack, "bob")
    shot(bob, "14-admin")
    make_project(bob, stack)

    # 7. A project ends while its desk is open.
    ends_at = make_short_project(stack, tmp_path, 40)
    open_desk(ana, stack, "bref")
    shot(ana, "17-soon-over")
    ends(ana, stack, ends_at)

    # 8. The auditor.
    _, eve = sign_in(browser, stack, "eve")
    eve_reads(eve, stack)

    served = [url for url in asked if re.search(r"/user/ana/[^/]+/(files|nbconvert|view)/", url)]
    assert served == []
    for context in browser.contexts:
        context.close()


SWAP = (
    "UPDATE audit_events SET seq = 100002 WHERE seq = 2; "
    "UPDATE audit_events SET seq = 2 WHERE seq = 3; "
    "UPDATE audit_events SET seq = 3 WHERE seq = 100002"
)


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("UPDATE audit_events SET actor = 'mallory' WHERE seq = 3", "entry 3 was changed"),
        ("DELETE FROM audit_events WHERE seq = 3", "entry 3 is missing"),
        (SWAP, "entry 2"),
    ],
)
def test_verify_names_the_first_bad_entry_in_the_stacks_database(
    stack: Stack, statement: str, word: str
) -> None:
    """Whoever can write the database is seen; afterwards the table is put back."""
    stack.sql("CREATE TABLE kept AS SELECT * FROM audit_events")
    try:
        stack.sql(statement)
        done = stack.vitrine("audit", "verify")
        assert done.returncode == 1
        assert word in done.stdout
    finally:
        stack.sql("DELETE FROM audit_events; INSERT INTO audit_events SELECT * FROM kept; DROP TABLE kept")
    assert stack.vitrine("audit", "verify").returncode == 0

"""The `vitrine` command."""

from __future__ import annotations

import typer

from hub.commands import checks, demo, docs, extracts, portal, records, releases, requests, services

app = typer.Typer(
    help="Vitrine: a secure virtual research desktop.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(records.person, name="person")
app.add_typer(records.project, name="project")
app.add_typer(requests.request, name="request")
app.add_typer(records.source, name="source")
app.add_typer(extracts.extract, name="extract")
app.add_typer(records.audit, name="audit")
app.add_typer(releases.release, name="release")
app.add_typer(services.database, name="db")
app.add_typer(demo.demo, name="demo")
app.command("portal")(portal.portal)
app.command("gate")(services.gate)
app.command("sweeper")(services.sweeper)
app.command("check")(checks.check)
app.command("docs")(docs.write_docs)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()

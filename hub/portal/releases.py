"""Downloads of what was released: the exact bytes that were reviewed, verified on their way out."""

from __future__ import annotations

import base64
from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response

from hub.actions.releases import read_release_record, require_checking
from hub.actions.reviews import download_release
from hub.domain.permissions import Permission
from hub.portal.permissions import PUBLIC, About, Routes, needs
from hub.portal.visits import CurrentVisit


def register(routes: Routes) -> None:
    downloads = needs(Permission.RELEASE_DOWNLOAD, About.SUBMISSION)
    for p in (routes.portal.prefix, f"{routes.portal.prefix}/api"):
        routes.add("GET", f"{p}/submissions/{{id}}/files/{{n}}/download", downloads, download)
        reads = needs(Permission.SUBMISSION_READ, About.SUBMISSION)
        routes.add("GET", f"{p}/submissions/{{id}}/record", reads, download_record)

    def tell_key() -> Response:
        """The public key of the records, for anyone."""
        return PlainTextResponse(require_checking(routes.portal.office).signer.public + "\n")

    routes.add("GET", f"{routes.portal.prefix}/release-key", PUBLIC, tell_key)


def download_record(visit: CurrentVisit, id: str) -> Response:
    """The signed record of a release, to be verified by `vitrine release verify`."""
    record = read_release_record(visit.office, submission_id=id, by=visit.actor, now=visit.now)
    return Response(
        record.content.encode(),
        media_type="application/json",
        headers={"Content-Disposition": disposition(f"release-{record.number}.json")},
    )


def disposition(name: str) -> str:
    """An attachment header that every browser reads (RFC 6266): plain ASCII, and the name in full."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def download(visit: CurrentVisit, id: str, n: int) -> Response:
    """The file, always as an attachment and never as something a browser would run."""
    file, content = download_release(
        visit.office, visit.portal.vault, submission_id=id, position=n, by=visit.actor, now=visit.now
    )
    digest = base64.b64encode(bytes.fromhex(file.shown_sha256)).decode()
    return Response(
        content,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": disposition(file.shown_name),
            "Digest": f"sha-256={digest}",
            "Repr-Digest": f"sha-256=:{digest}:",
            "X-Content-SHA256": file.shown_sha256,
        },
    )

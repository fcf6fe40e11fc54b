"""Downloads of what was released: the exact bytes that were reviewed, verified on their way out."""

from __future__ import annotations

import base64
from urllib.parse import quote

from starlette.responses import Response

from hub.actions.reviews import download_release
from hub.domain.permissions import Permission
from hub.portal.permissions import About, Routes, needs
from hub.portal.visits import CurrentVisit


def register(routes: Routes) -> None:
    downloads = needs(Permission.RELEASE_DOWNLOAD, About.SUBMISSION)
    for p in (routes.portal.prefix, f"{routes.portal.prefix}/api"):
        routes.add("GET", f"{p}/submissions/{{id}}/files/{{n}}/download", downloads, download)


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

"""Downloads: what was released, the exact bytes that were reviewed; and for auditors what lies in the vault.
All are verified on their way out and audited."""

from __future__ import annotations

import base64
from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response

from hub.actions.releases import read_release_record, require_checking
from hub.actions.reviews import copy_frozen, download_release
from hub.domain.permissions import Permission
from hub.portal.permissions import PUBLIC, About, Routes, needs
from hub.portal.visits import CurrentVisit, Visit


def register(routes: Routes) -> None:
    downloads = needs(Permission.RELEASE_DOWNLOAD, About.SUBMISSION)
    for p in (routes.portal.prefix, f"{routes.portal.prefix}/api"):
        routes.add("GET", f"{p}/submissions/{{id}}/files/{{n}}/download", downloads, download)
        reads = needs(Permission.SUBMISSION_READ, About.SUBMISSION)
        routes.add("GET", f"{p}/submissions/{{id}}/record", reads, download_record)

        copies = needs(Permission.SUBMISSION_COPY, About.SUBMISSION)
        routes.add("GET", f"{p}/submissions/{{id}}/files/{{n}}/original", copies, copy_original)
        routes.add("GET", f"{p}/submissions/{{id}}/files/{{n}}/rewritten", copies, copy_rewritten)

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
    return _attachment(file.shown_name, file.shown_sha256, content)


def copy_original(visit: CurrentVisit, id: str, n: int) -> Response:
    """The frozen original of a file, for auditors."""
    return _copy(visit, id, n, original=True)


def copy_rewritten(visit: CurrentVisit, id: str, n: int) -> Response:
    """What was written from an original and is reviewed, for auditors, whether it was released or not."""
    return _copy(visit, id, n, original=False)


def _copy(visit: Visit, id: str, n: int, *, original: bool) -> Response:
    return _attachment(
        *copy_frozen(
            visit.office,
            visit.portal.vault,
            submission_id=id,
            position=n,
            original=original,
            by=visit.actor,
            now=visit.now,
        )
    )


def _attachment(name: str, sha256: str, content: bytes) -> Response:
    """Bytes to be kept, never shown: whatever a browser does with them, it is in a sandbox (portal.edges)."""
    digest = base64.b64encode(bytes.fromhex(sha256)).decode()
    return Response(
        content,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": disposition(name),
            "Digest": f"sha-256={digest}",
            "Repr-Digest": f"sha-256=:{digest}:",
            "X-Content-SHA256": sha256,
        },
    )

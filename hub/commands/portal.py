"""The portal's process."""

from __future__ import annotations

import logging

from hub.actions import audits
from hub.bootstrap import (
    audit_key,
    build_catalogue,
    build_checking,
    build_documents,
    build_indexes,
    build_office,
    build_vault,
)
from hub.commands import context
from hub.documents.policies import load_policies


def portal() -> None:
    """Run the portal."""
    import uvicorn

    from hub.adapters import schema
    from hub.adapters.units import open_engine
    from hub.checks.thresholds import Thresholds
    from hub.portal.app import create_app
    from hub.portal.ports import Portal
    from hub.portal.signin import HubSignIn

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    with context.sentences():
        settings = context.settings()
        schema.upgrade(open_engine(settings.database_url))
        policies = load_policies(settings.policies)
        token = settings.secret("portal.token")
        checking = build_checking(settings, policies)
        office = build_office(settings, hub_token=token, checking=checking)
        vault = build_vault(settings)
        vault.clear_staging()
        documents = build_documents(settings)
        documents.clear_staging()
        key = audit_key(settings)
        app = create_app(
            Portal(
                office=office,
                vault=vault,
                documents=documents,
                catalogue=build_catalogue(settings),
                extracts=settings.data / "extracts",
                meters=settings.data / "meters",
                indexes=build_indexes(settings),
                sign_in=HubSignIn(
                    api_url=settings.hub_api_url,
                    api_token=token,
                    client_id="service-portal",
                    service="portal",
                    public_url=settings.public_url,
                ),
                gate_token=settings.secret("gate.token"),
                public_url=settings.public_url,
                thresholds=Thresholds.of(policies.outputs, max_bytes=policies.submissions.max_bytes),
                verify_chain=lambda: audits.verify_chain(office.units, key),
                tiers={tier.value: limits.title for tier, limits in policies.tiers.tiers.items()},
                roles={name: role.title for name, role in policies.roles.roles.items()},
                schemes=policies.classes,
            )
        )
        uvicorn.run(
            app,
            host="0.0.0.0",  # noqa: S104  # inside its own container; compose publishes no port
            port=8080,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )

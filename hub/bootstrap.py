"""Puts the house together from the settings: the one place where ports meet adapters."""

from __future__ import annotations

import hashlib
import hmac

from hub.actions.ports import Checking, Office, ReviewRules, Rules, SubmissionRules, TierRules
from hub.adapters.catalogue import FileCatalogue
from hub.adapters.hub_api import HubDesks
from hub.adapters.ledgers import FileLedger
from hub.adapters.session_files import FileSessions
from hub.adapters.signatures import Ed25519Signer
from hub.adapters.units import SqlUnits, open_engine
from hub.adapters.vaults import FileVault
from hub.checks.prepared import Indexes
from hub.checks.thresholds import Thresholds
from hub.documents.policies import Policies, Tier, load_policies
from hub.domain.errors import Refused
from hub.domain.permissions import RolePermissions, parse_roles
from hub.domain.records import Decision
from hub.settings import Settings

AVAILABLE_TIERS = frozenset({Tier.OPEN})  # the sealed display is not built yet


def _roles(policies: Policies) -> RolePermissions:
    try:
        return parse_roles(policies.roles.permissions())
    except ValueError as error:
        raise Refused("bad_roles", f"roles.yaml: {error}", field="roles.yaml") from error


def build_rules(policies: Policies) -> Rules:
    """The policies as the actions use them. Raises Refused for an unknown role or permission."""
    return Rules(
        roles=_roles(policies),
        review=ReviewRules(
            quorum=policies.review.approvals_needed,
            comment_needed_for=frozenset(
                Decision(word.upper()) for word in policies.review.comment_needed_for
            ),
            target_hours=policies.review.target_hours,
            controls=policies.review.controls,
            one_decider=policies.review.one_decider,
        ),
        tiers={
            tier.value: TierRules(
                name=tier.value,
                memory_bytes=limits.memory_bytes,
                cpus=limits.cpus,
                pids=limits.pids,
                bytes_out_limit=limits.bytes_out_limit,
                available=tier in AVAILABLE_TIERS,
            )
            for tier, limits in policies.tiers.tiers.items()
        },
        submissions=SubmissionRules(
            max_bytes=policies.submissions.max_bytes,
            max_files=policies.submissions.max_files,
            types=policies.submissions.types,
            prechecks_per_hour=policies.submissions.prechecks_per_hour,
        ),
        conditions=policies.conditions,
        fingerprint=policies.fingerprint,
    )


def build_units(settings: Settings) -> SqlUnits:
    """Transactions on the configured database."""
    return SqlUnits(
        open_engine(settings.database_url),
        audit_key=audit_key(settings),
        head_file=settings.data / "audit" / "head.json",
    )


def audit_key(settings: Settings) -> bytes:
    """The key of the audit chain."""
    return bytes.fromhex(settings.secret("audit.key"))


def build_session_files(settings: Settings) -> FileSessions:
    """Session files in the data directory."""
    return FileSessions(settings.data / "sessions", settings.data / "run")


def build_vault(settings: Settings) -> FileVault:
    """The output vault in the data directory."""
    return FileVault(settings.data / "vault")


def build_documents(settings: Settings) -> FileVault:
    """The recorded conditions' documents in the data directory."""
    return FileVault(settings.data / "documents")


def build_catalogue(settings: Settings) -> FileCatalogue:
    """The public dictionaries in the data directory."""
    return FileCatalogue(settings.data / "catalogue")


def applied_thresholds(policies: Policies) -> dict[str, object]:
    """The numbers of the checks as a record of a release names them: general ones, then rule by rule."""
    rules = {name: dict(rule.thresholds) for name, rule in policies.outputs.rules.items() if rule.thresholds}
    return {**policies.outputs.thresholds.model_dump(mode="json"), **rules}


def build_checking(settings: Settings, policies: Policies) -> Checking:
    """Ledger, signer and thresholds: the portal's alone, which has the key of records."""
    thresholds = Thresholds.of(policies.outputs, max_bytes=policies.submissions.max_bytes)
    return Checking(
        ledger=FileLedger(settings.data / "ledger"),
        signer=Ed25519Signer(bytes.fromhex(settings.secret("release.key"))),
        thresholds=applied_thresholds(policies),
        min_units=thresholds.min_units,
        differencing=thresholds.severity("differencing"),
        severities={name: rule.severity for name, rule in policies.outputs.rules.items()},
    )


def build_indexes(settings: Settings) -> Indexes:
    """The indexes of large extracts in the data directory, without those of extracts that are gone. Their key
    follows from that of records, which the portal alone has."""
    key = hmac.new(bytes.fromhex(settings.secret("release.key")), b"indexes of extracts", hashlib.sha256)
    indexes = Indexes(settings.data / "indexes", key.digest())
    indexes.prune(settings.data / "extracts")
    return indexes


def build_office(settings: Settings, *, hub_token: str | None, checking: Checking | None = None) -> Office:
    """The office with a service's Hub token; without one, starting and stopping desks is refused."""
    return Office(
        units=build_units(settings),
        rules=build_rules(load_policies(settings.policies)),
        session_files=build_session_files(settings),
        desks=HubDesks(settings.hub_api_url, hub_token or ""),
        checking=checking,
    )

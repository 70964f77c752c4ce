"""What devices and modules have in common when they are made, changed or deleted; each raises `Refused`."""

from iothub_emulator.hub.identity import Identity, Wanted, WantedModule
from iothub_emulator.hub.registry_rules import RegistryRules
from iothub_emulator.hub.service_errors import ErrorCode, Refused


def check_id_and_credentials(rules: RegistryRules, name: str, wanted: Wanted | WantedModule) -> None:
    """Refuse an id, keys or thumbprints that no identity may have; `name` is the id that is asked for."""
    problem = rules.problem_with_id(name)
    if problem is None and wanted.authentication_type == "sas":
        problem = rules.problem_with_keys(wanted.primary_key, wanted.secondary_key)
    if problem is None and wanted.authentication_type == "selfSigned":
        problem = rules.problem_with_thumbprints(wanted.primary_thumbprint, wanted.secondary_thumbprint)
    check(problem)


def check(problem: str | None) -> None:
    """Refuse with ArgumentInvalid where there is a problem."""
    if problem is not None:
        raise Refused(ErrorCode.ArgumentInvalid, problem)


def check_etag(rules: RegistryRules, identity: Identity, if_match: str | None) -> None:
    """Refuse a change of another state than the current one; None is a change of any."""
    if if_match is not None and not rules.matches(if_match, identity.etag):
        raise Refused(ErrorCode.PreconditionFailed, "The etag is not the identity's current one.")


def check_deletion(rules: RegistryRules, identity: Identity, if_match: str | None) -> None:
    """Refuse to delete without an etag, or with another one than the current."""
    if if_match is None and rules.needs_etag_to_delete():
        raise Refused(ErrorCode.PreconditionFailed, "Etag missing: send If-Match with the etag or *.")
    check_etag(rules, identity, if_match)

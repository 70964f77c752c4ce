"""The identity registry: which devices and modules exist, and how each authenticates.

Nothing here reads a clock or draws a random number: keys, etags, generation ids and times are arguments
(`Fresh`). What a caller may ask is decided in `registry_rules.py`; a refused call raises `Refused` and
changes nothing.
"""

from collections.abc import Iterator

from iothub_emulator.hub.identity import DeviceIdentity, Fresh, Identity, ModuleIdentity, Wanted
from iothub_emulator.hub.module_registry import ModuleRegistry
from iothub_emulator.hub.registry_checks import check, check_deletion, check_etag, check_id_and_credentials
from iothub_emulator.hub.registry_rules import RegistryRules
from iothub_emulator.hub.service_errors import ErrorCode, Refused

__all__ = ["DeviceIdentity", "Fresh", "Registry", "RegistryRules", "Wanted"]


class Registry:
    """All identities of one hub, in the order of their creation."""

    def __init__(self, rules: RegistryRules) -> None:
        self._rules = rules
        self._devices: dict[str, DeviceIdentity] = {}
        self.modules = ModuleRegistry(rules)

    def __len__(self) -> int:
        return len(self._devices)

    def __iter__(self) -> Iterator[DeviceIdentity]:
        return iter(tuple(self._devices.values()))

    def get(self, device_id: str) -> DeviceIdentity | None:
        """Return the identity of exactly that id; ids differ by case."""
        return self._devices.get(device_id)

    def module(self, device_id: str, module_id: str) -> ModuleIdentity | None:
        """Return the module of exactly these ids."""
        return self.modules.get(device_id, module_id)

    def identity(self, identity_key: str) -> Identity | None:
        """Return what `{device}` or `{device}/{module}` names."""
        device_id, slash, module_id = identity_key.partition("/")
        return self.modules.get(device_id, module_id) if slash else self._devices.get(device_id)

    def require(self, device_id: str) -> DeviceIdentity:
        """Return the identity, or raise `Refused` with DeviceNotFound."""
        found = self._devices.get(device_id)
        if found is None:
            raise Refused(ErrorCode.DeviceNotFound, device_id)
        return found

    def list(self, top: int | None = None) -> list[DeviceIdentity]:
        """Return the first `top` identities, within the limit of one answer."""
        return list(self)[: self._rules.list_size(top)]

    def put(self, wanted: Wanted, if_match: str | None, fresh: Fresh) -> DeviceIdentity:
        """Create (no precondition) or replace (with one) an identity, as a PUT does."""
        if self._rules.means_replacement(if_match):
            return self.replace(wanted, if_match, fresh)
        return self.create(wanted, fresh)

    def create(self, wanted: Wanted, fresh: Fresh) -> DeviceIdentity:
        """Add a new identity; `Refused` with DeviceAlreadyExists if the id is taken."""
        check_id_and_credentials(self._rules, wanted.device_id, wanted)
        check(self._rules.problem_with_reason(wanted.status_reason))
        if wanted.device_id in self._devices:
            raise Refused(
                ErrorCode.DeviceAlreadyExists, f"A device with id {wanted.device_id} exists already."
            )
        return self._store(wanted, fresh, generation_id=fresh.generation_id, status_updated_time=None)

    def replace(self, wanted: Wanted, if_match: str | None, fresh: Fresh) -> DeviceIdentity:
        """Replace the whole identity: what `wanted` leaves out returns to its default, keys to new ones.

        `if_match` is an etag or `*`; `None` sets no condition. `Refused` with DeviceNotFound or
        PreconditionFailed.
        """
        check_id_and_credentials(self._rules, wanted.device_id, wanted)
        check(self._rules.problem_with_reason(wanted.status_reason))
        before = self.require(wanted.device_id)
        check_etag(self._rules, before, if_match)
        status_changed = (before.status, before.status_reason) != (wanted.status, wanted.status_reason)
        return self._store(
            wanted,
            fresh,
            generation_id=before.generation_id,
            status_updated_time=fresh.now if status_changed else before.status_updated_time,
        )

    def delete(self, device_id: str, if_match: str | None) -> DeviceIdentity:
        """Remove an identity, with its modules, and return it.

        `Refused` with DeviceNotFound or PreconditionFailed.
        """
        before = self.require(device_id)
        check_deletion(self._rules, before, if_match)
        self.modules.delete_all(device_id)
        return self._devices.pop(device_id)

    def _store(
        self, wanted: Wanted, fresh: Fresh, *, generation_id: str, status_updated_time: float | None
    ) -> DeviceIdentity:
        signs = wanted.authentication_type == "sas"
        is_listed = wanted.authentication_type == "selfSigned"
        identity = DeviceIdentity(
            device_id=wanted.device_id,
            generation_id=generation_id,
            etag=fresh.etag,
            status=wanted.status,
            status_reason=wanted.status_reason,
            status_updated_time=status_updated_time,
            authentication_type=wanted.authentication_type,
            primary_key=(wanted.primary_key or fresh.primary_key) if signs else None,
            secondary_key=(wanted.secondary_key or fresh.secondary_key) if signs else None,
            primary_thumbprint=wanted.primary_thumbprint if is_listed else None,
            secondary_thumbprint=wanted.secondary_thumbprint if is_listed else None,
            iot_edge=wanted.iot_edge,
            device_scope=self._rules.device_scope(wanted, generation_id),
            parent_scopes=self._rules.parent_scopes(wanted),
        )
        self._devices[identity.device_id] = identity
        return identity

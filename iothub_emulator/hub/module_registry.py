"""The modules of the registered devices: up to fifty each, every one with its own keys or thumbprints.

As the device registry, it reads no clock and draws no random number; a refused call changes nothing.
"""

from iothub_emulator.hub.identity import Fresh, ModuleIdentity, WantedModule
from iothub_emulator.hub.registry_checks import check_deletion, check_etag, check_id_and_credentials
from iothub_emulator.hub.registry_rules import RegistryRules
from iothub_emulator.hub.service_errors import ErrorCode, Refused


class ModuleRegistry:
    """All module identities of one hub. Whether the device exists is settled by the caller."""

    def __init__(self, rules: RegistryRules) -> None:
        self._rules = rules
        self._modules: dict[str, dict[str, ModuleIdentity]] = {}

    def get(self, device_id: str, module_id: str) -> ModuleIdentity | None:
        """Return the identity of exactly these ids; they differ by case."""
        return self._modules.get(device_id, {}).get(module_id)

    def require(self, device_id: str, module_id: str) -> ModuleIdentity:
        """Return the identity, or raise `Refused` with ModuleNotFound."""
        found = self.get(device_id, module_id)
        if found is None:
            raise Refused(ErrorCode.ModuleNotFound, f"{device_id}/{module_id}")
        return found

    def of_device(self, device_id: str) -> list[ModuleIdentity]:
        """Return the modules of a device, in the order of their creation."""
        return list(self._modules.get(device_id, {}).values())

    def put(self, wanted: WantedModule, if_match: str | None, fresh: Fresh) -> ModuleIdentity:
        """Create (no precondition) or replace (with one) an identity, as a PUT does."""
        if self._rules.means_replacement(if_match):
            return self.replace(wanted, if_match, fresh)
        return self.create(wanted, fresh)

    def create(self, wanted: WantedModule, fresh: Fresh) -> ModuleIdentity:
        """Add a new identity; `Refused` if the id is taken, or the device has no room for another."""
        check_id_and_credentials(self._rules, wanted.module_id, wanted)
        if self.get(wanted.device_id, wanted.module_id) is not None:
            raise Refused(ErrorCode.ModuleAlreadyExistsOnDevice, f"{wanted.key} exists already.")
        if not self._rules.accepts_another_module(len(self._modules.get(wanted.device_id, {}))):
            raise Refused(ErrorCode.TooManyModulesOnDevice, "The device has as many modules as it may have.")
        return self._store(wanted, fresh, fresh.generation_id)

    def replace(self, wanted: WantedModule, if_match: str | None, fresh: Fresh) -> ModuleIdentity:
        """Replace the whole identity: what `wanted` leaves out returns to its default, keys to new ones.

        `if_match` is an etag or `*`; `None` sets no condition. `Refused` with ModuleNotFound or
        PreconditionFailed.
        """
        check_id_and_credentials(self._rules, wanted.module_id, wanted)
        before = self.require(wanted.device_id, wanted.module_id)
        check_etag(self._rules, before, if_match)
        return self._store(wanted, fresh, before.generation_id)

    def delete(self, device_id: str, module_id: str, if_match: str | None) -> ModuleIdentity:
        """Remove an identity and return it; `Refused` with ModuleNotFound or PreconditionFailed."""
        before = self.require(device_id, module_id)
        check_deletion(self._rules, before, if_match)
        return self._modules[device_id].pop(module_id)

    def delete_all(self, device_id: str) -> None:
        """Remove the modules of a device that is deleted."""
        self._modules.pop(device_id, None)

    def _store(self, wanted: WantedModule, fresh: Fresh, generation_id: str) -> ModuleIdentity:
        signs = wanted.authentication_type == "sas"
        is_listed = wanted.authentication_type == "selfSigned"
        identity = ModuleIdentity(
            device_id=wanted.device_id,
            module_id=wanted.module_id,
            generation_id=generation_id,
            etag=fresh.etag,
            managed_by=wanted.managed_by,
            authentication_type=wanted.authentication_type,
            primary_key=(wanted.primary_key or fresh.primary_key) if signs else None,
            secondary_key=(wanted.secondary_key or fresh.secondary_key) if signs else None,
            primary_thumbprint=wanted.primary_thumbprint if is_listed else None,
            secondary_thumbprint=wanted.secondary_thumbprint if is_listed else None,
        )
        self._modules.setdefault(identity.device_id, {})[identity.module_id] = identity
        return identity

"""Hubs that keep, change or give out identities in another way than the registry's pages say."""

import dataclasses

from fault import fault, wrapped

from iothub_emulator.hub.module_registry import ModuleRegistry
from iothub_emulator.hub.registry import Registry
from iothub_emulator.hub.registry_rules import RegistryRules
from iothub_emulator.rest import application, devices, errors
from iothub_emulator.runtime import Runtime


def operation(routes, path, method):
    """Return the table and the name in it of an operation."""
    return next(route.operations for route in routes if route.path == path), method


def carried_out(wrong):
    """Return what puts `wrong` in the place of what an operation does."""
    return lambda right: dataclasses.replace(right, carry_out=wrong(right.carry_out))


@fault("registry.members", "registry.status-reason")
def reason_is_forgotten(_rules):
    """The reason of a status is never given out."""

    def wrap(document):
        return lambda identity, presence: {**document(identity, presence), "statusReason": None}

    wrapped(devices, "identity_document", wrap)


@fault("registry.members")
def edge_devices_are_ordinary_ones(_rules):
    """Each device is given out as one that is no Edge device."""

    def wrap(document):
        return lambda identity, presence: {
            **document(identity, presence),
            "capabilities": {"iotEdge": False},
        }

    wrapped(devices, "identity_document", wrap)


@fault("registry.keys-made")
def both_keys_are_one(_rules):
    """A device that was given no keys has one key twice."""

    def wrap(fresh):
        def made(self, identity_key):
            found = fresh(self, identity_key)
            return dataclasses.replace(found, secondary_key=found.primary_key)

        return made

    wrapped(Runtime, "fresh", wrap)


@fault("registry.authentication")
def thumbprints_are_swapped(_rules):
    """The primary thumbprint is given out as the secondary one."""

    def wrap(document):
        def wrong(identity, presence):
            swapped = dataclasses.replace(
                identity,
                primary_thumbprint=identity.secondary_thumbprint,
                secondary_thumbprint=identity.primary_thumbprint,
            )
            return document(swapped, presence)

        return wrong

    wrapped(devices, "identity_document", wrap)


@fault("registry.authority")
def authorities_are_self_signed(_rules):
    """A device that an authority vouches for is given out as one with certificates of its own."""

    def wrap(document):
        def wrong(identity, presence):
            is_vouched = identity.authentication_type == "certificateAuthority"
            told = "selfSigned" if is_vouched else identity.authentication_type
            return document(dataclasses.replace(identity, authentication_type=told), presence)

        return wrong

    wrapped(devices, "identity_document", wrap)


@fault("registry.replaced")
def a_replacement_keeps_the_reason(_rules):
    """What a replacement does not say is left as it was."""

    def wrap(replace):
        def wrong(self, wanted, if_match, fresh):
            reason = wanted.status_reason or self.require(wanted.device_id).status_reason
            return replace(self, dataclasses.replace(wanted, status_reason=reason), if_match, fresh)

        return wrong

    wrapped(Registry, "replace", wrap)


@fault("registry.replaced")
def a_replacement_keeps_the_etag(_rules):
    """The etag is that of the first state for ever."""

    def wrap(replace):
        def wrong(self, wanted, if_match, fresh):
            before = self.get(wanted.device_id)
            return replace(self, wanted, if_match, dataclasses.replace(fresh, etag=before.etag))

        return wrong

    wrapped(Registry, "replace", wrap)


@fault("registry.status-time")
def each_change_is_one_of_the_status(_rules):
    """The time of the status is that of the last change of the identity."""

    def wrap(replace):
        def wrong(self, wanted, if_match, fresh):
            stored = replace(self, wanted, if_match, fresh)
            self._devices[stored.device_id] = dataclasses.replace(stored, status_updated_time=fresh.now)
            return self._devices[stored.device_id]

        return wrong

    wrapped(Registry, "replace", wrap)


@fault("registry.generation", "registry.modules")
def generations_are_one(_rules):
    """Each device and module is of the same generation."""
    wrapped(Runtime, "fresh_generation_id", lambda _fresh: lambda self: "7")


@fault("registry.etag", "registry.errors", "registry.bulk", "registry.modules-refused")
def each_etag_is_the_current_one(rules):
    """If-Match is not looked at."""

    class Wrong(RegistryRules):
        def matches(self, if_match, etag):
            return True

    rules.registry = Wrong()


@fault("registry.deleted", "registry.etag")
def deleted_identities_stay(_rules):
    """A deletion is acknowledged, and the device is still there."""
    wrapped(Registry, "delete", lambda _delete: lambda self, device_id, if_match: self.require(device_id))


@fault("registry.errors")
def errors_are_numbered(_rules):
    """The header names an error by its number."""

    def wrap(response):
        def numbered(code, message, now):
            answer = response(code, message, now)
            answer.headers["iothub-errorcode"] = str(int(code))
            return answer

        return numbered

    wrapped(application, "error_response", wrap)


@fault("registry.errors")
def nothing_found_is_nothing_said(_rules):
    """Each error is called ServerError."""

    def wrap(response):
        def nameless(code, message, now):
            answer = response(code, message, now)
            answer.headers["iothub-errorcode"] = errors.ErrorCode.ServerError.name
            return answer

        return nameless

    wrapped(application, "error_response", wrap)


@fault("registry.ids")
def any_id_will_do(rules):
    """An id may have any characters, and as many as it likes."""

    class Wrong(RegistryRules):
        def problem_with_id(self, device_id):
            return None

    rules.registry = Wrong()


@fault("registry.ids")
def ids_have_64_characters(rules):
    """An id has at most 64 characters."""

    class Wrong(RegistryRules):
        def problem_with_id(self, device_id):
            return super().problem_with_id(device_id) if len(device_id) <= 64 else "too long"

    rules.registry = Wrong()


@fault("registry.status-reason")
def reasons_are_counted_in_bytes(rules):
    """A reason has 128 bytes of UTF-8."""

    class Wrong(RegistryRules):
        def problem_with_reason(self, reason):
            return None if reason is None or len(reason.encode()) <= 128 else "too long"

    rules.registry = Wrong()


@fault("registry.bulk")
def a_call_ends_with_its_first_failure(_rules):
    """What stands behind a change that failed is not carried out."""

    def wrap(carry_out):
        def wrong(registry, entries, fresh):
            for entry in entries:
                failures = carry_out(registry, [entry], fresh)
                if failures:
                    return failures
            return []

        return wrong

    wrapped(devices, "carry_out", wrap)


@fault("registry.list")
def a_list_is_always_whole(rules):
    """All devices are listed, however many are asked for."""

    class Wrong(RegistryRules):
        def list_size(self, top):
            return super().list_size(None)

    rules.registry = Wrong()


@fault("registry.statistics")
def disabled_devices_count_as_enabled(_rules):
    """The number of enabled devices is that of all."""

    def wrap(_count):
        async def wrong(call):
            count = len(call.runtime.registry)
            return devices.web.json_response(
                {"totalDeviceCount": count, "enabledDeviceCount": count, "disabledDeviceCount": 1}
            )

        return wrong

    wrapped(*operation(devices.ROUTES, ("statistics", "devices"), "GET"), carried_out(wrap))


@fault("registry.modules")
def modules_outlive_their_device(_rules):
    """A device that is deleted and made again has its modules."""
    wrapped(ModuleRegistry, "delete_all", lambda _delete: lambda self, device_id: None)


@fault("registry.modules-refused")
def a_module_is_made_over_another(_rules):
    """A module that is there already is made anew."""

    def wrap(create):
        def wrong(self, wanted, fresh):
            self._modules.get(wanted.device_id, {}).pop(wanted.module_id, None)
            return create(self, wanted, fresh)

        return wrong

    wrapped(ModuleRegistry, "create", wrap)


@fault("registry.module-limit")
def a_device_has_51_modules(rules):
    """The limit of modules is off by one."""

    class Wrong(RegistryRules):
        def accepts_another_module(self, count):
            return count <= 50

    rules.registry = Wrong()


@fault("registry.credentials")
def any_token_opens_the_registry(_rules):
    """The Authorization header is not looked at."""
    wrapped(application, "authorise", lambda _authorise: lambda *_arguments, **_named: None)


@fault("registry.scopes")
def the_scope_of_an_edge_device_is_what_was_asked_for(_rules):
    """An Edge device is in the scope that its document names, in none where it names none."""
    wrapped(
        RegistryRules, "device_scope", lambda _right: lambda _self, wanted, _generation: wanted.device_scope
    )


@fault("registry.scopes")
def parents_are_not_copied_over(_rules):
    """What is above a device stays empty where it was not named."""
    wrapped(RegistryRules, "parent_scopes", lambda _right: lambda _self, wanted: wanted.parent_scopes or ())

"""Identities: made and deleted in bulk, with whatever they are known by, and changed one at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar

from conformance.backend.rest import LONGEST_TEXT, Answer, RestClient
from conformance.errors import ServiceError
from conformance.report.printable import visible
from conformance.report.redaction import redact
from conformance.run.sleeping import pause
from conformance.target.credentials import Enrolment, Identity, Secret, random_key

# One call of the service changes at most so many identities ("IoT Hub quotas and throttling").
BULK_LIMIT: Final = 100

# A message that names each of a hundred devices helps nobody.
NAMED_FAILURES: Final = 3

_NOT_FOUND: Final = 404
# The bulk call answers 400 where some of its changes failed; the body says which.
_BULK_ANSWERS: Final = (200, 400)
# How "it is not there" is called, by name and by number.
_GONE: Final = frozenset({"DeviceNotFound", "404001"})

Status = Literal["enabled", "disabled"]
Item = TypeVar("Item")


class IdentityRegistry:
    """The hub's registry of devices and their modules, through its REST interface. Any thread may call it.

    `settling` is how many seconds to wait behind a change until it counts where devices connect: none on a
    hub that is one process; Microsoft's own tests wait a moment or try again on a live one.
    """

    def __init__(self, client: RestClient, *, settling: float = 0.0) -> None:
        self._client = client
        self._settling = settling

    def create(self, ids: Sequence[str]) -> list[Identity]:
        """Make enabled devices with new random keys, a hundred in a call; return them in the order given.

        Raises ServiceError naming those that could not be made; the others are there.
        """
        identities = [
            Identity(device_id=device_id, primary_key=random_key(), secondary_key=random_key())
            for device_id in ids
        ]
        failures: list[str] = []
        for some in _batches(identities):
            failures += self._change([_creation(Enrolment(identity=identity)) for identity in some])
        _complain("could not make", failures, len(identities))
        self._settle()
        return identities

    def enrol(self, enrolments: Sequence[Enrolment]) -> dict[str, str]:
        """Make devices and modules of every kind, a hundred in a call, and wait once until they count.

        Returns why which of them, by its id, could not be made. What has keys, what has a certificate and
        what is a module goes in calls of its own, so that a hub that does not take one kind takes the others.
        Raises ServiceError where a call with devices that have keys fails as a whole.
        """
        refused: dict[str, str] = {}
        for kind in _kinds(enrolments):
            for some in _batches(kind):
                refused |= self._enrol(some)
        self._settle()
        return refused

    def _enrol(self, some: Sequence[Enrolment]) -> dict[str, str]:
        try:
            failures = self._change([_creation(enrolment) for enrolment in some])
        except ServiceError as error:
            if _has_keys(some[0]) and some[0].identity.module_id is None:
                raise
            return {enrolment.identity.id: str(error) for enrolment in some}
        failed = {line.partition(" ")[0]: line for line in failures}
        return {
            each.identity.id: f"POST /devices: could not make {failed[each.identity.id]}."
            for each in some
            if each.identity.id in failed
        }

    def delete(self, ids: Iterable[str]) -> None:
        """Delete devices, a hundred in a call; one that is gone already is no failure."""
        wanted = list(ids)
        failures: list[str] = []
        for some in _batches(wanted):
            failures += self._change(
                [{"id": device_id, "importMode": "delete"} for device_id in some], ignore=_GONE
            )
        _complain("could not delete", failures, len(wanted))

    def remove(self, device_id: str) -> None:
        """Delete a device that is there, and wait until that counts where devices connect."""
        self._client.call("DELETE", "devices", device_id, if_match="*", accept=(204,))
        self._settle()

    def get(self, device_id: str) -> Identity | None:
        """Return a device, or None if there is none."""
        answer = self._client.call("GET", "devices", device_id, accept=(200, _NOT_FOUND))
        return None if answer.status == _NOT_FOUND else _identity(answer)

    def connection_state(self, device_id: str) -> str | None:
        """Return what the registry says of a device's connection; None if it says nothing."""
        answer = self._client.call("GET", "devices", device_id)
        state = _fields(answer).get("connectionState")
        return None if state is None else str(state)

    def set_status(self, device_id: str, status: Status) -> Identity:
        """Enable or disable a device; its keys stay."""
        return self._replace(device_id, {"status": status})

    def replace_keys(self, device_id: str) -> Identity:
        """Give a device two new random keys."""
        keys = {"primaryKey": random_key(), "secondaryKey": random_key()}
        return self._replace(device_id, {"authentication": {"type": "sas", "symmetricKey": keys}})

    def use_certificates(
        self, device_id: str, primary: str, secondary: str, *, status: Status = "enabled"
    ) -> None:
        """Have a device known by the thumbprints of two certificates, and no longer by its keys."""
        self._prove(device_id, _thumbprints(primary, secondary), status)

    def use_authority(self, device_id: str, *, status: Status = "enabled") -> None:
        """Have a device known by its name in a certificate of an authority that the hub trusts."""
        self._prove(device_id, {"type": "certificateAuthority"}, status)

    def _prove(self, device_id: str, proof: Mapping[str, Any], status: Status) -> None:
        before = self._client.call("GET", "devices", device_id)
        document = {**_fields(before), "status": status, "authentication": proof}
        self._client.call("PUT", "devices", device_id, body=document, if_match="*")
        self._settle()

    def create_module(
        self, device_id: str, module_id: str, *, thumbprints: tuple[str, str] | None = None
    ) -> Identity:
        """Make a module with new random keys; it is gone when its device is deleted.

        With `thumbprints`, the hub knows it by two certificates, and its keys open nothing.
        """
        made = Identity(
            device_id=device_id, module_id=module_id, primary_key=random_key(), secondary_key=random_key()
        )
        proof = _authentication(made) if thumbprints is None else _thumbprints(*thumbprints)
        document = {"deviceId": device_id, "moduleId": module_id, "authentication": proof}
        answer = self._client.call(
            "PUT", "devices", device_id, "modules", module_id, body=document, accept=(200, 201)
        )
        self._settle()
        return _identity(answer) if thumbprints is None else made

    def get_module(self, device_id: str, module_id: str) -> Identity | None:
        """Return a module, or None if there is none."""
        answer = self._client.call(
            "GET", "devices", device_id, "modules", module_id, accept=(200, _NOT_FOUND)
        )
        return None if answer.status == _NOT_FOUND else _identity(answer)

    def delete_module(self, device_id: str, module_id: str) -> None:
        """Delete a module; one that is gone already is no failure."""
        self._client.call(
            "DELETE", "devices", device_id, "modules", module_id, if_match="*", accept=(204, _NOT_FOUND)
        )

    def _replace(self, device_id: str, change: Mapping[str, Any]) -> Identity:
        before = self._client.call("GET", "devices", device_id)
        identity = _identity(before)
        document = {**before.json, "authentication": _authentication(identity), **change}
        replaced = _identity(self._client.call("PUT", "devices", device_id, body=document, if_match="*"))
        self._settle()
        return replaced

    def _settle(self) -> None:
        if self._settling > 0:
            pause(self._settling)

    def _change(self, entries: list[dict[str, Any]], *, ignore: frozenset[str] = frozenset()) -> list[str]:
        """Make one bulk call; return a line for each change that failed."""
        answer = self._client.call("POST", "devices", body=entries, accept=_BULK_ANSWERS)
        result = answer.json
        if not isinstance(result, dict) or not isinstance(result.get("errors"), list):
            raise ServiceError(f"{answer.what}: {answer.told}.")
        failures = [
            f"{_named(error)} ({_reason(error)})"
            for error in result["errors"]
            if str(error.get("errorCode")) not in ignore
        ]
        if answer.status != 200 and not result["errors"]:  # noqa: PLR2004 - HTTP's own number says it best
            raise ServiceError(f"{answer.what}: {answer.told}.")
        return failures


def _kinds(enrolments: Iterable[Enrolment]) -> Iterator[list[Enrolment]]:
    """Yield devices with keys, devices with a certificate and, now that these are there, modules alike."""
    kinds: dict[tuple[bool, bool], list[Enrolment]] = {}
    for each in enrolments:
        kinds.setdefault((each.identity.module_id is not None, not _has_keys(each)), []).append(each)
    for kind in sorted(kinds):
        yield kinds[kind]


def _has_keys(enrolment: Enrolment) -> bool:
    return enrolment.thumbprints is None and not enrolment.by_authority


def _creation(enrolment: Enrolment) -> dict[str, Any]:
    identity = enrolment.identity
    document = {"id": identity.device_id, "importMode": "create", "authentication": _proof(enrolment)}
    if identity.module_id is not None:
        return {**document, "moduleId": identity.module_id}
    return {**document, "status": identity.status}


def _proof(enrolment: Enrolment) -> dict[str, Any]:
    if enrolment.by_authority:
        return {"type": "certificateAuthority"}
    if enrolment.thumbprints is not None:
        return _thumbprints(*enrolment.thumbprints)
    return _authentication(enrolment.identity)


def _named(error: Mapping[str, Any]) -> str:
    module = error.get("moduleId")
    return str(error.get("deviceId")) if module is None else f"{error.get('deviceId')}/{module}"


def _reason(error: Mapping[str, Any]) -> str:
    """Return the number or name of an error, and behind it the hub's own text."""
    text = visible(redact(str(error.get("errorStatus") or "")).strip().rstrip(".")[:LONGEST_TEXT])
    return f"{error.get('errorCode')}: {text}" if text else str(error.get("errorCode"))


def _authentication(identity: Identity) -> dict[str, Any]:
    keys = {"primaryKey": identity.primary_key, "secondaryKey": identity.secondary_key}
    return {"type": "sas", "symmetricKey": keys}


def _thumbprints(primary: str, secondary: str) -> dict[str, Any]:
    return {
        "type": "selfSigned",
        "x509Thumbprint": {"primaryThumbprint": primary, "secondaryThumbprint": secondary},
    }


def _fields(answer: Answer) -> dict[str, Any]:
    document = answer.json
    if not isinstance(document, dict):
        raise ServiceError(f"{answer.what}: the answer is no JSON object.")
    return document


def _identity(answer: Answer) -> Identity:
    try:
        document = answer.json
        keys = document["authentication"]["symmetricKey"]
        return Identity(
            device_id=document["deviceId"],
            module_id=document.get("moduleId") or None,
            primary_key=Secret(keys["primaryKey"]),
            secondary_key=Secret(keys["secondaryKey"]),
            generation_id=document["generationId"],
            etag=document["etag"],
            # A module cannot be disabled on its own, and has no status.
            status=document.get("status", "enabled"),
        )
    except (KeyError, TypeError):
        raise ServiceError(f"{answer.what}: the answer is not an identity with two keys.") from None


def _complain(verb: str, failures: Sequence[str], total: int) -> None:
    if failures:
        named = ", ".join(failures[:NAMED_FAILURES])
        more = "" if len(failures) <= NAMED_FAILURES else ", …"
        raise ServiceError(f"POST /devices: {verb} {len(failures)} of {total} devices: {named}{more}.")


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), BULK_LIMIT):
        yield items[start : start + BULK_LIMIT]

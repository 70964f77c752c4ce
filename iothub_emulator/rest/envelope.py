"""The envelope of a body: which names of it are the service's, whose letter case does not matter.

`{"Query": ...}` is taken (amenzhinsky/iothub sends it so); of the other names it is inferred: .NET's readers
of JSON ignore the case of all that they know. What is a user's own keeps its case: everything within tags,
desired and reported properties, and the payload of a method.
"""

from collections.abc import Mapping
from typing import TypeAlias

from iothub_emulator.hub.json_text import Json

Envelope: TypeAlias = "Mapping[str, Envelope]"
"""The service's names in an object, each with those inside of it; what has none inside is not looked into."""


def names(*of: str) -> Envelope:
    """Return an envelope of names that have none inside."""
    return {name: {} for name in of}


_IDENTITY: Envelope = {
    **names("status", "statusReason", "managedBy", "deviceScope", "parentScopes"),
    "authentication": {
        "type": {},
        "symmetricKey": names("primaryKey", "secondaryKey"),
        "x509Thumbprint": names("primaryThumbprint", "secondaryThumbprint"),
    },
    "capabilities": names("iotEdge"),
}
IDENTITY: Envelope = {**_IDENTITY, **names("deviceId", "moduleId")}
TWIN: Envelope = {"tags": {}, "properties": names("desired", "reported")}
BULK_ENTRY: Envelope = {**_IDENTITY, **TWIN, **names("id", "moduleId", "importMode", "eTag")}
METHOD_CALL: Envelope = names("methodName", "payload", "responseTimeoutInSeconds", "connectTimeoutInSeconds")
QUERY: Envelope = names("query")


def spelled(document: Json, envelope: Envelope) -> Json:
    """Return a document with the service's names as they are spelled in `envelope`; of a list, each entry so.

    unspecified: where a name comes in several spellings, the exact one counts, without it the last.
    """
    if isinstance(document, list):
        return [spelled(entry, envelope) for entry in document]
    if not isinstance(document, dict) or not envelope:
        return document
    known = {name.lower(): name for name in envelope}
    found: dict[str, Json] = {}
    for written, value in document.items():
        name = known.get(written.lower()) if written.isascii() else None
        if name is None:
            found[written] = value
        elif written == name or name not in document:
            found[name] = spelled(value, envelope[name])
    return found

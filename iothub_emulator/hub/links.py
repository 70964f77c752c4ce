"""What a back end may attach to over AMQP, from where it reads, and how a telemetry event looks to it.

Addresses are the Event Hubs-compatible ones: `{entity}/ConsumerGroups/{group}/Partitions/{number}`, with or
without `amqps://host:port/` before them (Microsoft, "Event Hubs AMQP protocol guide"). Nothing here knows how
AMQP is encoded.
"""

import base64
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from iothub_emulator.hub.cloud_links import CloudLinkRules, Milliseconds
from iothub_emulator.hub.link_refusals import (
    ARGUMENT_ERROR,
    ARGUMENT_OUT_OF_RANGE,
    INVALID_FIELD,
    LinkRefused,
)
from iothub_emulator.hub.policies import Policy, Right
from iothub_emulator.hub.readers import EventStream, ReaderRules
from iothub_emulator.hub.telemetry import Partition, TelemetryEvent
from iothub_emulator.hub.tokens import SasToken
from iothub_emulator.settings import Settings

BEGINNING, END = "-1", "@latest"
"""Offsets that every partition has: before its first event, behind its last one."""


@dataclass(frozen=True)
class Authorisation:
    """What a put-token opened: the audience and all below it, until `ends_at` (unix seconds)."""

    audience: str
    ends_at: float


_STREAM = re.compile(
    r"(?P<entity>.+)/consumergroups/(?P<group>[^/]+)/partitions/(?P<partition>[^/]+)", re.IGNORECASE
)
_SELECTOR = re.compile(
    r"\s*amqp\.annotation\.x-opt-(?P<key>offset|sequence-number|enqueued-time|enqueuedtimeutc)\s*"
    r"(?P<operator>>=?)\s*(?:'(?P<value>[^']*)'|(?P<number>-?[0-9]+))\s*",
    re.ASCII,
)
_OLD_NAMES = {"enqueuedtimeutc": "enqueued-time"}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class LinkRules(ReaderRules, CloudLinkRules):
    """Each decision about a link."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    # Who may attach

    def right_for(self, path: str) -> Right:
        """Return what a policy needs for this address: reading telemetry and sending are ServiceConnect."""
        return Right.SERVICE_CONNECT

    def event_hubs_keys(self, policies: Mapping[str, Policy]) -> dict[str, Policy]:
        """Return the policies as Event Hubs' clients sign with them: with the key's text, not its bytes.

        On a hub the two have hosts of their own, here they share a port: a put-token is signed either way.
        """
        return {
            name: replace(
                policy,
                primary_key=_base64(policy.primary_key),
                secondary_key=_base64(policy.secondary_key),
            )
            for name, policy in policies.items()
        }

    def path_of(self, address: str) -> str:
        """Return an address without scheme, host and outer slashes. Clients send full URLs and bare paths."""
        _, found, rest = address.partition("://")
        path = rest.partition("/")[2] if found else address
        return path.strip("/")

    def covers(self, audience: str, path: str) -> bool:
        """Tell whether an authorisation for `audience` opens `path`: whole segments, letter case ignored.

        The SDKs write the entity as the user typed it and the consumer group as `$Default` or `$default`. An
        audience without a path, the hub's bare name, opens everything.
        """
        granted = self.audience_path(audience).casefold().split("/")
        wanted = path.casefold().split("/")
        return granted == [""] or wanted[: len(granted)] == granted

    def audience_path(self, audience: str) -> str:
        """Return what follows the host in an audience, which is a URL or a URL without its scheme."""
        rest = audience.partition("://")[2] or audience
        return rest.partition("/")[2].strip("/")

    def opens(self, authorisations: Iterable[Authorisation], path: str, now: float) -> bool:
        """Tell whether any authorisation that still holds opens `path`; asked for each link on its own."""
        return any(now < held.ends_at and self.covers(held.audience, path) for held in authorisations)

    def put_token_status(self) -> int:
        """Return the status of a put-token that was accepted: 200, and no other that means success.

        Node's azure-iothub takes nothing else for success; the others take 202 too, which Event Hubs sends.
        """
        return 200

    def authorisation_ends(self, token: SasToken, now: float) -> float:
        """Return when a put-token no longer holds, in unix seconds: at its expiry.

        One that was expired already, and accepted because clocks differ, holds as long as they may differ.
        """
        return token.expiry if token.expiry > now else token.expiry + self.settings.sas_skew

    # What there is to attach to

    def stream_at(self, path: str) -> EventStream | None:
        """Return the partition that a receiver at `path` reads, None where no partition is meant.

        Every consumer group exists: a test run takes as many as it has readers. Raises `LinkRefused` for a
        partition that does not exist.
        """
        match = _STREAM.fullmatch(path)
        entity = None if match is None else self.entity_named(match["entity"])
        if match is None or entity is None:
            return None
        return EventStream(entity, match["group"].casefold(), self.partition_number(match["partition"]))

    def entity_named(self, name: str) -> str | None:
        """Return the Event Hubs-compatible entity with this name; case is ignored, as Event Hubs does.

        The built-in endpoint's, and the custom one's where there are routes to it.
        """
        settings = self.settings
        entities = (settings.entity, settings.routed_entity) if settings.routes else (settings.entity,)
        return next((entity for entity in entities if entity.casefold() == name.casefold()), None)

    def partition_number(self, text: str) -> int:
        """Return the number that a partition id stands for, or raise `LinkRefused`.

        The condition is one that azure-eventhub names as not worth a retry.
        """
        last = self.settings.partitions - 1
        if text.isascii() and text.isdecimal() and str(int(text[:9])) == text and int(text) <= last:
            return int(text)
        raise LinkRefused(
            ARGUMENT_OUT_OF_RANGE,
            "The specified partition is invalid for an EventHub partition sender or receiver. "
            f"It should be between 0 and {last}.",
        )

    # From where it reads

    def start_position(self, selector: str | None, partition: Partition) -> int:
        """Return the sequence number of the first event that a reader gets; `LinkRefused` for a bad selector.

        Without a selector it is the beginning, as on Event Hubs. A number may stand without quotes, and the
        time under its name of 2015: so C readers write them, and all readers up to 2019 (azure-uamqp-c issue
        388, azure-event-hubs 0.0.8).
        """
        if selector is None:
            return partition.first_sequence_number
        match = _SELECTOR.fullmatch(selector)
        if match is None:
            raise LinkRefused(INVALID_FIELD, "the selector filter is not one of Event Hubs' positions")
        key = _OLD_NAMES.get(match["key"], match["key"])
        value = match["number"] if match["value"] is None else match["value"]
        inclusive = match["operator"] == ">="
        if value == END:
            return partition.next_sequence_number
        if key == "offset" and value == BEGINNING:
            return partition.first_sequence_number
        if not re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII):
            raise LinkRefused(ARGUMENT_ERROR, f"The supplied {key.replace('-', ' ')} is not a number.")
        if key == "enqueued-time":
            return self.position_after_time(int(value), partition, inclusive=inclusive)
        if key == "offset":
            return self.position_after_offset(value, partition, inclusive=inclusive)
        return self.position_after_number(int(value), partition, inclusive=inclusive)

    def position_after_offset(self, offset: str, partition: Partition, *, inclusive: bool) -> int:
        """Return the first position behind `offset`, or at it if inclusive."""
        number = partition.sequence_of(offset)
        if number >= partition.next_sequence_number:
            raise LinkRefused(
                ARGUMENT_ERROR,
                f"The supplied offset '{offset}' is invalid. "
                f"The last offset in the system is '{self.last_offset(partition)}'",
            )
        is_exact = partition.offset_of(number) == offset
        return max(number if inclusive and is_exact else number + 1, 0)

    def position_after_number(self, number: int, partition: Partition, *, inclusive: bool) -> int:
        """Return the first position behind a sequence number, or at it if inclusive."""
        position = number if inclusive else number + 1
        if position > partition.next_sequence_number:
            raise LinkRefused(
                ARGUMENT_ERROR,
                f"The supplied sequence number '{number}' is invalid. "
                f"The last sequence number in the system is '{partition.next_sequence_number - 1}'",
            )
        return max(position, 0)

    def position_after_time(self, moment: int, partition: Partition, *, inclusive: bool) -> int:
        """Return the first position later than `moment` (milliseconds), or at it if inclusive.

        Compared as readers see times, in whole milliseconds: "later than the event I have" never yields that
        event again.
        """
        numbers = range(partition.first_sequence_number, partition.next_sequence_number)
        find = bisect_left if inclusive else bisect_right
        return numbers.start + find(
            numbers, moment, key=lambda number: self.enqueued(partition.read(number, 1)[0][1])
        )

    def last_offset(self, partition: Partition) -> str:
        """Return the offset of the newest event; `-1` where there was none."""
        last = partition.next_sequence_number - 1
        return partition.offset_of(last) if last >= 0 else BEGINNING

    # How an event looks

    def enqueued(self, event: TelemetryEvent) -> Milliseconds:
        """Return when an event entered the log, as readers see it."""
        return Milliseconds(event.enqueued_time * 1000)

    def annotations(self, event: TelemetryEvent, number: int, offset: str) -> dict[str, str | int]:
        """d2c.identity-stamped: what the hub says about an event, in message annotations.

        An `int` is a long on the wire, `Milliseconds` a timestamp.
        """
        enqueued = self.enqueued(event)
        annotations: dict[str, str | int] = {
            "x-opt-sequence-number": number,
            "x-opt-offset": offset,
            "x-opt-enqueued-time": enqueued,
            "iothub-connection-device-id": event.device_id,
        }
        if event.module_id is not None:
            annotations["iothub-connection-module-id"] = event.module_id
        if event.auth_method:
            # An event of the hub's own has no sender who authenticated.
            annotations["iothub-connection-auth-method"] = event.auth_method
            annotations["iothub-connection-auth-generation-id"] = event.generation_id
        annotations["iothub-enqueuedtime"] = enqueued
        annotations["iothub-message-source"] = event.source
        return annotations

    def system_properties(self, event: TelemetryEvent) -> Mapping[str, str | bytes]:
        """bag.system-properties: what of the bag becomes the message's own properties."""
        return event.system

    def application_properties(self, event: TelemetryEvent) -> Mapping[str, str]:
        """bag.properties: what of the bag becomes application properties."""
        return event.properties

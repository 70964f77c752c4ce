"""The Will: kept from CONNECT on, sent as telemetry if the connection ends without DISCONNECT."""

from iothub_emulator.hub.effects import End
from iothub_emulator.hub.packets import Will


class WillRules:
    """Each decision about a Will."""

    def accepts(self, will: Will) -> bool:
        """will.accepted, will.retain, will.foreign-topic: a CONNECT is not refused for its Will.

        unspecified: what a hub does with a Will that could never be telemetry of its sender.
        """
        return True

    def of_connection(self, will: Will | None, identity_key: str) -> Will | None:
        """will.replaced [MQTT-3.1.2-10]: a connection has the Will of its own CONNECT, or none."""
        return will

    def is_sent_for_refused(self) -> bool:
        """will.refused-connect [MQTT-3.1.2-8]: only an accepted CONNECT leaves a Will."""
        return False

    def is_sent(self, will: Will, end: End) -> bool:
        """will.sent, will.not-after-disconnect, will.on-keep-alive, will.on-protocol-error, will.on-takeover.

        [MQTT-3.1.2-8, -10]: every end but DISCONNECT sends it. unspecified: the document speaks of a closed
        network connection only; a token's expiry, a changed identity and a take-over close it too. A hub that
        stops takes its telemetry along.
        """
        return end not in {End.DISCONNECT, End.HUB_STOPS}

    def payload(self, will: Will) -> bytes:
        """will.payload, will.empty-payload: verbatim."""
        return will.payload

    def bag_of(self, text: str) -> str:
        """will.property-bag: the bag of the Will's topic is read like that of any message."""
        return text

    def properties(self, end: End) -> dict[str, str]:
        """will.message-type: what marks it, for whoever reads telemetry; the same after every end."""
        return {"iothub-MessageType": "Will"}

"""The Will: kept from CONNECT on, sent as telemetry if the connection ends without DISCONNECT."""

from iothub_emulator.hub.effects import End
from iothub_emulator.hub.packets import Will


class WillRules:
    """Each decision about a Will."""

    def is_sent(self, end: End) -> bool:
        """will.sent, will.not-after-disconnect, will.on-keep-alive, will.on-protocol-error, will.on-takeover.

        [MQTT-3.1.2-8, -10]: every end but DISCONNECT sends it. unspecified: the document speaks of a closed
        network connection only; a token's expiry, a changed identity and a take-over close it too. A hub that
        stops takes its telemetry along.
        """
        return end not in {End.DISCONNECT, End.HUB_STOPS}

    def payload(self, will: Will) -> bytes:
        """will.payload, will.empty-payload: verbatim."""
        return will.payload

    def properties(self) -> dict[str, str]:
        """will.message-type: what marks it, for whoever reads telemetry."""
        return {"iothub-MessageType": "Will"}

"""One connection of a device: what ends it, and what that means for others."""

from iothub_emulator.hub.effects import Close, Effect
from iothub_emulator.hub.packets import FromClient


class ConnectionRules:
    """Each decision about the life of a connection."""

    def on_error(self, because: str) -> tuple[Effect, ...]:
        """connection.errors-close, packets.malformed: closed without a word; MQTT 3.1.1 has none for it."""
        return (Close(because),)

    def on_malformed(self, because: str) -> tuple[Effect, ...]:
        """packets.malformed, packets.malformed-soft [MQTT-4.8.0-1]: the same for bytes that are no packet.

        A CONNECT that is none gets no CONNACK either [MQTT-3.1.4-1].
        """
        return self.on_error(because)

    def refuses_before_connect(self, packet: FromClient) -> bool:
        """connect.first-packet [MQTT-3.1.0-1]: anything but CONNECT first ends the connection."""
        return True

    def reads_behind_connect(self) -> bool:
        """connect.sample-program [MQTT-3.1.4-5]: a client need not wait for CONNACK before it sends more."""
        return True

    def refuses_second_connect(self) -> bool:
        """connect.second-connect [MQTT-3.1.0-2]: a second CONNECT ends the connection."""
        return True

    def refuses_qos_2_flow(self) -> bool:
        """watch.qos: PUBREC, PUBREL and PUBCOMP answer nothing that this hub takes part in.

        unspecified: the document names no consequence; they end the connection like other errors.
        """
        return True

    def on_disconnect(self) -> tuple[Effect, ...]:
        """connection.disconnect-closes [MQTT-3.14.4-3]: the hub closes if the client has not."""
        return (Close("connection.disconnect-closes"),)

    def newest_wins(self) -> bool:
        """connection.newest-wins [MQTT-3.1.4-2]: an identity's older connection is dropped by a new one."""
        return True

    def shares_place(self, older_way: str, newer_way: str) -> bool:
        """websocket.one-connection: there is one place for an identity, over TLS alone and over WebSocket."""
        return True

    def replaced_by(self, identity_key: str) -> tuple[str, ...]:
        """connection.scope: whose older connection goes when this identity connects; its own.

        A device and each of its modules are identities (azure-docs issue 22798).
        """
        return (identity_key,)

    def spreads(self, because: str) -> bool:
        """connection.survives-others: an error ends the connection that made it and no other."""
        return False

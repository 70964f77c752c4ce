"""Keep-alive: how long a client may be silent, and the answer to its pings."""

from iothub_emulator.hub.packets import FromClient, Pingresp
from iothub_emulator.settings import Settings


class KeepAliveRules:
    """Each decision about silence."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def limit(self, keep_alive: int) -> float:
        """connection.keep-alive, connection.keep-alive-zero: return the seconds of silence that are allowed.

        [MQTT-3.1.2-24]: one and a half times what CONNECT says; the hub's cap holds in any case, also for 0
        (Microsoft, "Default keep-alive time-out").
        """
        cap = self.settings.keep_alive_cap
        return min(keep_alive * self.settings.keep_alive_factor, cap) if keep_alive else cap

    def counts(self, packet: FromClient) -> bool:
        """connection.keep-alive-traffic: every packet ends the silence, not only PINGREQ."""
        return True

    def pong(self) -> tuple[Pingresp, ...]:
        """connection.ping [MQTT-3.12.4-1]: each PINGREQ has its PINGRESP."""
        return (Pingresp(),)

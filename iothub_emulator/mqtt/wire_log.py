"""The log of packets: `→` from the device, `←` to it, `=` what became of the connection."""

import logging

from iothub_emulator.hub.packets import Connect, FromClient, FromServer, Publish

log = logging.getLogger("iothub_emulator.mqtt")


def describe(packet: FromClient | FromServer) -> str:
    """Return one line without secrets and bodies."""
    match packet:
        case Connect():
            return (
                f"CONNECT client={packet.client_id!r} user={packet.username!r} clean={packet.clean_session:d}"
                f" keep-alive={packet.keep_alive} will={packet.will is not None:d}"
                f" password={'none' if packet.password is None else '***'}"
            )
        case Publish():
            return (
                f"PUBLISH {packet.topic!r} qos={packet.qos} retain={packet.retain:d} dup={packet.dup:d}"
                f" id={packet.packet_id} ({len(packet.payload)} bytes)"
            )
        case _:
            return repr(packet)

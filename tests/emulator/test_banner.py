"""The strings of the ready file and of the banner: each kind of client finds one that it takes as it is."""

from pathlib import Path

import pytest

from iothub_emulator.banner import banner
from iothub_emulator.net.listeners import Ports
from iothub_emulator.ready import description
from iothub_emulator.runtime import Runtime
from iothub_emulator.settings import Settings

KEYS = {"iothubowner": "b3duZXIncyBrZXkgb2YgMTZi", "service": "c2VydmljZSdzIGtleSBvZiAx"}
DEVICE_KEY = "ZGV2aWNlJ3Mga2V5IG9mIDE2"
DOTTED = "emulator.azure-devices.net"
OWNER = f"SharedAccessKeyName=iothubowner;SharedAccessKey={KEYS['iothubowner']}"
SERVICE = f"SharedAccessKeyName=service;SharedAccessKey={KEYS['service']}"
DEVICE = f"DeviceId=d1;SharedAccessKey={DEVICE_KEY}"

STANDARD = Ports(mqtt=8883, https=443, amqp=5671, plain=4, amqp_plain=5672, connect=None)
OTHER = Ports(mqtt=1, https=2, amqp=3, plain=4, amqp_plain=5, connect=None)
PROXIED = Ports(mqtt=1, https=2, amqp=3, plain=4, amqp_plain=5, connect=6)


CA = "'/tmp/a hub/ca.pem'"
WITH_A_DOT = "Devices that want a dot in the host name, such as the C SDK"


def about(ports, **settings):
    runtime = Runtime(Settings(policy_keys=KEYS, device_keys={"d1": DEVICE_KEY}, **settings))
    runtime.add_device("d1")
    return description(runtime, ports, Path("/tmp/a hub/ca.pem"))


def strings(rest, amqp, device, device_with_port):
    return {
        "service_connection_string": f"HostName={rest};{OWNER}",
        "events_connection_string": f"Endpoint=sb://{amqp}/;{SERVICE};EntityPath=iothub-emulator",
        "device_connection_strings": {"d1": f"HostName={device};{DEVICE}"},
        "device_connection_strings_with_port": {"d1": f"HostName={device_with_port};{DEVICE}"},
    }


@pytest.mark.parametrize(
    ("ports", "localhost", "dotted"),
    [
        pytest.param(
            STANDARD,
            ("localhost", "localhost", "localhost", "localhost:8883"),
            (DOTTED, DOTTED, DOTTED, f"{DOTTED}:8883"),
            id="standard ports",
        ),
        pytest.param(
            OTHER,
            ("localhost:2", "localhost:3", "localhost", "localhost:1"),
            (f"{DOTTED}:2", f"{DOTTED}:3", DOTTED, f"{DOTTED}:1"),
            id="other ports",
        ),
        pytest.param(
            PROXIED,
            ("localhost:2", "localhost:3", "localhost", "localhost:1"),
            (DOTTED, DOTTED, DOTTED, f"{DOTTED}:1"),
            id="through a proxy, which knows the standard ports",
        ),
    ],
)
def test_each_name_of_the_hub_has_its_strings(ports, localhost, dotted):
    names = about(ports)["host_names"]
    assert list(names) == ["localhost", "127.0.0.1", DOTTED]
    assert names["localhost"] == strings(*localhost)
    assert names[DOTTED] == strings(*dotted)


def test_a_name_that_its_user_gave_it_has_them_too():
    names = about(STANDARD, host_names=("localhost", DOTTED, "hub.example"))["host_names"]
    assert names["hub.example"]["device_connection_strings"] == {"d1": f"HostName=hub.example;{DEVICE}"}


def test_the_strings_of_localhost_stand_at_the_top():
    stated = about(OTHER)
    top = {name: stated[name] for name in stated["host_names"]["localhost"] if name in stated}
    assert top == {
        name: text
        for name, text in strings("localhost:2", "localhost:3", "localhost", "localhost:1").items()
        if name != "device_connection_strings_with_port"
    }


def test_the_banner_says_what_to_trust_and_which_string_is_for_whom():
    assert banner(about(STANDARD), Path("a folder/ready.json")).splitlines() == [
        "IoT Hub emulator, edition current, ready on localhost",
        "MQTT 8883 · HTTPS and WebSocket 443 · AMQP 5671 · all with TLS",
        "AMQP without TLS 5672, on loopback alone",
        "Trust its certificate authority, in the shell that runs a client:",
        f"  export SSL_CERT_FILE={CA} REQUESTS_CA_BUNDLE={CA} NODE_EXTRA_CA_CERTS={CA}",
        "Service: azure-iot-hub, azure-iothub (npm), REST",
        f"  HostName=localhost;{OWNER}",
        "Events, as it is: azure-eventhub, @azure/event-hubs (npm)",
        f"  Endpoint=sb://localhost:5672;{SERVICE};UseDevelopmentEmulator=true;EntityPath=iothub-emulator",
        "Events over TLS, with the client's options for the CA and for a custom endpoint, sb://localhost:5671",
        f"  Endpoint=sb://localhost/;{SERVICE};EntityPath=iothub-emulator",
        "Devices: azure-iot-device, azure-iot-device-mqtt (npm), paho and other MQTT clients",
        f"  HostName=localhost;{DEVICE}",
        f"{WITH_A_DOT}: with a line in the hosts file, 127.0.0.1 {DOTTED}",
        f"  HostName={DOTTED};{DEVICE}",
        "See what devices send: python -m iothub_emulator monitor --ready-file 'a folder/ready.json'",
        "Ctrl-C ends it; keys and certificates that no option fixes are new at each start.",
    ]


def test_the_banner_promises_nothing_to_who_knows_the_standard_ports_alone():
    """On other ports azure-iothub and azure-iot-device are not named; npm's device has its own string."""
    lines = banner(about(OTHER)).splitlines()
    assert "Service: azure-iot-hub, REST" in lines
    assert lines[lines.index("Devices: paho and other MQTT clients that are told the port") :] == [
        "Devices: paho and other MQTT clients that are told the port",
        f"  HostName=localhost;{DEVICE}",
        "Devices that find the port in the string: azure-iot-device-mqtt (npm)",
        f"  HostName=localhost:1;{DEVICE}",
        f"{WITH_A_DOT}: most know port 8883 alone, or a proxy: --connect-port 0",
        f"  HostName={DOTTED};{DEVICE}",
        "Ctrl-C ends it; keys and certificates that no option fixes are new at each start.",
    ]


def test_the_banner_names_the_proxy():
    lines = banner(about(PROXIED)).splitlines()
    assert "AMQP without TLS 5, on loopback alone · CONNECT 6" in lines
    assert f"{WITH_A_DOT}: by their proxy option, http://127.0.0.1:6" in lines


def test_without_a_name_with_a_dot_the_banner_has_no_string_for_it():
    assert "want a dot" not in banner(about(STANDARD, host_names=("localhost", "127.0.0.1", "hub")))

"""Cloud-to-device messages of the test's own back end, by azure-eventhub's AMQP client."""

import contextlib

from azure.eventhub._pyamqp import SendClient
from azure.eventhub._pyamqp.authentication import SASTokenAuth
from azure.eventhub._pyamqp.message import Message, Properties
from hub_process import parsed


@contextlib.contextmanager
def sender(hub):
    """Yield a function that sends (device, body, properties, system properties) and waits for the answer."""
    owner = parsed(hub["service_connection_string"])
    host = hub["host"]
    client = SendClient(
        host,
        f"amqps://{host}/messages/devicebound",
        auth=SASTokenAuth(
            uri=host,
            audience=host,
            username=owner["SharedAccessKeyName"],
            password=owner["SharedAccessKey"],
        ),
        custom_endpoint_address=f"sb://{host}:{hub['ports']['amqp']}",
        use_tls=True,
        connection_verify=hub["ca_file"],
        socket_timeout=0.02,
    )

    def send(device_id, body, properties, system):
        if "user_id" in system:  # binary in AMQP, and this client does not convert it
            system = system | {"user_id": system["user_id"].encode()}
        to = f"/devices/{device_id}/messages/devicebound"
        client.send_message(
            Message(
                properties=Properties(to=to, **system),
                application_properties=properties,
                data=[body.encode()],
            )
        )

    try:
        yield send
    finally:
        client.close()

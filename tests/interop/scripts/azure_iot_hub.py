"""azure-iot-hub, unmodified, as a back end: registry, modules, twins, methods, messages, purge, query."""

import base64
import time

from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import (
    AuthenticationMechanism,
    CloudToDeviceMethod,
    ExportImportDevice,
    QuerySpecification,
    SymmetricKey,
    Twin,
    TwinProperties,
)
from msrest.exceptions import HttpOperationError
from steps import HUB, ask, same, step
from uamqp import TransportType

CONNECTION = HUB["service_connection_string"]
KEY = base64.b64encode(b"k" * 32).decode()
OTHER_KEY = base64.b64encode(b"o" * 32).decode()


def refused(status, call, *arguments):
    """Demand that a call fails with this HTTP status."""
    try:
        call(*arguments)
    except HttpOperationError as error:
        same(error.response.status_code, status)
    else:
        raise AssertionError(f"{call.__name__} was not refused")


def method(name, payload=None, **timeouts):
    return CloudToDeviceMethod(method_name=name, payload=payload, **timeouts)


def identities(hub):
    with step("registry: create a device"):
        made = hub.create_device_with_sas("hub-1", KEY, OTHER_KEY, "enabled", status_reason="new")
        same((made.device_id, made.status, made.status_reason), ("hub-1", "enabled", "new"))
        same(made.authentication.symmetric_key.primary_key, KEY)
    with step("registry: keys are made for a device created without"):
        made = hub.create_device_with_sas("hub-2", "", "", "enabled")
        assert len(base64.b64decode(made.authentication.symmetric_key.primary_key)) >= 16
    with step("registry: create a device with thumbprints"):
        made = hub.create_device_with_x509("hub-x509", "A" * 40, "B" * 40, "enabled")
        same(made.authentication.type, "selfSigned")
        same(made.authentication.x509_thumbprint.secondary_thumbprint, "B" * 40)
    with step("registry: the same device twice is refused"):
        refused(409, hub.create_device_with_sas, "hub-1", KEY, OTHER_KEY, "enabled")
    with step("registry: read a device"):
        found = hub.get_device("hub-1")
        same((found.connection_state, found.cloud_to_device_message_count), ("Disconnected", 0))
        assert found.generation_id
        assert found.etag
    with step("registry: update a device"):
        etag = hub.get_device("hub-1").etag
        changed = hub.update_device_with_sas("hub-1", etag, OTHER_KEY, KEY, "disabled", status_reason="off")
        same((changed.status, changed.status_reason), ("disabled", "off"))
        assert changed.etag != etag
    with step("registry: an update with an old etag is refused"):
        refused(412, hub.update_device_with_sas, "hub-1", "b2xk", KEY, OTHER_KEY, "enabled")
    with step("registry: list devices"):
        assert {"hub-1", "hub-2", "hub-x509"} <= {device.device_id for device in hub.get_devices()}
        same(len(hub.get_devices(2)), 2)
    with step("registry: create devices in bulk"):
        keys = AuthenticationMechanism(
            type="sas", symmetric_key=SymmetricKey(primary_key=KEY, secondary_key=OTHER_KEY)
        )
        devices = [
            ExportImportDevice(id=f"bulk-{n}", status="enabled", authentication=keys, import_mode="create")
            for n in range(5)
        ]
        result = hub.bulk_create_or_update_devices(devices)
        assert result.is_successful, result.errors
    with step("registry: delete a device"):
        hub.delete_device("hub-2")
        refused(404, hub.get_device, "hub-2")
    with step("registry: an Edge device and its child"):
        edge = hub.create_device_with_sas("hub-edge", KEY, OTHER_KEY, "enabled", iot_edge=True)
        assert edge.device_scope.startswith("ms-azure-iot-edge://hub-edge-"), edge.device_scope
        leaf = hub.create_device_with_sas(
            "hub-leaf", KEY, OTHER_KEY, "enabled", device_scope=edge.device_scope
        )
        same((leaf.device_scope, leaf.parent_scopes), (edge.device_scope, [edge.device_scope]))
    with step("registry: statistics"):
        counted = hub.get_device_registry_statistics()
        same(counted.total_device_count, len(hub.get_devices()))
        assert counted.disabled_device_count >= 1
        assert hub.get_service_statistics().connected_device_count >= 0


def modules(hub):
    with step("modules: create"):
        made = hub.create_module_with_sas("hub-2m", "m-1", "someone", KEY, OTHER_KEY)
        same((made.device_id, made.module_id, made.managed_by), ("hub-2m", "m-1", "someone"))
    with step("modules: create with thumbprints"):
        made = hub.create_module_with_x509("hub-2m", "m-2", "", "A" * 40, "B" * 40)
        same(made.authentication.type, "selfSigned")
    with step("modules: read"):
        same(hub.get_module("hub-2m", "m-1").authentication.symmetric_key.primary_key, KEY)
    with step("modules: list"):
        same(sorted(module.module_id for module in hub.get_modules("hub-2m")), ["m-1", "m-2"])
    with step("modules: update"):
        etag = hub.get_module("hub-2m", "m-1").etag
        same(hub.update_module_with_sas("hub-2m", "m-1", "other", etag, OTHER_KEY, KEY).managed_by, "other")
    with step("modules: delete"):
        hub.delete_module("hub-2m", "m-2")
        refused(404, hub.get_module, "hub-2m", "m-2")


def twins(hub):
    with step("twin: read a new one"):
        twin = hub.get_twin("hub-twin")
        same((twin.device_id, twin.properties.desired["$version"]), ("hub-twin", 1))
    with step("twin: update desired properties and tags"):
        patch = Twin(tags={"site": "north"}, properties=TwinProperties(desired={"rate": 5, "mode": {"a": 1}}))
        twin = hub.update_twin("hub-twin", patch, hub.get_twin("hub-twin").etag)
        same((twin.tags, twin.properties.desired["rate"]), ({"site": "north"}, 5))
    with step("twin: the device is told"):
        told = ask("desired", identity="hub-twin")
        same((told["rate"], told["mode"], told["$version"]), (5, {"a": 1}, 2))
    with step("twin: null removes"):
        hub.update_twin("hub-twin", Twin(properties=TwinProperties(desired={"mode": None})))
        assert "mode" not in hub.get_twin("hub-twin").properties.desired
        same(ask("desired", identity="hub-twin")["mode"], None)
    with step("twin: an update with an old etag is refused"):
        refused(412, hub.update_twin, "hub-twin", Twin(tags={"site": "south"}), "b2xk")
    with step("twin: replace"):
        twin = hub.replace_twin("hub-twin", Twin(tags={}, properties=TwinProperties(desired={"only": True})))
        same((twin.tags or {}, twin.properties.desired["only"]), ({}, True))
        assert "rate" not in twin.properties.desired
        assert ask("desired", identity="hub-twin")["only"] is True
    with step("twin: what the device reports"):
        same(ask("report", identity="hub-twin", reported={"seen": [1, 2]}), 204)
        same(hub.get_twin("hub-twin").properties.reported["seen"], [1, 2])
    with step("twin: of a module"):
        hub.update_module_twin("hub-2m", "m-1", Twin(properties=TwinProperties(desired={"own": 1})))
        same(hub.get_module_twin("hub-2m", "m-1").properties.desired["own"], 1)
        twin = hub.replace_module_twin("hub-2m", "m-1", Twin(properties=TwinProperties(desired={"own": 2})))
        same(twin.properties.desired["own"], 2)
        same(ask("desired", identity="hub-2m/m-1")["own"], 1)


def methods(hub):
    with step("methods: with a payload"):
        result = hub.invoke_device_method("hub-twin", method("blink", {"times": [1, None, "ä"]}))
        same(result.status, 201)
        same(result.payload, {"method": "blink", "body": '{"times":[1,null,"ä"]}'})
    with step("methods: without a payload"):
        result = hub.invoke_device_method("hub-twin", method("blink"))
        same((result.status, result.payload["method"]), (201, "blink"))
        # The package writes an empty text where the caller gave nothing.
        same(result.payload["body"], '""')
    with step("methods: with both timeouts"):
        call = method("blink", "x", response_timeout_in_seconds=5, connect_timeout_in_seconds=5)
        same(hub.invoke_device_method("hub-twin", call).payload["body"], '"x"')
    with step("methods: of a module"):
        result = hub.invoke_device_module_method("hub-2m", "m-1", method("reset", 7))
        same((result.status, result.payload["body"]), (201, "7"))
    with step("methods: a device that is not connected"):
        refused(404, hub.invoke_device_method, "bulk-0", method("blink"))


def cloud_to_device(hub, how):
    with step(f"cloud-to-device over {how}: a message with every property"):
        properties = {
            "contentType": "text/plain",
            "contentEncoding": "utf-8",
            "correlationId": f"c {how}",
            "messageId": f"m {how}",
            "expiryTimeUtc": int((time.time() + 600) * 1000),
            "name": "São Paulo & more",
        }
        hub.send_c2d_message("hub-twin", f"body over {how}", properties)
        message = ask("message", identity="hub-twin")
        same(message["body"], f"body over {how}")
        bag = message["bag"]
        same(
            {name: bag.get(name) for name in ("$.mid", "$.cid", "$.ct", "$.ce", "name")},
            {
                "$.mid": f"m {how}",
                "$.cid": f"c {how}",
                "$.ct": "text/plain",
                "$.ce": "utf-8",
                "name": "São Paulo & more",
            },
        )
        same(bag["$.to"].lower(), "/devices/hub-twin/messages/devicebound")
    with step(f"cloud-to-device over {how}: 100 messages keep their order"):
        for number in range(100):
            hub.send_c2d_message("hub-twin", str(number))
            same(ask("message", identity="hub-twin")["body"], str(number))
    with step(f"cloud-to-device over {how}: an unknown device is refused"):
        try:
            hub.send_c2d_message("nobody", "lost")
        except Exception as error:  # noqa: BLE001 - the package raises nothing narrower
            same(str(error), "C2D message send failure")
        else:
            raise AssertionError("the hub took it")


def purge(hub):
    with step("purge: says how many messages it removed"):
        for number in range(3):
            hub.send_c2d_message("hub-purge", str(number))
        same(hub.get_device("hub-purge").cloud_to_device_message_count, 3)
        purged = hub.protocol.cloud_to_device_messages.purge_cloud_to_device_message_queue("hub-purge")
        same((purged.device_id, purged.total_messages_purged), ("hub-purge", 3))
        same(hub.get_device("hub-purge").cloud_to_device_message_count, 0)


def queries(hub):
    with step("query: all devices"):
        found = hub.query_iot_hub(QuerySpecification(query="SELECT * FROM devices"))
        same(
            {twin.device_id for twin in found.items},
            {device.device_id for device in hub.get_devices()},
        )
    with step("query: a condition"):
        hub.update_twin("bulk-1", Twin(tags={"floor": 3}))
        found = hub.query_iot_hub(QuerySpecification(query="SELECT * FROM devices WHERE tags.floor = 3"))
        same([twin.device_id for twin in found.items], ["bulk-1"])
    with step("query: a function, of children of an Edge device"):
        scope = hub.get_device("hub-edge").device_scope
        text = f"select deviceId from devices where array_contains(parentScopes, '{scope}')"
        same([row.device_id for row in hub.query_iot_hub(QuerySpecification(query=text)).items], ["hub-leaf"])
    with step("query: a count by group"):
        text = "SELECT status AS status, COUNT() AS numberOfDevices FROM devices GROUP BY status"
        counted = hub.get_device_registry_statistics()
        rows = hub.query_iot_hub(QuerySpecification(query=text)).items
        same(
            {row.status: row.additional_properties["numberOfDevices"] for row in rows},
            {"enabled": counted.enabled_device_count, "disabled": counted.disabled_device_count},
        )
    with step("query: pages"):
        specification, names, token = QuerySpecification(query="SELECT * FROM devices"), [], None
        while True:
            page = hub.query_iot_hub(specification, token, 2)
            assert len(page.items) <= 2
            names += [twin.device_id for twin in page.items]
            token = page.continuation_token
            if not token:
                break
        same(sorted(names), sorted(device.device_id for device in hub.get_devices()))
    with step("query: what is not understood is refused"):
        refused(400, hub.query_iot_hub, QuerySpecification(query="SELEKT everything"))


def main():
    hub = IoTHubRegistryManager.from_connection_string(CONNECTION)
    identities(hub)
    for identity in ("hub-2m", "hub-twin", "hub-purge"):
        with step(f"set the stage: {identity}"):
            ask("create", identity=identity)
    with step("set the stage: hub-twin connects"):
        ask("connect", identity="hub-twin")
        # A mailbox begins with the device's first session.
        ask("connect", identity="hub-purge")
        ask("disconnect", identity="hub-purge")
    modules(hub)
    with step("set the stage: hub-2m/m-1 connects"):
        key = hub.get_module("hub-2m", "m-1").authentication.symmetric_key.primary_key
        ask("connect", identity="hub-2m/m-1", key=key)
    twins(hub)
    methods(hub)
    if HUB["ports"]["amqp"] == 5671:
        cloud_to_device(hub, "TLS")
        purge(hub)
    queries(hub)
    if HUB["ports"]["https"] == 443:
        socket = IoTHubRegistryManager.from_connection_string(CONNECTION, TransportType.AmqpOverWebsocket)
        cloud_to_device(socket, "WebSocket")
        socket.amqp_svc_client.disconnect_sync()
    # The package closes at the interpreter's end, and waits there for a thread that Python 3.13 has frozen.
    hub.amqp_svc_client.disconnect_sync()


if __name__ == "__main__":
    main()

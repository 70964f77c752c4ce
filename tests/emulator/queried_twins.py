"""Three twins that differ, as what queries are asked of."""

from iothub_emulator.hub.query import Source

TWINS = {
    "a": {
        "status": "enabled",
        "connectionState": "Connected",
        "version": 5,
        "tags": {"place": {"region": "US"}, "n": 5, "flag": True, "nothing": None, "list": [1]},
        "properties": {
            "desired": {"mode": "fast", "$version": 2},
            "reported": {"every": 60, "mode": "fast", "$version": 4},
        },
        "capabilities": {"iotEdge": True},
    },
    "b": {
        "status": "enabled",
        "connectionState": "Disconnected",
        "version": 2,
        "tags": {"place": {"region": "EU"}, "n": 7.5, "flag": False, "text": "it's"},
        "properties": {"desired": {"$version": 1}, "reported": {"every": 30, "$version": 1}},
        "capabilities": {"iotEdge": False},
    },
    "c": {
        "status": "disabled",
        "connectionState": "Disconnected",
        "version": 2,
        "tags": {},
        "properties": {"desired": {"$version": 1}, "reported": {"$version": 1}},
        "capabilities": {"iotEdge": False},
    },
}
SOURCES = [
    Source(device_id, "", lambda device_id=device_id, twin=twin: {"deviceId": device_id} | twin)
    for device_id, twin in reversed(TWINS.items())
]

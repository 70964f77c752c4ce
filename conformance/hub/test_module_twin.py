"""A module's twin.

Document: #using-the-mqtt-protocol-directly-as-a-module. Clauses: clauses/module.toml.

The topics for GET and PATCH of a twin, and those of their answers, are the same for modules and
devices. The twin behind them is the module's own.
"""

import pytest

clause = pytest.mark.clause


@clause("module.twin")
def test_a_module_gets_its_twin(module, module_twin, twins):
    """The answer to a GET has the documented topic, and holds both sections with their versions."""
    set_by_service = twins.patch(module, desired={"interval": 5})

    answer = module_twin.get(request_id="module-1")
    assert (answer.topic, answer.properties) == (
        f"$iothub/twin/res/{answer.status}/?$rid=module-1",
        {
            "desired": {"interval": 5, "$version": set_by_service.desired.version},
            "reported": {"$version": set_by_service.reported.version},
        },
    )


@clause("module.twin")
def test_a_module_reports_to_its_twin(module, module_twin, twins):
    """The answer to a PATCH has the documented topic, and the back end reads what was reported."""
    answer = module_twin.report({"firmware": "v1.1"}, request_id="module-2")

    reported = twins.get(module).reported
    assert (answer.topic, reported.values) == (
        f"$iothub/twin/res/{answer.status}/?$rid=module-2&$version={reported.version}",
        {"firmware": "v1.1"},
    )


@clause("module.twin")
def test_a_module_is_told_of_a_patch_that_cannot_be_read(module_twin, untouched):
    """The status of the answer is the one that a device would get."""
    assert module_twin.report(b'{"firmware":').outcome == "status 400"
    untouched.confirm()


@clause("module.twin-separate")
def test_what_a_module_reports_is_not_in_another_twin(device, module_twin, other_module, twins, stage):
    """Neither the device's twin nor a sibling's has it."""
    stage(module_twin.establish, {"firmware": "v1.1"}, needs="module.twin")

    others = twins.get(device), twins.get(other_module)
    assert [twin.reported.values for twin in others] == [{}, {}]


@clause("module.twin-separate")
def test_what_is_desired_of_the_device_is_not_in_a_modules_twin(device, module, module_twin, twins):
    """The back end changes the device's twin; the module gets its own, unchanged."""
    twins.patch(device, desired={"interval": 5})

    assert module_twin.get().desired == {"$version": twins.get(module).desired.version}


@clause("module.twin-separate")
def test_what_the_device_reports_is_not_in_a_modules_twin(module, module_twin, twin, twins, stage):
    """The device reports to its own twin; the module gets its own, unchanged."""
    stage(twin.establish, {"firmware": "v1.0"}, needs="twin.reported")

    assert module_twin.get().reported == {"$version": twins.get(module).reported.version}


@clause("module.twin-separate")
def test_what_a_sibling_reports_is_not_in_a_modules_twin(module, module_twin, sibling_twin, twins, stage):
    """The sibling reports to its own twin; the module gets its own, unchanged."""
    stage(sibling_twin.establish, {"firmware": "v1.0"}, needs="module.twin")

    assert module_twin.get().reported == {"$version": twins.get(module).reported.version}


@clause("module.desired")
def test_a_module_is_told_what_is_desired_of_it(module, module_listener, twins):
    """The notification has the documented topic, the change and its version."""
    changed = twins.patch(module, desired={"interval": 5})

    change = module_listener.next_change()
    assert (change.topic, change.members, change.document.get("$version")) == (
        f"$iothub/twin/PATCH/properties/desired/?$version={changed.desired.version}",
        {"interval": 5},
        changed.desired.version,
    )


@clause("module.desired")
def test_a_module_is_not_told_what_is_desired_of_others(device, module, other_module, module_listener, twins):
    """Device and sibling are changed first: the first notification is of the module's own twin."""
    twins.patch(device, desired={"whose": "device"})
    twins.patch(other_module, desired={"whose": "sibling"})

    twins.patch(module, desired={"whose": "module"})
    assert module_listener.next_change().members == {"whose": "module"}


@clause("module.desired")
def test_a_device_is_not_told_what_is_desired_of_its_module(device, module, listener, twins):
    """The module is changed first: the first notification to the device is of its own twin."""
    twins.patch(module, desired={"whose": "module"})

    twins.patch(device, desired={"whose": "device"})
    assert listener.next_change().members == {"whose": "device"}

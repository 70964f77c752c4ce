"""Direct methods of a module.

Document: #using-the-mqtt-protocol-directly-as-a-module and #respond-to-a-direct-method.
Clauses: clauses/module.toml.

A module is called by its own name, on the topics that a device is called on. Its device and its
siblings have methods of their own.
"""

import pytest

clause = pytest.mark.clause


@clause("module.methods")
def test_a_module_is_called_and_answers(module_callee, methods):
    """Name, payload, status and answer go their way as for a device."""
    call = methods.begin(module_callee.device, "reboot", {"delay": 5})
    request = module_callee.next_request()
    module_callee.answer(request, 201, {"done": True})

    result = call.result()
    assert (request.name, request.document, result.status, result.payload) == (
        "reboot",
        {"delay": 5},
        201,
        {"done": True},
    )


@clause("module.methods")
def test_a_call_of_a_module_does_not_reach_its_device(callee, module_callee, methods):
    """Both listen, the module is called: the first request of the device is its own."""
    methods.begin(module_callee.device, "for_the_module")
    module_callee.next_request()

    methods.begin(callee.device, "for_the_device")
    assert callee.next_request().name == "for_the_device"


@clause("module.methods")
def test_a_call_of_a_device_does_not_reach_its_module(callee, module_callee, methods):
    """Both listen, the device is called: the first request of the module is its own."""
    methods.begin(callee.device, "for_the_device")
    callee.next_request()

    methods.begin(module_callee.device, "for_the_module")
    assert module_callee.next_request().name == "for_the_module"


@clause("module.methods")
def test_a_device_does_not_answer_for_its_module(callee, module_callee, open_exchange):
    """Both have a call under way; each caller gets the answer of whom it called."""
    of_device, of_module = open_exchange(callee), open_exchange(module_callee)

    of_device.answer(201, "device")
    of_module.answer(202, "module")

    results = of_device.result(), of_module.result()
    assert [(result.status, result.payload) for result in results] == [(201, "device"), (202, "module")]


@clause("module.methods")
@pytest.mark.usefixtures("reachable")
def test_a_device_that_listens_makes_no_module_reachable(module, methods):
    """The device answers calls, its module is away: a call of the module finds nobody."""
    assert methods.outcome(module, "reboot") == "404"


@clause("module.methods")
@pytest.mark.usefixtures("reachable_module")
def test_a_module_that_listens_makes_no_device_reachable(device, methods):
    """The module answers calls, its device is away: a call of the device finds nobody."""
    assert methods.outcome(device, "reboot") == "404"

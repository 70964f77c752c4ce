"""Right hubs for which the suite makes no stimulus: what they do is shown here."""

import asyncio
import json

import pytest
import twins_latitude
from latitude import all_variants

from iothub_emulator.editions import EDITIONS
from iothub_emulator.rest import twins as rest_twins
from iothub_emulator.rest.calls import Call
from iothub_emulator.rules import rules_for
from iothub_emulator.runtime import Runtime
from iothub_emulator.settings import Settings


def test_two_changes_under_way_together_are_made_last_to_first(monkeypatch):
    """The second call is the first change: each has the version that it was told."""
    acts = []
    for method, operation in tuple(rest_twins._OPERATIONS.items()):
        monkeypatch.setitem(rest_twins._OPERATIONS, method, operation)
    monkeypatch.setattr(twins_latitude, "acted", lambda: acts.append(1))
    rules = rules_for(Settings(), EDITIONS["current"])
    twins_latitude.changes_under_way_together_are_made_in_either_order(rules)

    async def change_twice():
        runtime = Runtime(Settings(), rules)
        runtime.add_device("d1")
        change = rest_twins._OPERATIONS["PATCH"].carry_out
        answers = await asyncio.gather(*(change(a_call(runtime, mode)) for mode in ("day", "night")))
        return [json.loads(answer.body)["properties"]["desired"] for answer in answers]

    first, second = asyncio.run(change_twice())
    assert (second["mode"], second["$version"]) == ("night", 2)
    assert (first["mode"], first["$version"]) == ("day", 3)
    assert acts


def a_call(runtime, mode):
    return Call(
        runtime=runtime,
        ids=("d1",),
        query={},
        if_match=None,
        headers={},
        body=json.dumps({"properties": {"desired": {"mode": mode}}}).encode(),
        caller_left=asyncio.get_running_loop().create_future(),
    )


@pytest.mark.parametrize("variant", [each for each in all_variants() if each.shown_by], ids=str)
def test_what_shows_a_hub_act_is_here(variant):
    assert variant.shown_by in globals()

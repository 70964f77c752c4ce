"""Whatever a hub sends, the run ends, and leaves a report that opens: its size and its memory have limits.

Each hub is met by a part of the suite that it hits hard. `benchmarks/reports_of_hostile_hubs.py` says how
long the reports take to write.
"""

import hostile_hubs
import pytest
from hostile_run import run_suite_on

MEGABYTE = 1_000_000


def part(*clauses):
    """The cases of these clauses, with little patience for what such a hub never answers."""
    return ["--timeout-factor=0.2", *[f"--clause={clause}" for clause in clauses]]


PARTS = {
    hostile_hubs.each_packet_twice: ["-n", "2", *part("twin.throttled", "watch.*")],
    hostile_hubs.reflects_what_it_hears: part("connection.survives-others", "watch.*"),
    hostile_hubs.one_message_ten_thousand_times: part("twin.get*", "watch.*"),
    hostile_hubs.thousands_behind_each_suback: part("c2d.body", "watch.*"),
    hostile_hubs.packets_without_end: part("connection.ping", "watch.*"),
    hostile_hubs.acknowledgements_without_end: part("connection.ping", "watch.*"),
    hostile_hubs.messages_of_a_megabyte: part("twin.get*", "watch.*"),
    hostile_hubs.packets_of_the_greatest_length: part("c2d.subscribe", "watch.*"),
    hostile_hubs.topics_of_64_kilobytes: part("twin.get*", "watch.*"),
    hostile_hubs.subacks_of_60_000_codes: part("c2d.granted-qos"),
    hostile_hubs.bytes_that_mean_nothing: part("connection.ping", "watch.*"),
    hostile_hubs.websocket_pings_without_end: part("websocket.mqtt", "websocket.frames"),
    hostile_hubs.each_event_a_thousand_times: part("d2c.body-opaque", "d2c.puback"),
}


@pytest.mark.parametrize("hub", PARTS, ids=lambda hub: hub.__name__.replace("_", "-"))
def test_the_report_opens(hub, tmp_path):
    """At most 20 MB of report, all files together, and 1 GB of memory, in each process of the run."""
    left = run_suite_on(hub.__name__, tmp_path, *PARTS[hub])

    assert left.code in {0, 1, 10}, left.output[-3000:]
    assert left.statement["run"]["exit_code"] == left.code
    assert left.size <= 20 * MEGABYTE
    assert left.memory <= 1000 * MEGABYTE

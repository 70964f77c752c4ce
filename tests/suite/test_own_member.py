"""The run's own member of a ready-made device's twin: what goes into it, and what a case sees of the twin."""

import pytest

from conformance.errors import HarnessError
from conformance.mqtt.own_member import OwnMember
from conformance.mqtt.twin import DESIRED, GET, REPORT
from conformance.mqtt.twin_messages import TwinAnswer

BODY = b"""{
    "desired": {"interval": 5, "$version": 3},
    "reported": {"owner": "keeps", "conformance-1": {"a": 1}, "$version": 7}
}"""


@pytest.fixture
def noted():
    return []


@pytest.fixture
def own(noted):
    return OwnMember("conformance-1", may_write=True, before_writing=lambda: noted.append("noted"))


@pytest.fixture
def answer(own):
    return TwinAnswer("$iothub/twin/res/200/?$rid=1", BODY, own)


@pytest.mark.parametrize(
    ("body", "moved"),
    [
        (b'{"a": 1}', b'{"conformance-1":{"a": 1}}'),
        (b"{", b'{"conformance-1":{}'),
        (b"", b'{"conformance-1":}'),
        (b"\x00\xff", b'{"conformance-1":\x00\xff}'),
    ],
)
def test_a_patch_goes_into_the_member_whether_it_is_json_or_not(own, body, moved):
    assert own.request(f"{REPORT}?$rid=1", body) == moved


def test_a_patch_of_desired_properties_goes_there_too(own):
    """A hub that took it, which no right hub does, has it in the same place."""
    assert own.request("$iothub/twin/PATCH/properties/desired/?$rid=1", b"{}") == b'{"conformance-1":{}}'
    assert DESIRED.startswith("$iothub/twin/PATCH/")


def test_a_get_stays_as_it_is(own, noted):
    assert own.request(f"{GET}?$rid=1", b" ") == b" "
    assert noted == []


def test_whose_twin_is_written_is_noted_once_and_before(own, noted):
    own.request(f"{REPORT}?$rid=1", b"{}")
    own.request(f"{REPORT}?$rid=2", b"{}")

    assert noted == ["noted"]
    assert own.is_written


def test_nothing_is_written_where_the_profile_does_not_say_so(noted):
    own = OwnMember("conformance-1", may_write=False, before_writing=lambda: noted.append("noted"))

    with pytest.raises(HarnessError, match="mark it with writes_twin"):
        own.request(f"{REPORT}?$rid=1", b"{}")
    assert noted == []


def test_a_case_sees_what_stands_in_the_member_and_the_versions(answer):
    assert answer.reported == {"a": 1, "$version": 7}
    assert answer.reported_members == {"a": 1}
    assert answer.desired == {"$version": 3}
    assert answer.path("reported") == ("reported", "conformance-1")


def test_what_others_desire_meanwhile_is_no_difference(answer):
    assert answer.properties == {"desired": {}, "reported": {"a": 1, "$version": 7}}


def test_a_member_that_is_no_object_is_seen(own):
    body = b'{"desired": {"$version": 1}, "reported": {"conformance-1": 3, "$version": 2}}'

    assert TwinAnswer("", body, own).reported == {"conformance-1": 3, "$version": 2}


def test_versions_are_told_beside_the_first_one(own, answer):
    """So that two runs say the same, however often a twin was written before."""
    later = TwinAnswer("$iothub/twin/res/204/?$rid=2&$version=9", b"", own)

    assert answer.reported_in_words == "{'a': 1, '$version': 'first+0'}"
    assert later.version_in_words == "first+2"


def test_of_a_new_device_versions_are_told_as_they_are():
    answer = TwinAnswer("$iothub/twin/res/204/?$rid=2&$version=9", BODY)

    assert answer.version_in_words == "9"
    assert answer.reported_version_in_words == "7"
    assert answer.reported_in_words == str(answer.reported)

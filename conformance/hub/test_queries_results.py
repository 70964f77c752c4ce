"""Queries over twins: what they may ask of a twin, what they return of it, and in which pages.

Microsoft, "IoT Hub query language" and "Queries for IoT Hub device and module twins"; REST, Query. Clauses:
clauses/queries.toml.
"""

import pytest

clause = pytest.mark.clause

NONE_OF_THE_LANGUAGE = [
    "",
    "devices",
    "SELECT",
    "SELECT *",
    "SELECT * FROM",
    "SELECT * FROM nowhere",
    "SELECT FROM devices",
    "SELECT * devices",
    "SELECT *, FROM devices",
    "SELECT TOP * FROM devices",
    "SELECT TOP -1 * FROM devices",
    "SELECT * FROM devices WHERE",
    "SELECT * FROM devices WHERE tags.a =",
    "SELECT * FROM devices WHERE = 1",
    "SELECT * FROM devices WHERE tags.a = 1 AND",
    "SELECT * FROM devices WHERE tags.a = 1 OR",
    "SELECT * FROM devices WHERE tags.a = 1 tags.b = 2",
    "SELECT * FROM devices WHERE (tags.a = 1",
    "SELECT * FROM devices WHERE tags.a = 1)",
    "SELECT * FROM devices WHERE NOT",
    "SELECT * FROM devices WHERE tags.a = 'x",
    "SELECT * FROM devices WHERE tags.a IN []",
    "SELECT * FROM devices WHERE tags.a IN [1",
    "SELECT * FROM devices WHERE tags.a IN 1",
    "SELECT * FROM devices WHERE is_defined()",
    "SELECT * FROM devices WHERE is_defined(1)",
    "SELECT * FROM devices WHERE tags.a == 1",
    "SELECT * FROM devices WHERE tags.a ! 1",
    "SELECT * FROM devices WHERE tags.a = 'x' WHERE tags.b = 'y'",
    "SELECT * FROM devices; SELECT * FROM devices",
]


@clause("queries.properties")
def test_a_query_asks_for_what_an_identity_is(free_names, identities, twins, queries):
    """Status and its reason, how it proves itself, connection state, versions, and the ids themselves."""
    first, second = free_names("-1", "-2")
    thumbprints = {"primaryThumbprint": "A1" * 20, "secondaryThumbprint": "0F" * 20}
    identities.create(first, status="disabled", statusReason="lost")
    identities.create(second, authentication={"type": "selfSigned", "x509Thumbprint": thumbprints})
    version = twins.patch(second, tags={"row": 1}, desired={"a": {"b": {"c": 1}}}).version
    of_both = f"deviceId IN ['{first}', '{second}']"
    queries.await_found(f"SELECT * FROM devices WHERE {of_both} AND is_defined(tags.row)", 1)

    conditions = {
        f"deviceId = '{first}'": [first],
        "status = 'disabled'": [first],
        "status = 'enabled'": [second],
        "statusReason = 'lost'": [first],
        "connectionState = 'Disconnected'": [first, second],
        "connectionState = 'Connected'": [],
        "cloudToDeviceMessageCount = 0": [first, second],
        "authenticationType = 'sas'": [first],
        "authenticationType = 'selfSigned'": [second],
        f"x509Thumbprint.primaryThumbprint = '{'A1' * 20}'": [second],
        f"version = {version}": [second],
        "capabilities.iotEdge = false": [first, second],
        "tags.row = 1": [second],
        "properties.desired.a.b.c = 1": [second],
        "is_defined(etag)": [first, second],
        "is_defined(lastActivityTime)": [first, second],
        "is_defined(statusUpdateTime)": [first, second],
        "is_defined(x509Thumbprint.secondaryThumbprint)": [first, second],
    }
    found = {
        condition: queries.ids(f"SELECT * FROM devices WHERE {of_both} AND ({condition})")
        for condition in conditions
    }
    assert found == conditions


@clause("queries.properties")
def test_a_query_asks_for_what_a_device_reported(reporting, queries):
    """At any depth, and that it is connected."""
    of_device = f"SELECT deviceId FROM devices WHERE deviceId = '{reporting.id}' AND"
    conditions = [
        "properties.reported.mode = 'fast'",
        "properties.reported.route.via = 'north'",
        "connectionState = 'Connected'",
    ]

    assert [queries.found(f"{of_device} {condition}") for condition in conditions] == [
        [{"deviceId": reporting.id}]
    ] * 3


@clause("queries.projection")
def test_a_query_returns_what_it_selects(fleet, fleet_names, queries):
    """Under the last name, or another; what a twin has not is left out."""
    page = queries.page(
        "SELECT deviceId, tags.region AS place, properties.desired.nest.deep, properties.desired.limit"
        f" FROM devices WHERE {fleet.where('tags.row >= 2')}"
    )

    b, c, d = fleet_names[1:4]
    assert page.item_type.lower() == "raw"
    assert sorted(page.items, key=lambda item: item["deviceId"]) == [
        {"deviceId": b, "place": "north", "limit": 0},
        {"deviceId": c, "place": "south", "deep": {"er": 1}, "limit": 9},
        {"deviceId": d, "place": "east", "limit": 255},
    ]


@clause("queries.projection")
def test_names_of_the_hub_s_own_have_any_letter_case(fleet, fleet_names):
    """The page's own example selects DeviceId and LastActivityTime, and gets them as the twin has them."""
    selected = fleet.select("DeviceId, LastActivityTime", "Status = 'enabled' and tags.row = 1")

    assert [item.keys() for item in selected] == [{"deviceId", "lastActivityTime"}]
    assert selected[0]["deviceId"] == fleet_names[0]


@clause("queries.top")
def test_a_query_finds_no_more_than_it_asks_for(fleet):
    """Two of five, and all five where more are asked for; with a projection too."""
    numbers = [len(fleet.select(f"TOP {number} *")) for number in (1, 2, 5, 50)]

    assert numbers == [1, 2, 5, 5]
    assert len(fleet.select("TOP 3 deviceId", "tags.row > 0")) == 3


@clause("queries.count")
def test_a_query_counts_what_it_finds(fleet):
    """All of the fleet, some, and none."""
    counted = [
        fleet.select("COUNT() AS number", condition)
        for condition in ("", "tags.region = 'north'", "tags.region = 'nowhere'")
    ]

    assert counted == [[{"number": 5}], [{"number": 2}], [{"number": 0}]]


@clause("queries.grouped")
def test_a_query_counts_by_groups(fleet, queries):
    """North twice, south and east once each."""
    found = queries.found(
        "SELECT tags.region AS region, COUNT() AS number FROM devices"
        f" WHERE {fleet.where('tags.row > 0')} GROUP BY tags.region"
    )

    assert sorted(found, key=lambda row: str(row.get("region"))) == [
        {"region": "east", "number": 1},
        {"region": "north", "number": 2},
        {"region": "south", "number": 1},
    ]


@clause("queries.aggregates")
@pytest.mark.parametrize(("aggregate", "value"), [("AVG", 8.25), ("SUM", 33), ("MIN", 1), ("MAX", 20)])
def test_a_query_computes_of_what_it_finds(fleet, aggregate, value):
    """Of the rows 1, 2, 10 and 20."""
    assert fleet.select(f"{aggregate}(tags.row) AS computed", "tags.row > 0") == [{"computed": value}]


@clause("queries.modules")
def test_a_query_finds_modules(device, other_device, identities, twins, queries):
    """Of one device, of several, by what their twins hold; a query of devices finds none."""
    names = [f"{device.id}/one", f"{device.id}/two", f"{other_device.id}/one"]
    for name in names:
        identities.create(name)
        twins.patch(name, tags={"fleet": device.id, "name": name[-3:]}, desired={"mode": "scanning"})
    of_fleet = f"tags.fleet = '{device.id}'"
    queries.await_found(f"SELECT * FROM devices.modules WHERE {of_fleet}", len(names))

    asked = {
        f"devices.modules WHERE {of_fleet}": sorted(names),
        f"devices.modules WHERE {of_fleet} AND properties.desired.mode = 'scanning'": sorted(names),
        f"devices.modules WHERE {of_fleet} AND deviceId IN ['{device.id}']": names[:2],
        f"devices.modules WHERE {of_fleet} AND moduleId = 'one'": sorted([names[0], names[2]]),
        f"devices.modules WHERE {of_fleet} AND tags.name = 'two'": [names[1]],
        f"devices WHERE {of_fleet}": [],
    }
    assert {source: queries.ids(f"SELECT * FROM {source}") for source in asked} == asked


@clause("queries.paging")
def test_pages_are_as_large_as_asked_for(fleet, fleet_names, queries):
    """Each device once; a token stands beside each page but the last."""
    text = f"SELECT deviceId FROM devices WHERE {fleet.where()}"
    of_each_size = [queries.pages(text, size) for size in (1, 2, 4)]

    found = [sorted(item["deviceId"] for page in pages for item in page.items) for pages in of_each_size]
    ends = [[page.continuation is None for page in pages] for pages in of_each_size]
    assert found == [list(fleet_names)] * 3
    assert [max(len(page.items) for page in pages) for pages in of_each_size] == [1, 2, 4]
    assert ends == [[False] * (len(pages) - 1) + [True] for pages in of_each_size]


@clause("queries.paging")
def test_pages_keep_to_the_condition_and_to_top(fleet, queries):
    """What a query does not find is on no page, and TOP counts over all of them."""
    of_fleet = f"FROM devices WHERE {fleet.where('tags.row > 1')}"

    found = [
        queries.pages(f"SELECT * {of_fleet}", 2),
        queries.pages(f"SELECT TOP 2 * {of_fleet}", 1),
        queries.pages(f"SELECT TOP 3 * FROM devices WHERE {fleet.where()}", 2),
    ]

    assert [sum(len(page.items) for page in pages) for pages in found] == [3, 2, 3]


@clause("queries.refused")
def test_what_is_no_query_is_refused(queries):
    """Something is missing, something is too much, and something is unknown."""
    statuses = {text: queries.attempt(text) for text in NONE_OF_THE_LANGUAGE}

    assert statuses == dict.fromkeys(NONE_OF_THE_LANGUAGE, "400")


@clause("queries.refused")
def test_a_query_has_8192_characters(fleet, queries):
    """And not one more; blanks count too."""
    text = f"SELECT * FROM devices WHERE {fleet.where()}"

    longest, longer = text.ljust(8190) + "\t ", text.ljust(8191) + "\t "
    assert [queries.attempt(longest), queries.attempt(longer)] == ["200", "400"]


@clause("queries.continuation-refused")
def test_odd_pages(fleet, queries, observed):
    """A token that was never given, none, and sizes that no page has: the statuses are written down."""
    text = f"SELECT deviceId FROM devices WHERE {fleet.where()}"
    asked = {
        "token never given": queries.attempt(text, continuation="AAAA"),
        "empty token": queries.attempt(text, continuation=""),
        "size 0": queries.attempt(text, size=0),
        "size 1000000": queries.attempt(text, size=1_000_000),
    }
    observed(", ".join(f"{what}: {status}" for what, status in asked.items()))


@clause("queries.unknown-names")
def test_names_that_no_twin_has(fleet, queries, observed):
    """A condition that finds the fleet stands behind each."""
    sources = [
        "SELECT statusUpdatedTime AS x FROM devices",
        "SELECT nothing FROM devices",
        "SELECT devices.deviceId FROM devices",
    ]
    observed("; ".join(f"{text}: {queries.attempt(f'{text} WHERE {fleet.where()}')}" for text in sources))


@clause("queries.envelope")
def test_the_query_stands_under_another_name(fleet, queries, observed):
    """As `Query` and as `QUERY`."""
    text = f"SELECT deviceId FROM devices WHERE {fleet.where()}"
    observed(", ".join(f"{name}: {queries.attempt(text, member=name)}" for name in ("Query", "QUERY")))

"""Updates of reported properties that the hub refuses.

Document: #update-device-twins-reported-properties. Clauses: clauses/twin.toml.

A refusal is an answer like any other, with the request's own id. Nothing of what was refused is applied:
device and back end read the twin as it was.
"""

import pytest

clause = pytest.mark.clause
pytestmark = pytest.mark.writes_twin  # all of these


@clause("twin.reported-malformed")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="opening-brace"),
        pytest.param(b'{"a":', id="no-value"),
        pytest.param(b'{"a":1', id="no-closing-brace"),
        pytest.param(b"a", id="a-letter"),
        pytest.param(b"}", id="closing-brace"),
        pytest.param(b"\x00\xff\xfe\x01", id="binary"),
        pytest.param(b'{"a" 1}', id="no-colon"),
        pytest.param(b'{"firmware": "v9", "a":', id="a-good-member-first"),
    ],
)
def test_malformed_json_is_answered_with_400(twin, contents, body, untouched):
    """400, and the twin is as it was."""
    answer = twin.report(body)

    assert answer.outcome == "status 400"
    assert contents.now() == contents.before
    untouched.confirm()


@clause("twin.reported-lenient")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{'a': 1}", id="single-quotes"),
        pytest.param(b'{"a": 1,}', id="trailing-comma"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": 1 /* one */}', id="comment"),
        pytest.param(b"{a: 1}", id="no-quotes"),
        pytest.param(b'{"a": 1} x', id="text-behind"),
        pytest.param(b'{"a": 1, "a": 2}', id="a-name-twice"),
    ],
)
def test_json_that_lenient_parsers_read(twin, observed, body):
    """Whether the hub reads it, and how."""
    answer = twin.report(body)

    observed(f"{answer.outcome}, then {twin.get().reported_in_words}")


@clause("twin.reported-not-object")
@pytest.mark.parametrize(
    "body",
    [b"[]", b"1", b'"x"', b"", b"null", b'[{"a": 1}]'],
    ids=["array", "number", "string", "empty", "null", "object-in-an-array"],
)
def test_a_patch_that_is_no_object(twin, observed, body):
    """Presumably 400; no trace shows it."""
    answer = twin.report(body)

    observed(f"{answer.outcome}, then {twin.get().reported_in_words}")


@clause("twin.reserved-names")
@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"firmware": "v9", "$version": 99}, id="version"),
        pytest.param({"firmware": "v9", "$metadata": {}}, id="metadata"),
        pytest.param({"firmware": "v9", "$custom": 1}, id="any"),
        pytest.param({"firmware": "v9", "limits": {"$custom": 1}}, id="nested"),
    ],
)
def test_a_name_with_a_dollar_sign_refuses_the_whole_patch(twin, contents, patch, untouched):
    """Names that begin with $ are the hub's own; the other members of the patch are not applied either."""
    answer = twin.report(patch)

    answer.expect_status(400, 599)
    assert contents.now() == contents.before
    untouched.confirm()


@clause("twin.illegal-names")
@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"firmware": "v9", "a.b": 1}, id="dot"),
        pytest.param({"firmware": "v9", "a$b": 1}, id="dollar-sign-inside"),
        pytest.param({"firmware": "v9", "a b": 1}, id="space"),
        pytest.param({"firmware": "v9", "a\x01b": 1}, id="control-character"),
        pytest.param({"firmware": "v9", "limits": {"a.b": 1}}, id="nested-dot"),
        pytest.param({"firmware": "v9", "limits": {"a b": 1}}, id="nested-space"),
        pytest.param({"firmware": "v9", "limits": {"a$": 1}}, id="nested-dollar-sign-at-the-end"),
    ],
)
def test_a_name_that_is_not_allowed_refuses_the_patch(twin, contents, patch, untouched):
    """No dot, dollar sign, space or control character, at any depth."""
    answer = twin.report(patch)

    answer.expect_status(400, 499)
    assert contents.now() == contents.before
    untouched.confirm()


@clause("twin.illegal-number-sign")
@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"firmware": "v9", "a#b": 1}, id="inside"),
        pytest.param({"firmware": "v9", "#": 1}, id="alone"),
        pytest.param({"firmware": "v9", "limits": {"high": {"#1": 1}}}, id="nested"),
    ],
)
def test_a_name_with_a_number_sign_refuses_the_patch(twin, contents, patch, untouched):
    """As dots and spaces do, at any depth."""
    answer = twin.report(patch)

    answer.expect_status(400, 499)
    assert contents.now() == contents.before
    untouched.confirm()


@clause("twin.illegal-white-space")
@pytest.mark.parametrize(
    "space",
    ["\u00a0", "\u2003", "\u2028", "\u3000"],
    ids=["no-break-space", "em-space", "line-separator", "ideographic-space"],
)
def test_a_name_with_other_white_space(twin, observed, space):
    """Whether the hub refuses what Unicode calls white space and the page does not name."""
    answer = twin.report({f"a{space}b": 1})

    observed(f"{answer.outcome}, then {twin.get().reported_members}")


@clause("twin.refused-unchanged")
@pytest.mark.needs("registry")
@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param(b"{'firmware': 'v9'}", ["firmware"], id="single-quotes"),
        pytest.param(b'{"firmware": "v9",}', ["firmware"], id="trailing-comma"),
        pytest.param(b'{"firmware": NaN}', ["firmware"], id="NaN"),
        pytest.param(b'{"firmware": "v9"} x', ["firmware"], id="text-behind"),
        pytest.param(b'{"firmware": "v8", "firmware": "v9"}', ["firmware"], id="a-name-twice"),
        pytest.param(b"[]", [], id="array"),
        pytest.param(b"1", [], id="number"),
        pytest.param(b"", [], id="empty"),
        pytest.param(b"{}", [], id="no-member"),
        pytest.param(b'{"absent": null}', [], id="null-for-an-absent-member"),
        pytest.param(b'{"new": {"e": null}}', ["new"], id="null-in-a-new-object"),
        pytest.param(b'{"list": [1, {"firmware": null}]}', ["list"], id="array-as-a-value"),
        pytest.param('{"a\u00a0b": 1}'.encode(), ["a\u00a0b"], id="no-break-space-in-a-name"),
        pytest.param(b'{"firmware": "v1.0"}', ["firmware"], id="what-is-there"),
    ],
)
def test_a_patch_changes_nothing_that_it_does_not_name(twin, contents, body, named):
    """Whether it is taken is another clause's affair; one that is refused changes nothing at all."""
    answer = twin.report(body)

    assert contents.left_by(answer, named) == contents.left_before(answer, named)


@clause("twin.stale-version")
@pytest.mark.parametrize("behind", [1, 2])
def test_a_patch_for_an_older_version_is_answered_with_412(twin, contents, behind, untouched):
    """$version in the topic makes the update depend on nothing else having been reported since."""
    answer = twin.report({"firmware": "v9"}, version=contents.reported_version - behind)

    assert answer.outcome == "status 412"
    assert contents.now() == contents.before
    untouched.confirm()


@clause("twin.stale-version")
@pytest.mark.parametrize("version", [2, 9])
def test_a_patch_for_a_version_of_fewer_digits_is_answered_with_412(twin, much_reported, version, untouched):
    """Versions are numbers: 9 is older than 10, which comes first among texts."""
    answer = twin.report({"firmware": "v9"}, version=version)

    assert answer.outcome == "status 412"
    assert much_reported.now() == much_reported.before
    untouched.confirm()


@clause("twin.current-version")
def test_a_patch_for_the_current_version_is_applied(twin, contents):
    """The same condition, met."""
    twin.report({"firmware": "v1.1"}, version=contents.reported_version)

    assert twin.get().reported_members == {"firmware": "v1.1", "limits": {"low": 1, "high": 9}}


@clause("twin.error-body")
@pytest.mark.parametrize("patch", [b"{", b'{"a.b": 1}'], ids=["malformed", "illegal-name"])
def test_the_body_of_a_refusal(twin, observed, patch):
    """Whether it says why, and in which members."""
    answer = twin.report(patch)

    observed(f"{answer.outcome}, {answer.body_in_words}")

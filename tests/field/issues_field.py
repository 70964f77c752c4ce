"""A hub as users' traces have it, in issues of SDKs and of the documentation."""

from acts import on_a_slash_in_the_bag
from latitude import acted, right, wrapped
from readings_latitude import (
    calls_of_null_have_an_empty_body,
    empty_answers_break_the_callers_json,
    names_without_a_value_are_absent,
    replacements_leave_out_what_is_gone,
    session_present_is_never_told,
    subscriptions_are_to_be_repeated,
    undocumented_names_are_telemetry,
)


@right(
    "F9: not acknowledged (azure-iot-sdk-python issue 153)",
    "F14: told without what is gone; hub facts 7, full replace",
    "F17: an empty body (azure-iot-cli-extension issue 309)",
    "F16: tags of null are ignored (azure-docs issue 32289)",
    "F18, F6: request ids to the letter, no token but the module's own: no page says otherwise",
    "hub facts 1: session-present 0; hub facts 5: unmatched topics are telemetry, in 2016",
    "hub facts 7: arrays are refused, in 2019; hub facts 8: an empty answer breaks the caller's JSON",
    "edition current",
)
def hub_of_traces(rules):
    """Messages are passed over, told in part, or taken for telemetry, arrays refused, nulls ignored."""
    on_a_slash_in_the_bag(lambda *_everything: [])
    for differ in (
        calls_of_null_have_an_empty_body,
        empty_answers_break_the_callers_json,
        names_without_a_value_are_absent,
        replacements_leave_out_what_is_gone,
        session_present_is_never_told,
        subscriptions_are_to_be_repeated,
        undocumented_names_are_telemetry,
    ):
        differ(rules)

    def ignored(patch_of_null):
        def patch(section, before):
            if section == "tags":
                acted()
                return None
            return patch_of_null(section, before)

        return patch

    def to_the_letter(_answered_call):
        return lambda request_id, pending: request_id if request_id in pending else None

    wrapped(rules.twins, "patch_of_null", ignored)
    wrapped(rules.twins, "problem_with_array", lambda _right: lambda: "Arrays are not supported.")
    wrapped(rules.methods, "answered_call", to_the_letter)
    wrapped(rules.connect, "keys_above", lambda _right: lambda _identity, _device: ())

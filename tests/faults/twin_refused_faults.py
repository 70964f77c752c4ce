"""Hubs that take updates of a twin which they must refuse, or do half of them."""

import json

from fault import fault
from twin_faults import twin_rules

from iothub_emulator.hub.json_text import NotJson, parse
from iothub_emulator.hub.refusals import invalid
from iothub_emulator.hub.service_errors import ErrorCode, Refused
from iothub_emulator.hub.twin_rules import TwinRules


@fault("twin.reported-malformed")
def malformed_json_is_empty(rules):
    """A body that is no JSON counts as one without members."""

    class Wrong(TwinRules):
        def read_patch(self, payload):
            try:
                return parse(payload)
            except NotJson:
                return {}

    twin_rules(rules, Wrong)


@fault("twin.reported-malformed")
def malformed_json_is_a_server_error(rules):
    """An exception of the parser ends as 500."""

    class Wrong(TwinRules):
        def read_patch(self, payload):
            try:
                return parse(payload)
            except NotJson:
                raise Refused(ErrorCode.ServerError, "unexpected token") from None

    twin_rules(rules, Wrong)


@fault("twin.reported-malformed")
def cut_off_json_is_completed(rules):
    """The parser closes what is open at the end of the body."""

    class Wrong(TwinRules):
        def read_patch(self, payload):
            try:
                return parse(payload + b"}")
            except NotJson:
                return super().read_patch(payload)

    twin_rules(rules, Wrong)


@fault("twin.reported-malformed")
def members_before_the_error_are_applied(rules):
    """The parser hands members on as it reads them: 400, and those before the error are stored."""

    class Wrong(TwinRules):
        def read_patch(self, payload):
            self.read = {}
            try:
                return parse(payload)
            except NotJson:
                begin, _, _ = payload.rpartition(b",")
                self.read = json.loads(begin + b"}") if begin else {}
                raise invalid("The body is not JSON.") from None

        def after_refusal(self, before, patch):
            return self.merged(before, self.read) if patch is None and self.read else before

    twin_rules(rules, Wrong)


@fault("twin.reserved-names", "twin.illegal-names", "twin.integer-range", "twin.beyond-limits")
def members_before_the_refused_one_are_applied(rules):
    """A patch is applied member by member, up to the one that is refused."""

    class Wrong(TwinRules):
        def after_refusal(self, before, patch):
            if not isinstance(patch, dict) or "firmware" not in patch or len(patch) == 1:
                return before
            return self.merged(before, {"firmware": patch["firmware"]})

    twin_rules(rules, Wrong)


@fault("twin.stale-version", "twin.too-large")
def patch_is_stored_before_it_is_refused(rules):
    """The patch is merged first; that it is too large, or for another version, is only answered."""

    class Wrong(TwinRules):
        def after_refusal(self, before, patch):
            good = isinstance(patch, dict) and not any(set(name) & set("$. \x01") for name in patch)
            return self.merged(before, patch) if good and all(map(_is_text, patch.values())) else before

    twin_rules(rules, Wrong)


def _is_text(value):
    return isinstance(value, str) and len(value) < 4096


class Names(TwinRules):
    """For hubs that look at other names than they should."""

    forbidden = "$#. \x01"

    def problem_with_characters(self, name):
        return "forbidden" if set(name) & set(self.forbidden) else None


@fault("twin.reserved-names", "twin.illegal-names")
def names_with_a_dollar_sign_are_stored(rules):
    """Names with a dollar sign, at the beginning or inside, are members like any other."""

    class Wrong(Names):
        forbidden = "#. \x01"

        def problem_with_reserved(self, name):
            return None

    twin_rules(rules, Wrong)


@fault("twin.reserved-names")
def names_with_a_dollar_sign_are_dropped(rules):
    """Members whose name begins with $ are left out, and the rest of the patch is applied."""

    class Wrong(TwinRules):
        def read_patch(self, payload):
            patch = super().read_patch(payload)
            if not isinstance(patch, dict):
                return patch
            return {name: value for name, value in patch.items() if not name.startswith("$")}

    twin_rules(rules, Wrong)


@fault("twin.reserved-names")
def only_the_hubs_names_are_reserved(rules):
    """Of the names that begin with $, only $version and $metadata are refused."""

    class Wrong(Names):
        forbidden = "#. \x01"

        def problem_with_reserved(self, name):
            return "reserved" if name in {"$version", "$metadata"} or "$" in name[1:] else None

    twin_rules(rules, Wrong)


@fault("twin.illegal-names")
def names_may_have_dots(rules):
    """A dot in a name is not refused."""

    class Wrong(Names):
        forbidden = "$# \x01"

    twin_rules(rules, Wrong)


@fault("twin.illegal-names")
def names_may_have_spaces(rules):
    """A space in a name is not refused."""

    class Wrong(Names):
        forbidden = "$#.\x01"

    twin_rules(rules, Wrong)


@fault("twin.illegal-names")
def names_may_have_control_characters(rules):
    """A control character in a name is not refused."""

    class Wrong(Names):
        forbidden = "$#. "

    twin_rules(rules, Wrong)


@fault("twin.illegal-names")
def dollar_sign_inside_a_name_is_overlooked(rules):
    """A dollar sign is refused where a name begins with it, and nowhere else."""

    class Wrong(Names):
        forbidden = "#. \x01"

    twin_rules(rules, Wrong)


@fault("twin.illegal-number-sign")
def names_may_have_number_signs(rules):
    """The page's own list of characters is all that is refused: a number sign is not in it."""

    class Wrong(Names):
        forbidden = "$. \x01"

    twin_rules(rules, Wrong)


@fault("twin.illegal-number-sign")
def number_sign_is_looked_for_at_the_top_alone(rules):
    """Names of nested members are searched for what the page lists, and not for a number sign."""

    class Wrong(TwinRules):
        is_nested = False

        def problem_with_depth(self, depth):
            self.is_nested = True
            return super().problem_with_depth(depth)

        def problem_with_characters(self, name):
            return super().problem_with_characters(name.replace("#", "") if self.is_nested else name)

        def read_patch(self, payload):
            self.is_nested = False
            return super().read_patch(payload)

    twin_rules(rules, Wrong)


@fault("twin.stale-version")
def versions_end_at_nine(rules):
    """All versions from 9 on are one."""

    class Wrong(TwinRules):
        def accepts_version(self, expected, current):
            return super().accepts_version(expected and min(expected, 9), min(current, 9))

    twin_rules(rules, Wrong)

"""Hubs that draw the limits of a twin elsewhere."""

from fault import fault
from twin_faults import twin_rules

from iothub_emulator.hub.twin_rules import TwinRules


@fault("twin.integer-range")
def integers_have_64_bits(rules):
    """Integers are refused only beyond 64 bits."""

    class Wrong(TwinRules):
        def problem_with_integer(self, number):
            return None if -(2**63) <= number < 2**63 else "too large"

    twin_rules(rules, Wrong)


@fault("twin.integer-range")
def negative_integers_are_not_looked_at(rules):
    """Only the upper end of the range is checked."""

    class Wrong(TwinRules):
        def problem_with_integer(self, number):
            return super().problem_with_integer(max(number, 0))

    twin_rules(rules, Wrong)


@fault("twin.integer-limits")
def integers_have_32_bits(rules):
    """An integer has to fit into 32 bits."""

    class Wrong(TwinRules):
        def problem_with_integer(self, number):
            return None if -(2**31) <= number < 2**31 else "too large"

    twin_rules(rules, Wrong)


@fault("twin.integer-limits")
def outermost_integers_are_refused(rules):
    """The ends of the range are not part of it."""

    class Wrong(TwinRules):
        def problem_with_integer(self, number):
            return super().problem_with_integer(number + 1) or super().problem_with_integer(number - 1)

    twin_rules(rules, Wrong)


@fault("twin.within-limits")
def limits_are_those_of_2018(rules):
    """A string has at most 512 bytes."""

    class Wrong(TwinRules):
        def problem_with_string(self, text):
            return None if len(text.encode()) <= 512 else "too long"

    twin_rules(rules, Wrong)


@fault("twin.within-limits")
def objects_are_five_deep(rules):
    """Objects may be nested five deep, as twins were at first."""

    class Wrong(TwinRules):
        def problem_with_depth(self, depth):
            return None if depth <= 5 else "too deep"

    twin_rules(rules, Wrong)


@fault("twin.beyond-limits")
def depth_is_not_limited(rules):
    """Objects may be nested to any depth."""

    class Wrong(TwinRules):
        def problem_with_depth(self, depth):
            return None

    twin_rules(rules, Wrong)


@fault("twin.beyond-limits")
def strings_are_not_limited(rules):
    """A string may be as long as the section."""

    class Wrong(TwinRules):
        def problem_with_string(self, text):
            return None

    twin_rules(rules, Wrong)


@fault("twin.beyond-limits")
def names_are_not_limited(rules):
    """A name may be as long as the section."""

    class Wrong(TwinRules):
        def problem_with_length(self, name):
            return None

    twin_rules(rules, Wrong)


@fault("twin.too-large")
def section_is_not_limited(rules):
    """Any number of members is stored."""

    class Wrong(TwinRules):
        def accepts_size(self, section, before, after):
            return True

    twin_rules(rules, Wrong)


@fault("twin.too-large")
def patch_is_measured_alone(rules):
    """The limit is held against the patch, not against the section that it makes."""

    class Wrong(TwinRules):
        def accepts_size(self, section, before, after):
            return super().accepts_size(section, 0, after - before)

    twin_rules(rules, Wrong)

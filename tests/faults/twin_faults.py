"""Hubs that show a device another twin than it has, or show it otherwise."""

from fault import fault

from iothub_emulator.hub.twin_rules import TwinRules


def twin_rules(rules, wrong):
    rules.twins = wrong(rules.twins.get_status(), rules.twins.patch_status())


@fault("twin.get")
def get_is_answered_twice(rules):
    """Two parts of the hub answer the same GET."""

    class Wrong(TwinRules):
        def answers(self, topic, payload):
            return super().answers(topic, payload) * (2 if payload.startswith(b'{"desired"') else 1)

    twin_rules(rules, Wrong)


@fault("twin.get", "twin.get-status", "twin.request-id")
def answer_to_get_names_the_version_too(rules):
    """The answer to a GET has the form of the answer to a patch, request id behind the version."""

    class Wrong(TwinRules):
        def answer_topic(self, status, request_id, version):
            if version is None and status < 300:
                return f"$iothub/twin/res/{status}/?$version=1&$rid={request_id}"
            return super().answer_topic(status, request_id, version)

    twin_rules(rules, Wrong)


@fault("twin.get-status")
def get_is_only_accepted(rules):
    """A GET has the status 202, as if it were still to be carried out."""

    class Wrong(TwinRules):
        def get_status(self):
            return 202

    twin_rules(rules, Wrong)


@fault("twin.get-status", "twin.get-body", spreads=True)
def get_is_answered_without_content(rules):
    """204 is taken at its word, No Content: the answer to a GET is empty."""

    class Wrong(TwinRules):
        def answers(self, topic, payload):
            return super().answers(topic, b"" if payload.startswith(b'{"desired"') else payload)

    twin_rules(rules, Wrong)


@fault("twin.get-body")
def empty_section_is_left_out(rules):
    """A section without members is not serialised."""

    class Wrong(TwinRules):
        def visible_to_device(self, desired, reported):
            sections = super().visible_to_device(desired, reported)
            return {name: section for name, section in sections.items() if len(section) > 1}

    twin_rules(rules, Wrong)


@fault("twin.get-body")
def decimals_are_cut(rules):
    """Numbers of desired properties pass through an integer on their way to the device."""

    class Wrong(TwinRules):
        def visible_to_device(self, desired, reported):
            return super().visible_to_device(_cut(desired), reported)

    twin_rules(rules, Wrong)


def _cut(value):
    if isinstance(value, dict):
        return {name: _cut(inner) for name, inner in value.items()}
    return int(value) if isinstance(value, float) else value


@fault("twin.get-body")
def versions_are_decimals(rules):
    """Versions are shown to the device with a decimal point: 3.0."""

    class Wrong(TwinRules):
        def visible_to_device(self, desired, reported):
            sections = super().visible_to_device(desired, reported)
            return {name: {**part, "$version": float(part["$version"])} for name, part in sections.items()}

    twin_rules(rules, Wrong)


@fault("twin.get-body")
def desired_booleans_are_numbers(rules):
    """True and false among desired properties are shown to the device as 1 and 0."""

    class Wrong(TwinRules):
        def visible_to_device(self, desired, reported):
            whole = {name: int(value) if value in (True, False) else value for name, value in desired.items()}
            return super().visible_to_device(whole, reported)

    twin_rules(rules, Wrong)


@fault("twin.get-body", "twin.get-fresh", "desired.reconnect-flow")
def desired_version_is_the_reported_one(rules):
    """Both sections of the answer to a GET have the version of the reported properties."""

    class Wrong(TwinRules):
        def visible_to_device(self, desired, reported):
            return super().visible_to_device({**desired, "$version": reported["$version"]}, reported)

    twin_rules(rules, Wrong)


@fault("twin.no-tags")
def tags_are_shown_to_the_device(rules):
    """The answer to a GET is the whole twin, as the back end was last shown it."""

    class Wrong(TwinRules):
        tags = None

        def visible_to_service(self, tags, desired, reported):
            self.tags = tags
            return super().visible_to_service(tags, desired, reported)

        def visible_to_device(self, desired, reported):
            return {**super().visible_to_device(desired, reported), "tags": self.tags}

    twin_rules(rules, Wrong)


@fault("twin.desired-read-only")
def any_patch_is_a_report(rules):
    """What is published to the topic of desired properties is taken for reported ones."""

    class Wrong(TwinRules):
        def parse_request(self, topic):
            return super().parse_request(topic.replace("/desired/", "/reported/"))

    twin_rules(rules, Wrong)


@fault("twin.get-fresh")
def get_is_answered_from_a_cache(rules):
    """What a device was answered last is kept until it reports something itself."""

    class Wrong(TwinRules):
        def __init__(self, *statuses):
            super().__init__(*statuses)
            self.cached = {}

        def twin_of(self, identity_key):
            self.asker = identity_key
            return super().twin_of(identity_key)

        def visible_to_device(self, desired, reported):
            key = (self.asker, reported["$version"])
            return self.cached.setdefault(key, super().visible_to_device(desired, reported))

    twin_rules(rules, Wrong)


@fault("twin.get-fresh")
def replacement_is_merged(rules):
    """PUT on a twin does what PATCH does."""

    class Wrong(TwinRules):
        def replaced(self, before, wanted):
            return self.merged(before, wanted)

    twin_rules(rules, Wrong)


@fault("twin.get-payload")
def get_must_be_empty(rules):
    """A GET with any body is refused."""

    class Wrong(TwinRules):
        def accepts_get_payload(self, payload):
            return not payload

    twin_rules(rules, Wrong)

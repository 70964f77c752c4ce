"""Hubs that lose what a device says of its model."""

from fault import fault
from twin_faults import twin_rules

from iothub_emulator.hub.property_bag import PropertyBagRules
from iothub_emulator.hub.telemetry import TelemetryRules
from iothub_emulator.hub.twin_rules import TwinRules


@fault("d2c.model-id")
def telemetry_names_no_model(rules):
    """The model of a connection is forgotten once it is open."""

    class Wrong(TelemetryRules):
        def model(self, sender):
            return {}

    rules.telemetry = Wrong(rules.telemetry.certificate_method)


@fault("d2c.model-id")
def telemetry_names_the_model_without_its_version(rules):
    """What stands behind the semicolon of a model's name is cut off."""

    class Wrong(TelemetryRules):
        def model(self, sender):
            return {name: value.partition(";")[0] for name, value in super().model(sender).items()}

    rules.telemetry = Wrong(rules.telemetry.certificate_method)


@fault("d2c.model-id")
def model_is_of_whoever_spoke_last(rules):
    """The hub has one model, that of the sender that named one last."""

    class Wrong(TelemetryRules):
        latest = ""

        def model(self, sender):
            self.latest = sender.model_id or self.latest
            return {"dt-dataschema": self.latest} if self.latest else {}

    rules.telemetry = Wrong(rules.telemetry.certificate_method)


@fault("d2c.model-id")
def model_is_kept_by_its_first_word(rules):
    """Models whose names begin alike are one model to the hub: the one that it met first."""
    met = {}

    class Wrong(TelemetryRules):
        def model(self, sender):
            own = super().model(sender)
            return {name: met.setdefault(value.partition(";")[0], value) for name, value in own.items()}

    rules.telemetry = Wrong(rules.telemetry.certificate_method)


@fault("d2c.component")
def component_stays_with_the_application(rules):
    """$.sub is not in the table of system properties."""

    class Wrong(PropertyBagRules):
        def system_name(self, name):
            return None if name == "$.sub" else super().system_name(name)

    rules.property_bag = Wrong()


@fault("twin.model-id")
def twin_names_no_model(rules):
    """The twin has an empty modelId, whatever the device announced."""

    class Wrong(TwinRules):
        def model_id(self, announced):
            return ""

    twin_rules(rules, Wrong)

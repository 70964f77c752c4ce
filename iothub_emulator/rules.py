"""All rules objects in one container: what an edition configures and `--load` may replace.

Whoever decides something looks the object up here at that moment, so a subclass instance put in its place
before the start takes effect everywhere.
"""

from dataclasses import dataclass

from iothub_emulator.editions import Edition
from iothub_emulator.hub.policies import PolicyRules
from iothub_emulator.hub.telemetry import TelemetryRules
from iothub_emulator.hub.tokens import TokenRules
from iothub_emulator.settings import Settings


@dataclass
class Rules:
    """One object for each subject; plain attributes, each replaceable by an instance of a subclass."""

    tokens: TokenRules
    policies: PolicyRules
    telemetry: TelemetryRules


def rules_for(settings: Settings, edition: Edition) -> Rules:  # noqa: ARG001 - read by the rules that differ
    """Return the rules of an edition under the given settings."""
    return Rules(tokens=TokenRules(settings), policies=PolicyRules(), telemetry=TelemetryRules())

"""A hub for the tests of a program that uses one: started once, asked in a line each.

With pytest it is the fixture `iothub`; without, `with IotHub() as iothub:` does the same.
"""

from iothub_emulator.testing.iothub import IotHub, IotHubError, MethodAnswer, Telemetry

__all__ = ["IotHub", "IotHubError", "MethodAnswer", "Telemetry"]

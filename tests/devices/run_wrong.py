"""Starts a wrong device in the reference device's place: ``run_wrong.py MODULE:CLASS [options]``."""

import sys
from importlib import import_module

from conformance.adapters import paho_device

module, _, name = sys.argv.pop(1).partition(":")
paho_device.main(getattr(import_module(module), name))

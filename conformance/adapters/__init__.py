"""Devices to judge, each a program of its own that takes orders as JSON lines; `docs/devices.md` says how.

None of them imports anything of the suite: they are what a device's author writes, and may be copied.
"""

"""Why the emulator could not start, in one line: what, where, and the next step."""


class StartError(Exception):
    """A user's mistake or an occupied port; its text is all that the user sees."""

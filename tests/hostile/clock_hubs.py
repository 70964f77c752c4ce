"""Hubs whose clock is another: what `--load` takes."""

import time

from aiohttp import web

_now = time.time


def twenty_minutes_behind(_rules):
    """Everything in the process is told the time of twenty minutes ago, the answers of HTTPS too."""
    time.time = lambda: _now() - 20 * 60


def two_hours_ahead(_rules):
    """Everything in the process is told the time in two hours: a token for an hour is long expired."""
    time.time = lambda: _now() + 2 * 3600


def twenty_minutes_behind_untold(rules):
    """The same as the first, and no answer bears a Date."""
    twenty_minutes_behind(rules)
    prepare = web.StreamResponse._prepare_headers

    async def without_date(self):
        await prepare(self)
        self._headers.popall("Date", None)

    web.StreamResponse._prepare_headers = without_date

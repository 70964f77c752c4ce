"""The time that an HTTP header tells [RFC 9110, 5.6.7]; what a hub writes there is not always one."""

import email.utils


def unix_time(text: str) -> float | None:
    """Return the time of a header such as Date in unix seconds, or None where it is no time."""
    try:
        date = email.utils.parsedate_tz(text)
        return None if date is None else float(email.utils.mktime_tz(date))
    except (ValueError, OverflowError, TypeError):  # a month of 99 days, a year of ten digits
        return None

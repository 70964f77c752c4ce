"""Whether a hub says that what was asked for is not in its tier: the Basic tier has no twins, methods or C2D.

Source: Microsoft, "IoT Hub API common error codes", has 403010 for that. Its name is
OperationNotAvailableInCurrentTier (MicrosoftDocs/azure-docs.de-de issue 559).
"""

import re
from typing import Final

_TIER: Final = re.compile(r"InCurrentTier|\b403010\b|\btier\b", re.IGNORECASE)


def speaks_of_tier(words: str) -> bool:
    """Tell whether the words of an error are about the hub's tier."""
    return _TIER.search(words) is not None

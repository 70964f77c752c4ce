"""Which sections are about the back end alone: no device is refused anything, and none has a way there."""

OF_THE_BACK_END = frozenset({"registry", "service-twins", "queries", "feedback", "events", "partitions"})

"""The two kinds of failure, and the one that is neither.

    AssertionError
        Violation               the hub did not do what a clause says
    Exception
        HarnessError            the suite or its surroundings failed: says nothing about the hub
            UsageError          exit code 4: the command line is wrong
            ProfileError        exit code 4: the profile, or an environment variable it names, is wrong
            CatalogueError      exit code 4: a clause record is wrong
            TargetUnreachable   exit code 10: nothing answers where the profile says the hub is
            CredentialsRefused  exit code 10: the hub does not accept the profile's keys
            ServiceError        exit code 10: the hub's service side failed
                Throttled       exit code 10: it asked for patience for longer than a run may wait
                Unanswered      exit code 10: it took a call and gave no answer
                MessageRefused  exit code 10: it did not take a message that a case needs
                NotInTier       exit code 10: its tier has not what the profile claims; 4 in the preflight
            NotWritten          exit code 13: no report can be written where it is to be
            StageFailed         exit code 10: a step failed that the case needs but does not check
            TooLate             exit code 10: the suite itself was too late; the case runs again before that
        NotTested               the clause is claimed, but this case could not see it
        NotOffered          what the profile claims did not show, and a right hub need not show it

Allure files an AssertionError as *failed* and anything else as *broken*: the split is the verdict.
The message of a HarnessError is one line (a ProfileError: one for each problem) that says what is wrong,
where, and what to do next. None holds a secret.
"""

from collections.abc import Sequence
from typing import ClassVar

USAGE = 4
INCONCLUSIVE = 10
NOT_WRITTEN = 13


class Violation(AssertionError):  # noqa: N818 - a verdict's name, not an error of the program
    """The hub did not do what a clause says.

    `observed` is a short stable word for what was seen (``puback``, ``status 200``, ``still open``):
    deviations and comparisons of two runs compare that word. `expected` and `actual` are one line of prose
    each, for the report. `connection` is the label of the connection that was looked at, if it was one.
    """

    def __init__(
        self, message: str, *, observed: str, expected: str = "", actual: str = "", connection: str = ""
    ) -> None:
        super().__init__(message)
        self.connection = connection
        self.observed = observed
        self.expected = expected
        self.actual = actual


class HarnessError(Exception):
    """The suite or its surroundings failed, so that nothing can be said about the hub."""

    exit_code: ClassVar[int] = INCONCLUSIVE


class UsageError(HarnessError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = USAGE


class ProfileError(HarnessError):
    """A profile is wrong; `problems` are all of them, one line each."""

    exit_code = USAGE

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class CatalogueError(HarnessError):
    """A clause record is wrong, or a test cites a clause that does not exist."""

    exit_code = USAGE


class NotWritten(HarnessError):  # noqa: N818 - says what is the case
    """The report, or a part of it, cannot be written: a full disk, a folder of somebody else's."""

    exit_code = NOT_WRITTEN


class TargetUnreachable(HarnessError):  # noqa: N818 - says what is the case
    """Nothing answers, or something that is not a hub, where the profile says the hub is."""


class CredentialsRefused(HarnessError):  # noqa: N818 - says what is the case
    """The hub does not accept the keys that the profile names."""


class ServiceError(HarnessError):
    """The hub's service side (identities, telemetry) failed or answered what it must not."""


class Throttled(ServiceError):  # noqa: N818 - says what is the case
    """The hub asked for patience for longer than a run may wait."""


class Unanswered(ServiceError):  # noqa: N818 - says what is the case
    """The hub took a call and did not answer it for as long as it may take."""


class MessageRefused(ServiceError):  # noqa: N818 - says what is the case
    """The hub did not take a message for a device; `outcome` is the word for it, as a test would see it."""

    def __init__(self, message: str, *, outcome: str) -> None:
        super().__init__(message)
        self.outcome = outcome


class NotInTier(ServiceError):  # noqa: N818 - says what is the case
    """The hub says, in its own words, that its tier has not what was asked for."""


class StageFailed(HarnessError):  # noqa: N818 - says what is the case
    """A step failed that a case needs but does not check: ``needs connect.client-id: no CONNACK``.

    `needs` is the clause that checks it; empty where what failed may not be the hub's doing.
    """

    def __init__(self, message: str, *, needs: str = "") -> None:
        super().__init__(message)
        self.needs = needs


class TooLate(HarnessError):  # noqa: N818 - says what is the case
    """The suite itself was too late for what the case has to do in time, whatever held it up."""


class NotTested(Exception):  # noqa: N818 - a verdict's name, not an error of the program
    """The clause is claimed, but this case could not see it; the message is the reason."""


class NotOffered(NotTested):
    """What the clause is about did not come up, though the profile claims it, and no rule says that it must.

    The clause is then *not claimed*, with the message as the reason: a right hub must not fail a run.
    """

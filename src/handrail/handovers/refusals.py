"""Why something about a handover cannot be done, in words for the person."""

from handrail.handovers import pack


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person."""


class NotNow(Refused):
    """The handover is not where this can be done, or the child is in another one."""


class GapsLeft(Refused):
    """The pack lacks something of the smallest safe set."""

    def __init__(self, missing: list[pack.Item]) -> None:
        super().__init__("Fill in what is missing first. Nothing has been sent.")
        self.missing = missing


class StepsNotRead(Refused):
    """Nobody has said that they read the emergency steps of the newest pack."""


class WrongDay(Refused):
    """A move is said to have been on a day that it cannot have been on."""


class ReasonMissing(Refused):
    """A move does not say something that it has to; `field` is its name."""

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.field = field

"""Why something about returns was refused, in words for the person."""


class Refused(ValueError):
    """What was asked cannot be done; the message says why in words for the person, and `field` what it is about."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class CycleExists(Refused):
    """A school year has one return."""


class StillOpen(Refused):
    """A return is asked for once the one before has closed: nobody could finish that one any more."""


class NothingAsked(Refused):
    """A return asks about at least one framework that is there, and about no draft."""


class DatesOutOfOrder(Refused):
    """A return is due after it opens, and closes after it is due."""


class IsClosed(Refused):
    """The cycle takes nothing more."""


class NotAsked(Refused):
    """The return does not ask this of this school, or of the authority."""


class ReasonMissing(Refused):
    """That something does not apply takes a reason."""


class AskedAgain(Refused):
    """The page on which an answer was typed showed something else than what is asked, or answered, now. `points` says
    of each requirement why, for the person.
    """

    def __init__(self, points: dict[str, str]) -> None:
        super().__init__("Nothing on this page is saved yet. Look at what has changed, then save it again")
        self.points = points


class NotAnswered(Refused):
    """Points are open: a return is submitted whole."""


class NothingNew(Refused):
    """A correction says something else than what was submitted."""


class NoGap(Refused):
    """An action is about a point of which what was submitted last says that it is not met."""


class MayNotSign(Refused):
    """A return is signed once, by somebody else than who submitted it, and only the newest."""

"""What the wall says when something would cross it. Imports nothing, so settings and tests may use it."""


class WallError(RuntimeError):
    """Something tried to use the database outside the rules of the wall."""


class NobodyBound(WallError):
    """A query was made while no authority was bound."""

    def __init__(self) -> None:
        super().__init__("no authority is bound: enter one with tenants.context.inside()")


class AlreadyInside(WallError):
    """A second door was opened inside the first."""

    def __init__(self) -> None:
        super().__init__("already inside an authority: a transaction never stands in two")


class SwallowedError(WallError):
    """A block ended well although its writes were undone."""


class WrongAuthority(WallError):
    """An object or a query of one authority was used while another was bound."""


class UnknownAuthority(LookupError):
    """No such authority, or it is not being served."""

"""What the buttons of the moves say: of this side's own, and of what a side without Handrail is heard to have done."""

from handrail.handovers.models import Handover
from handrail.handovers.moves import Move, State

BUTTONS = {
    "ask_for_more": "Ask for more",
    "accept": "Accept this child",
    "decline": "Decline this child",
    "begin": "Record the first session",
    "update": "Write an update",
    "review": "Record a review",
    "plan_return": "Plan the return",
    "teach_again": "Teach the child here again",
    "begin_return": "Begin a phased return",
    "review_return": "Record a review of the return",
    "confirm_return": "Confirm that the child is back",
    "pass_on": "Pass the child on",
    "end": "End this handover",
    "withdraw": "Withdraw this handover",
    "take_back": "Take the notice back",
}
"""The moves that have a page of their own, and what its button says."""

IN_THEIR_NAME = {
    "acknowledge": "They have the pack",
    "ask_for_more": "They need to know more",
    "accept": "They take the child",
    "decline": "They cannot take the child",
    "begin": "They have begun to teach",
    "update": "They tell how the child gets on",
    "review": "They have reviewed the placement",
    "plan_return": "They plan the return",
    "teach_again": "They teach the child again",
    "pass_on": "They have passed the child on",
    "open_back": "They have the return pack",
    "begin_return": "The child goes back to school in steps",
    "review_return": "They have reviewed the return",
    "confirm_return": "The child is back at school",
    "end": "The child does not go back there",
}
"""What a side without Handrail tells the other, which notes it."""

ANEW = {"accept": "Change what was agreed", "plan_return": "Plan the return anew"}
THEIRS_ANEW = {"accept": "They change what was agreed", "plan_return": "They plan the return anew"}
"""The same of a move that leaves the handover where it is."""


def called(move: Move, handover: Handover, *, is_theirs: bool = False) -> str:
    """What the button of a move says now."""
    if move.name == "decline" and handover.state == State.ACCEPTED:
        return "They give up the place" if is_theirs else "Give up the place"
    anew = (THEIRS_ANEW if is_theirs else ANEW) if move.to == handover.state else {}
    return anew.get(move.name) or (IN_THEIR_NAME if is_theirs else BUTTONS)[move.name]

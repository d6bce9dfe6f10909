"""What messages about a child say, which is as good as nothing: by key what a message is called, its subject, its text.

No name, initials, date, condition, ward or school. A test reads them as a stranger would.
"""

SAID = {
    "child_action": (
        "Message that an item needs action",
        "An item needs your action",
        "An item needs your action. Reference {reference}. Sign in.\n{link}\n",
    ),
    "handover_came": (
        "Message that a handover has come",
        "A handover has come",
        "A handover has come, and nobody has opened it yet. Reference {reference}. Sign in.\n{link}\n",
    ),
    "handover_read": (
        "Message that a handover is to be read",
        "A handover is to be read",
        "A handover is to be read before the next session. Reference {reference}. Sign in.\n{link}\n",
    ),
    "handover_waits": (
        "Message that a handover waits for an answer",
        "A handover waits for your answer",
        "A handover waits for your answer. Reference {reference}. Sign in.\n{link}\n",
    ),
    "handover_ahead": (
        "Message that a handover will wait for an answer",
        "A handover waits for your answer within a week",
        "A handover waits for your answer within a week. Reference {reference}. Sign in.\n{link}\n",
    ),
    "handover_late": (
        "Message that a handover has waited for too long",
        "A handover has waited for too long",
        "A handover has waited for an answer for too long. Reference {reference}. Sign in.\n{link}\n",
    ),
    "handover_update": (
        "Message that an update of a handover is due",
        "An update of a handover is due",
        "An update of a handover is due: say how it goes. Reference {reference}. Sign in.\n{link}\n",
    ),
    "handover_older": (
        "Message that a pack that was sent is out of date",
        "A pack that was sent is out of date",
        "A pack that was sent is out of date: correct it. Reference {reference}. Sign in.\n{link}\n",
    ),
    "handover_still": (
        "Message that nothing has been heard of a handover",
        "Nothing has been heard of a handover for four weeks",
        "Nothing has been heard of a handover for four weeks of term. Ask both sides. "
        "Reference {reference}. Sign in.\n{link}\n",
    ),
    "handover_lapsed": (
        "Message that a handover was not taken up",
        "A handover was not taken up",
        "A handover was not taken up. Somebody must say what happens next. Reference {reference}. Sign in.\n{link}\n",
    ),
    "handover_passed_on": (
        "Message that a handover was passed on",
        "A handover was passed on: begin the next one",
        "A handover was passed on. Begin the next one within five days of term. Reference {reference}. "
        "Sign in.\n{link}\n",
    ),
    "handover_held_up": (
        "Message that something about a handover cannot be sent",
        "Something about a handover cannot be sent",
        "Something about a handover has not reached the other side, and cannot be sent. Ring them. "
        "Reference {reference}. Sign in.\n{link}\n",
    ),
    "handover_reissue": (
        "Message that what came back with a handover differs",
        "What came back with a handover differs from yours",
        "What came back with a handover differs from what you have. Look at it, and say which of the two stands. "
        "Reference {reference}. Sign in.\n{link}\n",
    ),
}

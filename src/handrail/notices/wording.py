"""What messages say. Plain words; subject and text by key.

A wording is *about* a policy, a spare kit, a school's return, a child or the service, or for a guest. One about a
policy names the school, the policy and the date, one about a kit the school and where the kit is kept, and one about a
return the school: a vague message reads as fraud. One about a child says only that something needs an action, and its
reference, in the subject, the text and the link: see `about_children`. One for a guest, who has no account and knows us
from nowhere, names the school and who wrote, and nothing else. A test reads them all.
"""

from dataclasses import dataclass
from typing import Literal

from handrail.notices import about_children


@dataclass(frozen=True)
class Wording:
    """One message. `{names}` are filled from facts; a fact that is missing is an error, never a gap."""

    about: Literal["policy", "kit", "school", "child", "service", "guest"]
    called: str
    subject: str
    text: str


RECORD = """\
Sign in to record the review. It takes about a minute when nothing has changed.
{link}
"""

ANSWER = """\
Sign in to answer. If there is nothing to report, say so with two taps.
{link}
"""

PLACE = """\
Sign in to give the new address, or to say that there is none.
{link}
"""

IN_PARTS = """\
Sign in to answer. You can answer in parts, and leave off where you like.
{link}
"""

SIGN = """\
Sign in to read it and to sign it.
{link}
"""

SHORT_LIST = """\
Sign in to see it. While the return is open you can answer now, in parts. After that the next return asks for it.
{link}
"""

LOOK = """\
Sign in to see it and to record a check. It takes one tap when everything is there.
{link}
"""

GUEST = "guest"
"""As whom somebody without an account gets a message: a parent, or who looks after a child."""

WHY = {
    "lead": "You get this message because you lead on this policy.",
    "office": "You get this message because nobody is named as the lead for this policy. Please pass it on.",
    "kit_lead": "You get this message because you lead on medical conditions at the school.",
    "kit_office": "You get this message because the school has named no lead. Please pass it on.",
    "return_lead": "You get this message because you lead for the school.",
    "signer": "You get this message because you may sign it, and did not submit it.",
    "assessor": "You get this message because you may answer it for {authority}.",
    "action_owner": "You get this message because your school has named you to see to it.",
    "officer": "You get this message because you decide about such items at {authority}.",
    "manager": "You get this message because the item has waited for too long at {authority}.",
    "head": "This is a copy for the head teacher.",
    "coordinator": "You get this message because the item is yours to see to.",
    "leads": "You get this message because nobody else is named for the item.",
    "contact": "You get this message because nobody else is named for the item. Please pass it on.",
    "reviewer": "You get this message because you review such items at {authority}.",
    "informed": "You get this message because you answer for where the item belongs.",
    "administrator": "You get this message because you are an administrator of Handrail at {authority}.",
    "school_lead": "You get this message because you lead at the school, or did until lately.",
    "holder": "You get this message because it is about what you may do in Handrail.",
    GUEST: "You get this message because the school has this address for you.",
    "invited": "You get this message because {sender} gave us your address. If you do not know why, do nothing.",
}

WORDINGS = {key: Wording("child", *said) for key, said in about_children.SAID.items()} | {
    "policy_due": Wording(
        "policy",
        "Reminder before a review",
        "{whose}: review the {policy} by {due}",
        "The {policy} of {whose} is due for review by {due}.\n\n" + RECORD,
    ),
    "policy_overdue": Wording(
        "policy",
        "Reminder of an overdue review",
        "{whose}: the {policy} was due for review on {due}",
        "The {policy} of {whose} was due for review on {due}. We have no record that it was reviewed.\n\n" + RECORD,
    ),
    "policy_overdue_copy": Wording(
        "policy",
        "Copy for the head of an overdue review",
        "{whose}: the {policy} was due for review on {due}",
        "The {policy} of {whose} was due for review on {due}. We have no record that it was reviewed. "
        "We have also written to the person who leads on it.\n\n" + RECORD,
    ),
    "policy_unrecorded": Wording(
        "policy",
        "Reminder that nothing is recorded",
        "{whose}: when was the {policy} last reviewed?",
        "We have no record of the {policy} of {whose}. If there is one, tell us when it was last reviewed.\n\n"
        + RECORD,
    ),
    "policy_not_found": Wording(
        "policy",
        "Question where a policy is published",
        "{whose}: where is the {policy} now?",
        "We look whether everybody can open the {policy} of {whose} at the address on file. "
        "We could not open it since {due}. If it has moved, tell us its new address.\n\n" + PLACE,
    ),
    "policy_by_hand": Wording(
        "policy",
        "Reminder sent by a person",
        "{whose}: please review the {policy}",
        "{sender} at {authority} asks you to look at the {policy} of {whose}. {standing}\n\n" + RECORD,
    ),
    "kit_expires": Wording(
        "kit",
        "Reminder that a spare kit runs out",
        "{whose}: a spare kit runs out on {due}",
        "A spare kit of {whose} runs out on {due}. It is kept here: {place}. Please order a new one.\n\n" + LOOK,
    ),
    "kit_expired": Wording(
        "kit",
        "Reminder that a spare kit has run out",
        "{whose}: a spare kit ran out on {due}",
        "A spare kit of {whose} ran out on {due}. It is kept here: {place}. "
        "Please replace it, and enter the new expiry date.\n\n" + LOOK,
    ),
    "check_due": Wording(
        "kit",
        "Reminder to check a spare kit",
        "{whose}: check a spare kit by {due}",
        "A spare kit of {whose} is to be checked by {due}. It is kept here: {place}.\n\n" + LOOK,
    ),
    "check_overdue": Wording(
        "kit",
        "Reminder of an overdue check of a spare kit",
        "{whose}: a spare kit was to be checked by {due}",
        "A spare kit of {whose} was to be checked by {due}. It is kept here: {place}. "
        "We have no record of a check.\n\n" + LOOK,
    ),
    "return_due": Wording(
        "school",
        "Reminder that a return is due",
        "{whose}: a return to {authority} is due by {due}",
        "A return of {whose} to {authority} is due by {due}. We have no answer yet.\n\n" + ANSWER,
    ),
    "return_overdue": Wording(
        "school",
        "Reminder of an overdue return",
        "{whose}: a return to {authority} was due by {due}",
        "A return of {whose} to {authority} was due by {due}. We have no answer.\n\n" + ANSWER,
    ),
    "yearly_due": Wording(
        "school",
        "Reminder that the yearly return is due",
        "{whose}: the yearly return to {authority} is due by {due}",
        "The yearly return of {whose} to {authority} is due by {due}. It is not submitted yet.\n\n" + IN_PARTS,
    ),
    "yearly_overdue": Wording(
        "school",
        "Reminder that the yearly return is overdue",
        "{whose}: the yearly return to {authority} was due by {due}",
        "The yearly return of {whose} to {authority} was due by {due}. It is not submitted.\n\n" + IN_PARTS,
    ),
    "reopened": Wording(
        "school",
        "News that guidance has changed since the yearly return",
        "{whose}: guidance has changed since your yearly return",
        "Guidance has changed since {whose} submitted its yearly return to {authority}. "
        "Only what was changed or is new has to be answered: your other answers stand.\n\n" + SHORT_LIST,
    ),
    "own_due": Wording(
        "school",
        "Reminder that the self-assessment is due",
        "{whose}: the self-assessment is due by {due}",
        "The self-assessment of {whose} is due by {due}, as the yearly return of its schools is. "
        "It is not submitted yet.\n\n" + IN_PARTS,
    ),
    "own_overdue": Wording(
        "school",
        "Reminder that the self-assessment is overdue",
        "{whose}: the self-assessment was due by {due}",
        "The self-assessment of {whose} was due by {due}. It is not submitted.\n\n" + IN_PARTS,
    ),
    "to_sign": Wording(
        "school",
        "Message that the yearly return waits for a governor’s signature",
        "{whose}: the yearly return waits for your signature",
        "The yearly return of {whose} to {authority} is submitted. A governor has still to sign it.\n\n" + SIGN,
    ),
    "own_to_sign": Wording(
        "school",
        "Message that the self-assessment waits for a second signature",
        "{whose}: the self-assessment waits for your signature",
        "The self-assessment of {whose} is submitted. A second person has still to sign it.\n\n" + SIGN,
    ),
    "tell_due": Wording(
        "school",
        "Reminder to tell people about the allergy safety policy",
        "{whose}: tell people about the allergy safety policy by {due}",
        "Pupils, parents and everyone who works at {whose} are each to be told once a year about its {policy}. "
        "Some of them are to be told by {due}.\n\n"
        "Sign in to see who is to be told, and to record it.\n{link}\n",
    ),
    "tell_overdue": Wording(
        "school",
        "Reminder that people have not been told about the allergy safety policy in time",
        "{whose}: tell people about the allergy safety policy now",
        "Pupils, parents and everyone who works at {whose} are each to be told once a year about its {policy}. "
        "Some of them were to be told by {due}, and nothing on record says that they were.\n\n"
        "Sign in to see who is to be told, and to record it.\n{link}\n",
    ),
    "action_due": Wording(
        "school",
        "Reminder that something planned is due",
        "{whose}: something that you see to is due by {due}",
        "{whose} has planned something after its yearly return, and named you to see to it by {due}.\n\n"
        "Sign in to read what it is, or to say that it is done. "
        "If you have no account, ask whoever leads there.\n{link}\n",
    ),
    "action_overdue": Wording(
        "school",
        "Reminder of something planned that is overdue",
        "{whose}: something planned was due by {due}",
        "{whose} has planned something after its yearly return, to be done by {due}. "
        "We have no record that it is done.\n\n"
        "Sign in to read what it is, or to say that it is done. "
        "If you have no account, ask whoever leads there.\n{link}\n",
    ),
    "invitation": Wording(
        "service",
        "Invitation",
        "{sender} invites you to Handrail for {whose}",
        "{sender} has added you to Handrail for {whose}. Your role: {as_role}.\n\n"
        "{authority} and its schools use Handrail to keep their policies in date.\n\n"
        "To begin, sign in with this e-mail address: {recipient}. "
        "We will send you a 6-digit code. You need no password.\n{link}\n\n"
        "This invitation is for you alone, and runs out on {until}.\n",
    ),
    "role_changed": Wording(
        "service",
        "Message that a role has changed",
        "Your role at {whose} has changed",
        "{sender} has changed your role at {whose}. It is now: {as_role}.\n\n"
        "Sign in to see what you can do.\n{link}\n\n"
        "If you think this is a mistake, tell us at once.\n",
    ),
    "role_ended": Wording(
        "service",
        "Message that a role has ended",
        "Your role at {whose} has ended",
        "{sender} has ended your role at {whose}. It was: {as_role}.\n\n"
        "What you have recorded stays, with your name. If you have another role, sign in as before.\n{link}\n\n"
        "If you think this is a mistake, tell us at once.\n",
    ),
    "role_given": Wording(
        "service",
        "Message that somebody was given a role",
        "{whose}: somebody was given a role",
        "{sender} at {authority} has given {who} a role at {whose}. It is: {as_role}.\n\n"
        "Sign in to see who can see the school. There you can end a role that is not right.\n{link}\n\n"
        "If you did not expect this, tell us at once.\n",
    ),
    "guest_invited": Wording(
        "guest",
        "Message to somebody without an account",
        "{sender} at {whose} asks you to read something",
        "{sender} at {whose} asks you to read something, and to answer.\n\n"
        "Open it here:\n{link}\n\n"
        "The link alone opens nothing. A code goes to this address, and we ask you one question. "
        "It works until {until}.\n\n"
        "If you are not sure about this message, ring the school on the number that you know.\n",
    ),
    "guest_answered": Wording(
        "guest",
        "Message of an answer to somebody without an account",
        "{whose} has answered you",
        "{whose} has answered what you wrote.\n\nRead it here, until {until}:\n{link}\n\n"
        "The link alone opens nothing. A code goes to this address, and we ask you one question.\n",
    ),
    "late": Wording(
        "service",
        "Reminders were late",
        "Handrail: some reminders are late",
        "Handrail did not look for reminders to send between {from_day} and {to_day}. It has now caught up.\n\n"
        "Reminders owed today: {owed}. Older ones not sent because a newer one took their place: {passed_over}.\n\n"
        "You do not need to do anything.\n{link}\n",
    ),
    "silence": Wording(
        "service",
        "Messages are not being sent",
        "Handrail: messages are not being sent",
        "Messages have been waiting for more than an hour: {waiting}. The oldest has waited since {oldest}.\n\n"
        "Nothing is lost. Please tell the people who run Handrail for you.\n{link}\n",
    ),
    "no_sweep": Wording(
        "service",
        "Nobody has looked for reminders",
        "Handrail: nobody has looked for reminders",
        "Handrail has not looked for reminders to send since {oldest}.\n\n"
        "Nothing is lost. Please tell the people who run Handrail for you.\n{link}\n",
    ),
}

FOOT = """
{why}
{ask}

Handrail, for {authority}
"""


def words(key: str, facts: dict[str, str]) -> tuple[str, str]:
    """The subject and the text of a message. Raises KeyError for an unknown key or a missing fact."""
    wording = WORDINGS[key]
    why = WHY[facts["role"]].format_map(facts)
    subject = " ".join(wording.subject.format_map(facts).split())
    return subject, (wording.text + FOOT).format_map(facts | {"why": why})


ABOUT_CHILDREN = tuple(key for key, wording in WORDINGS.items() if wording.about in ("child", "guest"))

"""Every message that can be sent, read as a person would, and one about a child as a stranger would."""

import re
import string

import pytest

from handrail.notices.wording import FOOT, WHY, WORDINGS, Wording, words

FACTS = {
    "whose": "St Wulfrida and All Saints Church of England Voluntary Aided Junior and Infant School",
    "policy": "policy for children with health needs who cannot attend school",
    "due": "23 November 2026",
    "standing": "It was due for review on 23 November 2026.",
    "sender": "Olu Officer",
    "authority": "Barsetshire",
    "role": "lead",
    "link": "https://barsetshire.example/schools/900001/policies/6c9a7a0e-0b7e-4a5e-9b2e-111111111111/review/",
    "ask": "Questions? Ask Adele Admin at Barsetshire: adele@barsetshire.example.",
    "from_day": "20 November 2026",
    "to_day": "23 November 2026",
    "owed": "12",
    "passed_over": "3",
    "oldest": "23 November 2026 at 8:00am",
    "waiting": "14",
    "reference": "H-7F3K",
    "place": "Dining hall, by the door",
    "as_role": "Lead at a hospital school or alternative provision",
    "who": "Nell New (nell@oak.example)",
    "recipient": "jo.smith@oak.example",
    "until": "23 December 2026",
}
HEALTH = (
    "health", "medical", "medicine", "medication", "condition", "illness", "ill", "sick", "hospital", "ward",
    "clinic", "doctor", "nurse", "patient", "diagnosis", "treatment", "therapy", "allergy", "allergic",
    "anaphylaxis", "asthma", "diabetes", "epilepsy", "seizure", "insulin", "inhaler", "injector", "symptom",
    "emergency", "plan", "IHP", "SEND", "disability", "mental", "CAMHS", "care", "carer", "child", "pupil",
    "student", "name", "born", "birth", "UPN", "NHS", "class", "school",
)  # fmt: skip
"""Words that alone, in a message about a child, would tell that a child is ill or who."""
A_LETTER = re.compile(r"[{}]|\n\n\n| \n")


def tells(text: str) -> list[str]:
    """The words of a text that tell too much."""
    return [word for word in HEALTH if re.search(rf"\b{word}s?\b", text, re.IGNORECASE)]


def names(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


every_wording = pytest.mark.parametrize("key", sorted(WORDINGS))


class TestEveryWording:
    @every_wording
    @pytest.mark.parametrize("role", sorted(WHY))
    def test_is_whole(self, key, role):
        subject, text = words(key, FACTS | {"role": role})
        assert not A_LETTER.search(subject + text)
        assert FACTS["link"] in text
        assert FACTS["ask"] in text

    @every_wording
    def test_has_a_subject_of_one_line_that_can_be_read_in_a_list(self, key):
        subject, _ = words(key, FACTS | {"whose": "Oak School", "policy": "allergy safety policy"})
        assert "\n" not in subject
        assert len(subject) <= 78

    @every_wording
    def test_is_in_plain_words(self, key):
        _, text = words(key, FACTS | {"whose": "Oak School", "policy": "allergy safety policy"})
        for sentence in re.split(r"[.?!:]\s", text.replace(FACTS["link"], "").replace("\n", " ")):
            assert len(sentence.split()) <= 25, sentence
        assert "successfully" not in text
        assert len(text) < 1000

    @every_wording
    def test_takes_only_facts_that_it_may(self, key):
        """A message about a child may be told nothing but its reference."""
        wording = WORDINGS[key]
        asked = names(wording.subject + wording.text + FOOT)
        allowed = {"why", *FACTS} if wording.about != "child" else {"reference", "link", "ask", "authority", "why"}
        assert asked <= allowed

    @pytest.mark.parametrize("key", sorted(key for key, each in WORDINGS.items() if each.about == "policy"))
    def test_about_a_policy_names_the_school_and_the_policy(self, key):
        subject, text = words(key, FACTS)
        for fact in ("whose", "policy"):
            assert FACTS[fact] in subject
            assert FACTS[fact] in text

    def test_with_a_missing_fact_is_an_error(self):
        with pytest.raises(KeyError):
            words("policy_due", {key: value for key, value in FACTS.items() if key != "due"})

    def test_keeps_a_name_with_a_line_break_out_of_the_headers(self):
        subject, _ = words("policy_due", FACTS | {"whose": "Oak\r\nBcc: everybody@example.com"})
        assert "\n" not in subject
        assert "\r" not in subject


class TestAboutAChild:
    @pytest.mark.parametrize(
        "role", ["reviewer", "informed", "coordinator", "leads", "contact", "officer", "manager", "head"]
    )
    def test_tells_nothing(self, role):
        facts = {"whose": "", "policy": "", "link": "https://barsetshire.example/", "role": role}
        for key, wording in WORDINGS.items():
            if wording.about == "child":
                subject, text = words(key, FACTS | facts)
                assert tells(subject + text) == [], key

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("An item needs your action. Reference H-7F3K. Sign in.", []),
            ("A pupil's plan needs your review.", ["plan", "pupil"]),
            ("Asthma review due at Oak School", ["asthma", "school"]),
        ],
    )
    def test_would_be_caught(self, text, found):
        assert tells(text) == found

    def test_a_name_in_it_would_be_caught(self):
        bad = Wording("child", "Something", "{whose}: sign in", "An item about {whose} needs your action.")
        assert not names(bad.subject + bad.text) <= {"reference", "link", "ask", "authority", "why"}


class TestForAGuest:
    def test_tells_the_school_and_who_wrote_and_nothing_of_a_child(self):
        facts = {"whose": "Oak", "link": "https://barsetshire.example/", "role": "guest"}
        for key, wording in WORDINGS.items():
            if wording.about == "guest":
                subject, text = words(key, FACTS | facts)
                assert set(tells(subject + text)) <= {"school"}, key
                assert names(wording.subject + wording.text) <= {"sender", "whose", "link", "until"}

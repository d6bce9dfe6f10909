"""The demo's post, and the way in for sign-in codes."""

import os
from uuid import uuid4, uuid5

import pytest
from django.core import mail
from django.core.mail import EmailMessage

from handrail.notices.letters import Message
from handrail.notices.mailbox import Mailbox
from handrail.notices.models import REFERENCES

RAW = b"Subject: Hello\r\nTo: a@b.example\r\n\r\nText\r\n"


def message(**more):
    return Message(**{"reference": uuid4(), "sender": "h@h.example", "recipient": "a@b.example", "raw": RAW} | more)


class TestMailbox:
    def test_keeps_a_message_once(self, tmp_path):
        box, sent = Mailbox(tmp_path / "deep" / "in"), message()
        assert box.send(sent) == box.send(message(reference=sent.reference, raw=b"Subject: Another\r\n\r\n"))
        [letter] = box.letters()
        assert (letter.subject, letter.recipient, letter.text.strip()) == ("Hello", "a@b.example", "Text")
        assert [path.suffix for path in box.folder.iterdir()] == [".eml"]

    def test_can_be_asked(self, tmp_path):
        box, sent = Mailbox(tmp_path), message()
        assert box.ask(sent.reference) is None
        box.send(sent)
        assert box.ask(sent.reference) == str(sent.reference)

    def test_lists_the_newest_first_and_finds_one(self, tmp_path):
        box, sent = Mailbox(tmp_path), [message(raw=RAW.replace(b"Hello", str(n).encode())) for n in range(3)]
        for number, each in enumerate(sent):
            box.send(each)
            os.utime(tmp_path / f"{each.reference}.eml", (number, number))
        assert [each.subject for each in box.letters()] == ["2", "1", "0"]
        assert box.letter(sent[1].reference).subject == "1"
        assert box.letter(uuid4()) is None

    def test_leaves_out_what_is_only_half_written(self, tmp_path):
        (tmp_path / f"{uuid4()}.1.half").write_bytes(b"Subj")
        assert list(Mailbox(tmp_path).letters()) == []

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("Your code:\n\n123456\n\nIt works for ten minutes.", "123456"),
            ("Your code is below\n\nABCD-EFGH\n", "ABCD-EFGH"),
            ("Your policy was due on 23 November 2026.\n\nhttps://x.example/123456\n", ""),
            ("Dear Sir or Madam\n\nABC\n", ""),
        ],
    )
    def test_sees_a_code_to_sign_in_with(self, tmp_path, text, code):
        box = Mailbox(tmp_path)
        box.send(message(raw=f"Subject: x\r\nTo: a@b.example\r\n\r\n{text}".encode()))
        [letter] = box.letters()
        assert letter.code == code

    def test_finds_a_code_behind_a_flood_of_notices(self, tmp_path):
        box, code = Mailbox(tmp_path), message()
        box.send(code)
        for number in range(5):
            box.send(message(reference=uuid5(REFERENCES, str(number))))
        assert [each.reference for each in box.letters(about_signing_in=True)] == [code.reference]


class TestBackend:
    @pytest.fixture(autouse=True)
    def backend(self, settings, tmp_path):
        settings.EMAIL_BACKEND = "handrail.notices.providers.Backend"
        settings.MAIL_PROVIDER, settings.MAILBOX = "mailbox", tmp_path

    def email(self, authority):
        headers = {"X-Handrail-Authority": str(authority)}
        return EmailMessage("Code", "Line\n\n.123456", "Handrail <h@h.example>", ["a@b.example"], headers=headers)

    def test_puts_the_message_into_its_authoritys_post_without_the_header(self, tmp_path):
        authority = uuid4()
        assert self.email(authority).send() == 1
        [path] = (tmp_path / str(authority)).iterdir()
        assert b"X-Handrail" not in path.read_bytes()
        [letter] = Mailbox(path.parent).letters()
        assert (letter.recipient, letter.subject) == ("a@b.example", "Code")

    def test_refuses_a_message_of_no_authority(self, tmp_path):
        with pytest.raises((KeyError, ValueError)):
            EmailMessage("Code", "1", "h@h.example", ["a@b.example"]).send()
        assert list(tmp_path.iterdir()) == []

    def test_says_so_when_there_is_no_provider(self, settings, caplog):
        settings.MAIL_PROVIDER = "none"
        assert self.email(uuid4()).send() == 0
        assert "HANDRAIL_MAIL_PROVIDER is none" in caplog.text

    def test_is_not_what_other_tests_use(self):
        assert mail.outbox == []

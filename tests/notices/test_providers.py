"""Amazon SES, against a local server that speaks like it, and the mail server's way of writing."""

from dataclasses import replace
from uuid import uuid4

import pytest
from botocore.exceptions import ConnectTimeoutError, NoCredentialsError, ReadTimeoutError

from handrail.core import aws
from handrail.notices.letters import Message
from handrail.notices.providers import OutOfOrder, Retryable, Ses, UnknownOutcome, _on_the_wire

RAW = b"Subject: Hello\r\nFrom: h@handrail.example\r\nTo: a@b.example\r\n\r\nText\r\n"


@pytest.fixture(scope="module")
def amazon():
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def ses(amazon, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", amazon)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    aws.client.cache_clear()
    yield Ses()
    aws.client.cache_clear()


@pytest.fixture
def message():
    return Message(uuid4(), "h@handrail.example", "a@b.example", RAW)


class TestSes:
    def test_hands_the_message_over_and_keeps_amazons_id(self, ses, amazon, message):
        aws.client("sesv2", "eu-west-2", "", aws.MAIL_PATIENCE).create_email_identity(EmailIdentity=message.sender)
        assert ses.send(message)
        assert ses.ask(message.reference) is None

    def test_a_refusal_of_a_message_may_pass(self, ses, message):
        with pytest.raises(Retryable) as failed:
            ses.send(replace(message, sender="somebody@unverified.example"))
        assert not isinstance(failed.value, OutOfOrder)

    @pytest.mark.parametrize(
        ("error", "means"),
        [
            (NoCredentialsError(), OutOfOrder),
            (ConnectTimeoutError(endpoint_url="x"), OutOfOrder),
            (ReadTimeoutError(endpoint_url="x"), UnknownOutcome),
            (("TooManyRequestsException", 429), OutOfOrder),
            (("InternalFailure", 500), OutOfOrder),
            (("AccessDeniedException", 403), OutOfOrder),
            (("SendingPausedException", 400), OutOfOrder),
            (("MessageRejected", 400), Retryable),
        ],
    )
    def test_an_error_means(self, monkeypatch, message, error, means):
        class Failing:
            def send_email(self, **_):
                if isinstance(error, tuple):
                    code, status = error
                    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
                    raise aws.ClientError(answer, "SendEmail")
                raise error

        monkeypatch.setattr(aws, "client", lambda *_: Failing())
        with pytest.raises(means) as failed:
            Ses().send(message)
        assert type(failed.value) is means

    def test_does_not_try_by_itself_a_second_time(self):
        assert aws.MAIL_PATIENCE.retries["total_max_attempts"] == 1


class TestOnTheWire:
    @pytest.mark.parametrize(
        ("raw", "wire"),
        [
            (b"a\nb\n", b"a\r\nb\r\n.\r\n"),
            (b"a\r\n\r\nb", b"a\r\n\r\nb\r\n.\r\n"),
            (b".\n..x\ny.", b"..\r\n...x\r\ny.\r\n.\r\n"),
        ],
    )
    def test_lines_end_and_dots_are_doubled(self, raw, wire):
        assert _on_the_wire(raw) == wire

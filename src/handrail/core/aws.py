"""Everything we ask of AWS: the only module that imports boto3. Reached by dotted path, so that it is loaded only
where a bucket or SES is set up. Credentials come from where boto3 looks for them; there are none in our settings.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, BinaryIO

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from django.conf import settings
from django.utils.http import content_disposition_header

from handrail.core.documents import NotFound, StoreUnavailable
from handrail.core.vault import CannotOpen, VaultClosed

# A person is waiting for an upload: soon a clear error, not late an answer.
PATIENCE = Config(
    signature_version="s3v4", connect_timeout=3, read_timeout=15, retries={"total_max_attempts": 3, "mode": "standard"}
)


# boto3's own retries are off for mail: a message whose answer was lost would leave twice.
MAIL_PATIENCE = Config(connect_timeout=10, read_timeout=20, retries={"total_max_attempts": 1})


@cache
def client(service: str, region: str, endpoint: str, patience: Config = PATIENCE) -> Any:
    """One client for all threads: making one takes a tenth of a second."""
    return Session().client(service, region_name=region, endpoint_url=endpoint or None, config=patience)


class Bucket:
    """Documents in S3, or in a server that speaks like it. An object appears whole or not at all."""

    def __init__(self) -> None:
        self.name = settings.DOCUMENT_BUCKET
        self.s3 = client("s3", settings.AWS_REGION, settings.DOCUMENT_ENDPOINT)

    def put(self, key: str, file: BinaryIO) -> None:
        with _in_our_words(key):
            self.s3.put_object(Bucket=self.name, Key=key, Body=file)

    def open(self, key: str) -> BinaryIO:
        with _in_our_words(key):
            body: BinaryIO = self.s3.get_object(Bucket=self.name, Key=key)["Body"]
            return body

    def delete(self, key: str) -> None:
        with _in_our_words(key):
            self.s3.delete_object(Bucket=self.name, Key=key)

    def keys(self, folder: str) -> Iterator[tuple[str, datetime]]:
        with _in_our_words(folder):
            for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=folder):
                for found in page.get("Contents", ()):
                    yield found["Key"], found["LastModified"]

    def link(self, key: str, *, name: str, content_type: str, seconds: int) -> str:
        """An address that gives these bytes to whoever has it, to be saved under `name`, for so many seconds."""
        with _in_our_words(key):
            address: str = self.s3.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self.name,
                    "Key": key,
                    "ResponseContentDisposition": content_disposition_header(True, name),
                    "ResponseContentType": content_type,
                    "ResponseCacheControl": "no-store, private",
                },
                ExpiresIn=seconds,
            )
            return address


@contextmanager
def _in_our_words(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
            raise NotFound(key) from error
        raise StoreUnavailable(key) from error
    except BotoCoreError as error:
        raise StoreUnavailable(key) from error


# -- keys ------------------------------------------------------------------------------------------------


class KeyOfKms:
    """A key of AWS KMS that wraps an authority's data keys: it never leaves there. Takes its id, alias or ARN."""

    def __init__(self, key: str) -> None:
        self.kms = client("kms", settings.AWS_REGION, "")
        self.name = key
        if ":key/" not in key:
            with _in_the_vaults_words():
                self.name = self.kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]

    def wrap(self, key: bytes, context: dict[str, str]) -> bytes:
        with _in_the_vaults_words():
            return bytes(self.kms.encrypt(KeyId=self.name, Plaintext=key, EncryptionContext=context)["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, context: dict[str, str]) -> bytes:
        with _in_the_vaults_words():
            answer = self.kms.decrypt(KeyId=self.name, CiphertextBlob=wrapped, EncryptionContext=context)
            return bytes(answer["Plaintext"])


@contextmanager
def _in_the_vaults_words() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in ("InvalidCiphertextException", "IncorrectKeyException"):
            raise CannotOpen("a data key was changed, or belongs to another authority") from error
        raise VaultClosed(f"AWS KMS refused: {code}") from error
    except BotoCoreError as error:
        raise VaultClosed(f"AWS KMS cannot be asked: {type(error).__name__}") from error


# -- mail ------------------------------------------------------------------------------------------------


class Refused(Exception):
    """Amazon did not take this message."""


class Unusable(Exception):
    """Amazon takes nothing from us just now: no credentials, no connection, too much at once, or its own fault."""


class NoAnswer(Exception):
    """The message was on its way and no answer came."""


THE_SERVICE = frozenset(
    {
        "AccountSuspendedException",
        "SendingPausedException",
        "MailFromDomainNotVerifiedException",
        "LimitExceededException",
        "TooManyRequestsException",
        "ThrottlingException",
        "Throttling",
        "AccessDeniedException",
        "ExpiredTokenException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
    }
)


class Mail:
    """Sending through Amazon SES."""

    def send(self, raw: bytes, *, sender: str, recipient: str) -> str:
        """Hand over one message; give Amazon's id for it. Raises Refused, Unusable and NoAnswer."""
        try:
            answer = client("sesv2", settings.AWS_REGION, "", MAIL_PATIENCE).send_email(
                FromEmailAddress=sender,
                Destination={"ToAddresses": [recipient]},
                Content={"Raw": {"Data": raw}},
            )
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code = error.response.get("Error", {}).get("Code", "")
            if status >= 500 or status in (401, 403, 429) or code in THE_SERVICE:
                raise Unusable(str(error)) from error
            raise Refused(str(error)) from error
        except (
            ReadTimeoutError,
            ConnectionClosedError,
            ResponseStreamingError,
        ) as error:
            raise NoAnswer(str(error)) from error
        except BotoCoreError as error:
            raise Unusable(str(error)) from error
        return str(answer["MessageId"])

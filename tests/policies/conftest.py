"""Policies of the cast's schools, and files to bring."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from handrail.core.file_kinds import DOCX
from handrail.policies.actions import open_policies, record_review
from handrail.policies.models import Kind, Policy, PolicyReview
from tenants.context import inside


@pytest.fixture
def policies(one, cast, on, at):
    """Oak School's three policies by kind; those of the other school and the authority are there too."""
    with inside(one):
        open_policies(on=on, at=at)
        return {each.kind: each for each in Policy.objects.filter(school=cast.oak).select_related("school")}


@pytest.fixture
def policy(policies):
    """Oak School's medical conditions policy, of which nothing has been recorded."""
    return policies[Kind.MEDICAL_CONDITIONS]


@pytest.fixture
def review(one, cast, at, on):
    """`review(policy, ...)` records a review by Oak School's lead, today and without a change unless told."""

    def record(policy, **more):
        return record_review(
            **{
                "policy": policy,
                "by": cast.head,
                "at": at,
                "reviewed_on": on,
                "outcome": PolicyReview.Outcome.NO_CHANGE,
                **more,
            }
        )

    return record


@pytest.fixture
def docm():
    """A document with macros that calls itself a DOCX."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", f'<Types><Override ContentType="{DOCX}.main+xml"/></Types>')
        archive.writestr("word/document.xml", "<w:document/>")
        archive.writestr("word/vbaProject.bin", b"\x00")
    return SimpleUploadedFile("policy.docx", out.getvalue(), content_type=DOCX)


@pytest.fixture
def folder(settings, tmp_path):
    """Documents of these tests are kept in a folder of their own."""
    settings.DOCUMENT_BUCKET, settings.DOCUMENT_STORE = "", tmp_path
    return tmp_path


@pytest.fixture
def the_day(monkeypatch, at):
    """Makes the moment at which pages are asked for that of the tests."""
    monkeypatch.setattr("handrail.accounts.middleware.timezone.now", lambda: at)
    return at.date()

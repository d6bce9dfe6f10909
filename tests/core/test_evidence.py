"""Proof as a ZIP: the same content is the same file, and a document of any size passes through in blocks."""

import hashlib
import zipfile
from io import BytesIO

from handrail.core.evidence import BLOCK, File, write_pack


class Passing(BytesIO):
    """A stream that notes how much of it was asked for at a time."""

    def __init__(self, content):
        super().__init__(content)
        self.asked = []

    def read(self, size=-1):
        self.asked.append(size)
        return super().read(size)


def packed(*files):
    out = BytesIO()
    write_pack(out, files)
    return out.getvalue()


def test_a_document_passes_through_in_blocks_and_is_not_packed_again():
    content = b"%PDF" * BLOCK
    stream = Passing(content)
    with zipfile.ZipFile(BytesIO(packed(File("policy.pdf", "A policy", stream)))) as archive:
        assert archive.read("policy.pdf") == content
        assert archive.getinfo("policy.pdf").compress_type == zipfile.ZIP_STORED
        assert hashlib.sha256(content).hexdigest() in archive.read("index.csv").decode()
    assert set(stream.asked) == {BLOCK}


def test_the_same_content_is_the_same_file():
    once, again = (packed(File("a.csv", "A list", b"1"), File("b.pdf", "", BytesIO(b"2"))) for _ in range(2))
    assert once == again

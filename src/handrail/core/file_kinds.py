"""What an uploaded document really is. Its name and what the browser said about it are never believed.

Every look is bounded: at most 10 MB are read, no archive is unpacked, and a PDF is followed for a limited number of
steps, so that no file can keep a worker busy or fill its memory.
"""

import io
import re
import unicodedata
import zipfile
from typing import BinaryIO

import puremagic
import pypdf
from pypdf.errors import DependencyError

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
ENDINGS = {PDF: ".pdf", DOCX: ".docx", ODT: ".odt"}

MEGABYTE = 1024 * 1024
MOST_BYTES = 10 * MEGABYTE
MOST_UNPACKED = 200 * MEGABYTE
MOST_PARTS = 5_000
MOST_STEPS = 1_000_000

PDF_LIMITS = pypdf.Configuration(
    maximum_declared_stream_length=MOST_BYTES,
    zlib_maximum_output_length=16 * MEGABYTE,
    lzw_maximum_output_length=16 * MEGABYTE,
    run_length_maximum_output_length=16 * MEGABYTE,
    zlib_maximum_recovery_input_length=0,
)
MACROS = re.compile(r"(^|/)(vbaproject\.bin|vbadata\.xml|basic/|scripts/)", re.IGNORECASE)
ENCRYPTED_OFFICE = "EncryptedPackage".encode("utf-16-le")


class UnusableFile(ValueError):
    """The file cannot be taken; the message says why, for the person who selected it."""

    message: str

    def __init__(self) -> None:
        super().__init__(self.message)


class EmptyFile(UnusableFile):
    message = "The selected file is empty"


class FileTooLarge(UnusableFile):
    message = "The selected file must be smaller than 10MB"


class WrongKind(UnusableFile):
    message = "The selected file must be a PDF, DOCX or ODT"


class ProtectedFile(UnusableFile):
    message = "The selected file is protected. Save a copy without a password or restrictions, and select that"


class FileWithMacros(UnusableFile):
    message = "The selected file contains macros. Save a copy without macros, and select that"


class DamagedFile(UnusableFile):
    message = "The selected file is damaged. Open it, save a new copy, and select that"


def accept(file: BinaryIO) -> str:
    """Say what a document is: the media type of a PDF, DOCX or ODT of up to 10 MB that anybody can open.

    Raises EmptyFile, FileTooLarge, WrongKind, ProtectedFile, FileWithMacros, DamagedFile.
    """
    file.seek(0)
    content = file.read(MOST_BYTES + 1)
    file.seek(0)
    if not content:
        raise EmptyFile
    if len(content) > MOST_BYTES:
        raise FileTooLarge
    looks_like = _looks_like(content[:4096])
    if ".pdf" in looks_like:
        return _pdf(content)
    if ".docx" in looks_like:
        return _archive(content)
    if ".doc" in looks_like and ENCRYPTED_OFFICE in content:
        raise ProtectedFile
    raise WrongKind


def file_name(name: str, content_type: str) -> str:
    """A name that is safe on anybody's computer and ends as the file's real kind does; at most 120 characters."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in name)
    name = " ".join(re.sub(r'[<>:"|?*%]', " ", name).split())
    stem, dot, _ending = name.rpartition(".")
    stem = (stem if dot else name).strip(" .")[:110]
    return f"{stem or 'document'}{ENDINGS[content_type]}"


def _looks_like(head: bytes) -> set[str]:
    """The name endings of every kind of file that begins like this."""
    try:
        return {found.extension for found in puremagic.magic_string(head)}
    except (puremagic.PureError, ValueError):
        return set()


class _Patience(io.BytesIO):
    """A file that may be read in so many steps and no more."""

    steps = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.steps += 1 + len(found) // 1024
        if self.steps > MOST_STEPS:
            raise DamagedFile
        return found


def _pdf(content: bytes) -> str:
    with pypdf.apply_configuration(PDF_LIMITS):
        try:
            reader = pypdf.PdfReader(
                _Patience(content), root_object_recovery_limit=100, xref_stream_maximum_entries=200_000
            )
            is_protected = reader.is_encrypted
            is_whole = is_protected or "/Pages" in reader.root_object
        except (DependencyError, NotImplementedError):
            # A cipher that is not installed here was asked for.
            is_protected = True
        except Exception as error:
            # pypdf says it is robust, not which errors a broken file may raise in it.
            raise DamagedFile from error
    if is_protected:
        raise ProtectedFile
    if not is_whole:
        raise DamagedFile
    return PDF


def _archive(content: bytes) -> str:
    """DOCX and ODT are archives: told by the parts that say what the others are."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise DamagedFile
            if any(part.flag_bits & 0x1 for part in parts):
                raise ProtectedFile
            names = {part.filename for part in parts}
            if _part(archive, names, "mimetype") == ODT.encode():
                if b"encryption-data" in _part(archive, names, "META-INF/manifest.xml"):
                    raise ProtectedFile
                kind = ODT if "content.xml" in names else ""
            else:
                main = f'"{DOCX}.main+xml"'.encode()
                macros = b"ms-word.document.macroEnabled"
                types = _part(archive, names, "[Content_Types].xml")
                if macros in types:
                    raise FileWithMacros
                kind = DOCX if main in types and "word/document.xml" in names else ""
    except UnusableFile:
        raise
    except Exception as error:
        raise DamagedFile from error
    if not kind:
        raise WrongKind
    if any(MACROS.search(name) for name in names):
        raise FileWithMacros
    return kind


def _part(archive: zipfile.ZipFile, names: set[str], name: str) -> bytes:
    """The beginning of one part, or nothing when it is not there: a megabyte, whatever it would unpack to."""
    if name not in names:
        return b""
    with archive.open(name) as part:
        return part.read(MEGABYTE)

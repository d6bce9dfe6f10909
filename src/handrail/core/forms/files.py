"""An uploaded file."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile


class FileField(forms.FileField):
    """An uploaded file of a few kinds, by its name, and below a size in megabytes (of 1,048,576 bytes).

    What the file really holds is for the code that stores it to find out.
    """

    widget = forms.FileInput

    def __init__(
        self, *, kinds: Sequence[str] = ("PDF", "DOCX", "ODT"), megabytes: int = 10, noun: str = "file", **kwargs: Any
    ) -> None:
        kwargs["error_messages"] = {
            "required": f"Select a {noun}",
            "missing": f"Select a {noun}",
            "invalid": f"Select a {noun}",
            "empty": "The selected file is empty",
            **kwargs.get("error_messages", {}),
        }
        super().__init__(**kwargs)
        self.kinds = kinds
        self.megabytes = megabytes
        self.widget.attrs["accept"] = ",".join(f".{kind.lower()}" for kind in kinds)

    def to_python(self, data: Any) -> UploadedFile | None:
        found = cast(UploadedFile | None, super().to_python(data))
        if found is None:
            return None
        if (found.name or "").rpartition(".")[2].upper() not in self.kinds:
            *most, last = self.kinds
            listed = f"{', '.join(most)} or {last}" if most else last
            article = "an" if listed[0] in "AEFHILMNORSX" else "a"
            raise ValidationError(f"The selected file must be {article} {listed}", code="kind")
        if (found.size or 0) > self.megabytes * 1024 * 1024:
            raise ValidationError(f"The selected file must be smaller than {self.megabytes}MB", code="size")
        return found

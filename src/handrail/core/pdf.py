"""Paper: a Typst document of ours and its data become a PDF that assistive technology can read (PDF/UA-1).

The data goes in beside the document as JSON and is never part of its source, so nothing that people typed is
understood as Typst. Only the typeface that we ship is used: a page looks the same on every machine.
"""

import json
from pathlib import Path
from typing import Any

import typst

FONTS = Path(__file__).parent / "fonts"


def pdf(document: Path, data: Any) -> bytes:
    """The document as a PDF. It reads its data with `json(bytes(sys.inputs.data))`."""
    made: bytes = typst.compile(
        str(document),
        root=str(document.parent),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards=["ua-1"],
        sys_inputs={"data": json.dumps(data)},
    )
    return made

"""How seldom Python looks for garbage while it serves pages."""

import gc

OBJECTS_BETWEEN_LOOKS = 50_000
"""A long list makes some ten thousand objects for one page. By Python's own 700 it is gone through a dozen times."""


def settle() -> None:
    """What is loaded by now stays: no page waits while Python looks for garbage among all of it, or among its own
    rows again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS)

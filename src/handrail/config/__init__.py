"""The composition root: imports anything below, imported by nothing."""

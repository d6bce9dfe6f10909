"""The product's own settings, with pages that fail."""

from handrail.config.settings import *  # noqa: F403

ROOT_URLCONF = "telemetry.failing"

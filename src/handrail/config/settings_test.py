"""The few deliberate differences of the tests: in-process cache, quick password hashes, mail kept in memory."""

from handrail.config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
RECOVERY_CODE_COST = {"n": 2, "r": 8, "p": 1}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "KEY_FUNCTION": "tenants.cache.key_of_authority",
    }
}
ALLOWS_LOOPBACK = True
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

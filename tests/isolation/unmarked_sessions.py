"""The product's sessions without what names their authority: to show that the wall is that and nothing else."""

from django.utils.crypto import get_random_string

from handrail.accounts import sessions


class SessionStore(sessions.SessionStore):
    key_salt = "the same everywhere"

    def _get_new_session_key(self) -> str:
        return get_random_string(sessions.LENGTH)

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key)

"""A sign that the clock rings and a worker answers: a file whose time is that of the last answer.

It belongs to the machine and to no authority, and web, worker and database logins may write nothing that is
nobody's; so it is a file, which a supervisor or a container's health check can look at without any of them.
"""

from celery import shared_task
from django.conf import settings


@shared_task
def beat() -> None:
    """Each minute: touch the file."""
    settings.HEARTBEAT.parent.mkdir(parents=True, exist_ok=True)
    settings.HEARTBEAT.touch()

"""The Celery app. The broker is a doorbell: it says "look now"; what is owed is in the authorities' rows."""

import django
from celery import Celery
from celery.signals import setup_logging, worker_ready

from handrail.config.env import as_login

as_login("app")
django.setup()

from django.conf import settings  # noqa: E402 - needs django.setup()
from sentry_sdk.integrations.celery import CeleryIntegration  # noqa: E402

from handrail.config.monitoring import report_faults  # noqa: E402
from workflows.timetable import TIMETABLE, beat_schedule, modules  # noqa: E402

report_faults(CeleryIntegration(propagate_traces=False))
app = Celery("handrail", broker=settings.BROKER_URL)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_default_queue="handrail",
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=0,  # no limit: kombu goes deaf when the acknowledgements that would free it were lost
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # however long the broker is away
    beat_schedule=beat_schedule(),
    timezone="UTC",
    imports=modules(),
)
if settings.BROKER_URL.startswith("pgmq"):
    app.conf.broker_transport_options = {
        "init_extension": False,
        "visibility_timeout": 1800,
        "wait_time_seconds": 0,
        "polling_interval": 0.1,
    }
elif settings.BROKER_URL.startswith("redis"):
    app.conf.broker_transport_options = {"visibility_timeout": 1800, "unacked_restore_throttle": 1}


@setup_logging.connect
def keep_the_log_as_it_is(**_: object) -> None:
    """Celery leaves alone what somebody else has set up: its own format would show what exceptions say."""


@worker_ready.connect
def look_at_everything(**_: object) -> None:
    """A worker that starts looks at once at all that the timetable names: it may have been down for days."""
    for entry in TIMETABLE:
        app.send_task(entry.task, expires=entry.every_seconds)

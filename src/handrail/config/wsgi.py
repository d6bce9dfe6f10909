"""The web server's way in. Loads every page's code at start, and not during somebody's first request."""

from handrail.config.env import as_login
from handrail.config.garbage import settle

as_login("app")

from django.core.wsgi import get_wsgi_application  # noqa: E402 - settings are read here
from django.urls import get_resolver  # noqa: E402

from handrail.config.monitoring import report_faults  # noqa: E402

report_faults()
application = get_wsgi_application()
_ = get_resolver().url_patterns

settle()

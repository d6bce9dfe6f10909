"""The web server's way in. Loads every page's code and the guidance at start, not during somebody's first request."""

from handrail.config.env import as_login

as_login("app")

from django.core.wsgi import get_wsgi_application  # noqa: E402 - settings are read here
from django.urls import get_resolver  # noqa: E402

from handrail.config.monitoring import report_faults  # noqa: E402
from handrail.guidance.published import editions  # noqa: E402 - as the ones above, after the login is chosen

report_faults()
application = get_wsgi_application()
_ = get_resolver().url_patterns, editions()

"""Every address of the product. A room's own addresses are in its `urls.py`."""

from django.urls import include, path

urlpatterns = [
    path("", include("handrail.reporting.urls")),  # first: programs ask most often, and each address before costs
    path("", include("handrail.overview.urls")),
    path("", include("handrail.schools.urls")),
    path("", include("handrail.accounts.urls")),
    path("", include("handrail.authority.urls")),
    path("", include("handrail.policies.urls")),
    path("", include("handrail.people.urls")),
    path("", include("handrail.care.urls")),
    path("", include("handrail.plans.urls")),
    path("", include("handrail.absences.urls")),
    path("", include("handrail.incidents.urls")),
    path("", include("handrail.handovers.urls")),
    path("", include("handrail.packs.urls")),
    path("", include("handrail.returns.urls")),
    path("", include("handrail.notices.urls")),
    path("imports/", include("handrail.imports.urls")),
    path("records/", include("handrail.records.urls")),
]
handler400 = "handrail.core.views.bad_request"
handler403 = "handrail.core.views.forbidden"
handler404 = "handrail.core.views.not_found"
handler429 = "handrail.core.views.too_many_requests"
handler500 = "handrail.core.views.server_error"

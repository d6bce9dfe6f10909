from django.urls import path

from handrail.authority import guidance_views, succession_views, term_views, views

app_name = "authority"
urlpatterns = [
    path("brand.css", views.BrandView.as_view(), name="brand"),
    path("settings/", views.SettingsView.as_view(), name="settings"),
    path("settings/check/", views.CheckSettingsView.as_view(), name="check_settings"),
    path("settings/terms/", term_views.TermsView.as_view(), name="terms"),
    path("settings/terms/<int:year>/<int:number>/", term_views.TermView.as_view(), name="term"),
    path("schools/<str:urn>/closed/", succession_views.ClosedSchoolView.as_view(), name="closed_school"),
    path("guidance/", guidance_views.GuidanceView.as_view(), name="guidance"),
    path("guidance/<str:framework_id>/", guidance_views.FrameworkView.as_view(), name="framework"),
    path("guidance/<str:framework_id>/preview/", guidance_views.PreviewView.as_view(), name="preview"),
    path("guidance/<str:framework_id>/changes/", guidance_views.ChangesView.as_view(), name="changes"),
    path("help/", views.HelpView.as_view(), name="help"),
    path("cookies/", views.CookiesView.as_view(), name="cookies"),
    path("accessibility/", views.AccessibilityView.as_view(), name="accessibility"),
    path("how-we-work-out-status/", views.HowWeWorkOutStatusView.as_view(), name="how_we_work_out_status"),
]

from django.urls import path

from handrail.authority import term_views, views

app_name = "authority"
urlpatterns = [
    path("brand.css", views.BrandView.as_view(), name="brand"),
    path("settings/", views.SettingsView.as_view(), name="settings"),
    path("settings/check/", views.CheckSettingsView.as_view(), name="check_settings"),
    path("settings/terms/", term_views.TermsView.as_view(), name="terms"),
    path("settings/terms/<int:year>/<int:number>/", term_views.TermView.as_view(), name="term"),
    path("help/", views.HelpView.as_view(), name="help"),
    path("cookies/", views.CookiesView.as_view(), name="cookies"),
    path("accessibility/", views.AccessibilityView.as_view(), name="accessibility"),
    path("how-we-work-out-status/", views.HowWeWorkOutStatusView.as_view(), name="how_we_work_out_status"),
]

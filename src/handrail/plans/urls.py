"""Addresses of children's plans."""

from django.urls import path

from handrail.plans import access_views, item_views, views

app_name = "plans"
urlpatterns = [
    path("children/<uuid:child_id>/emergency/", views.EmergencyView.as_view(), name="emergency"),
    path("children/<uuid:child_id>/emergency/change/", views.ChangeEmergencyView.as_view(), name="change_emergency"),
    path("children/<uuid:child_id>/emergency/versions/", views.VersionsView.as_view(), name="versions"),
    path("children/<uuid:child_id>/emergency/versions/<int:number>/", views.VersionView.as_view(), name="version"),
    path("items/<str:called>/", item_views.ItemView.as_view(), name="item"),
    path("emergency-access/", access_views.BreakGlassView.as_view(), name="break_glass"),
    path("emergency-access/<uuid:pk>/", access_views.OpenedView.as_view(), name="opened"),
    path("emergency-access/reviews/", access_views.ReviewsView.as_view(), name="reviews"),
    path("emergency-access/reviews/<uuid:pk>/", access_views.ReviewView.as_view(), name="review"),
]

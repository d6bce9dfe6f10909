"""Addresses of messages."""

from django.urls import path

from handrail.notices import views

app_name = "notices"
urlpatterns = [
    path("mailbox/", views.MailboxView.as_view(), name="mailbox"),
    path("mailbox/<uuid:reference>/", views.LetterView.as_view(), name="letter"),
    path("messages/undelivered/", views.UndeliveredView.as_view(), name="undelivered"),
    path("messages/children/replay/", views.ReplayAboutChildrenView.as_view(), name="replay_about_children"),
    path("messages/<uuid:pk>/replay/", views.ReplayView.as_view(), name="replay"),
]

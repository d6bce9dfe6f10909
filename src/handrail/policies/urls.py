"""Addresses of policies: a school's, and with the same names and no arguments the authority's own."""

from django.urls import include, path

from handrail.policies import communication_views as communications
from handrail.policies import review_views as review
from handrail.policies import views, website_views

app_name = "policies"

one_policy = [
    path("", views.PolicyView.as_view(), name="policy"),
    path("details/", views.DetailsView.as_view(), name="details"),
    path("published/", views.PublishView.as_view(), name="publish"),
    path("approval/", views.ApprovalView.as_view(), name="approval"),
    path("versions/<int:number>/document/", views.DocumentView.as_view(), name="document"),
    path("review/", review.RecordReviewView.as_view(), name="record_review"),
    path("review/changes/", review.RecordReviewChangesView.as_view(), name="record_review_changes"),
    path("review/place/", review.RecordReviewPlaceView.as_view(), name="record_review_place"),
    path("review/next/", review.RecordReviewNextView.as_view(), name="record_review_next"),
    path("review/check/", review.RecordReviewCheckView.as_view(), name="record_review_check"),
]
of_a_school = [
    *one_policy,
    path("not-needed/", views.NotNeededView.as_view(), name="not_needed"),
    path("needed-again/", views.NeededAgainView.as_view(), name="needed_again"),
]
told = "schools/<str:urn>/policies/told/"
urlpatterns = [
    path("policies/websites/", website_views.WebsitesView.as_view(), name="websites"),
    path("policies/websites.csv", website_views.WebsitesCsvView.as_view(), name="websites_csv"),
    path("schools/<str:urn>/policies/", views.SchoolView.as_view(), name="school"),
    path(told, communications.CommunicationsView.as_view(), name="communications"),
    path(f"{told}record/", communications.RecordCommunicationView.as_view(), name="record_communication"),
    path("schools/<str:urn>/policies/<uuid:pk>/", include(of_a_school)),
    path("authority/policy/", include(one_policy)),
]

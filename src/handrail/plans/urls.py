"""Addresses of children's plans."""

from django.urls import path

from handrail.plans import (
    access_views,
    guest_views,
    item_views,
    link_views,
    plan_views,
    reading_views,
    review_views,
    school_views,
    views,
)

app_name = "plans"
PLAN = "children/<uuid:child_id>/plan/"
SHARED = "shared/<uuid:shared_id>/"
urlpatterns = [
    path("schools/<str:urn>/plans/", school_views.PlansView.as_view(), name="plans"),
    path("schools/<str:urn>/plans/print/", school_views.PrintPlansView.as_view(), name="print_plans"),
    path(PLAN, plan_views.PlanView.as_view(), name="plan"),
    path(f"{PLAN}told/", plan_views.ToldView.as_view(), name="told"),
    path(f"{PLAN}decide/", plan_views.DecideView.as_view(), name="decide"),
    path(f"{PLAN}sections/<slug:name>/", plan_views.SectionView.as_view(), name="section"),
    path(f"{PLAN}ask/", plan_views.AskView.as_view(), name="ask"),
    path(f"{PLAN}agreement/", plan_views.AgreementView.as_view(), name="agreement"),
    path(f"{PLAN}sign-off/", plan_views.SignOffView.as_view(), name="sign_off"),
    path(f"{PLAN}rest/", plan_views.RestView.as_view(), name="rest"),
    path(f"{PLAN}resume/", plan_views.ResumeView.as_view(), name="resume"),
    path(f"{PLAN}changed/", plan_views.ChangedView.as_view(), name="changed"),
    path(f"{PLAN}coordinator/", plan_views.CoordinatorView.as_view(), name="coordinator"),
    path(f"{PLAN}readers/", reading_views.ReadersView.as_view(), name="readers"),
    path(f"{PLAN}readers/choose/", reading_views.ChooseReadersView.as_view(), name="choose_readers"),
    path(f"{PLAN}readers/<uuid:reader_id>/told/", reading_views.RecordToldView.as_view(), name="record_told"),
    path(f"{PLAN}review/", review_views.ReviewPlanView.as_view(), name="review_plan"),
    path(f"{PLAN}review/agreed/", review_views.ReviewedView.as_view(), name="reviewed"),
    path(f"{PLAN}review/end/<slug:outcome>/", review_views.EndView.as_view(), name="end"),
    path(f"{PLAN}links/send/", link_views.SendLinkView.as_view(), name="send_link"),
    path(f"{PLAN}links/<uuid:link_id>/withdraw/", link_views.WithdrawLinkView.as_view(), name="withdraw_link"),
    path(f"{PLAN}comments/<uuid:comment_id>/", link_views.AnswerCommentView.as_view(), name="answer_comment"),
    path("shared/link/<str:token>/", guest_views.OpenLinkView.as_view(), name="open_link"),
    path(SHARED, guest_views.SharedView.as_view(), name="shared"),
    path(f"{SHARED}who/", guest_views.WhoView.as_view(), name="who"),
    path(f"{SHARED}who/new-code/", guest_views.NewCodeView.as_view(), name="new_code"),
    path(f"{SHARED}stay/", guest_views.StayView.as_view(), name="stay"),
    path(f"{SHARED}closed/", guest_views.ClosedView.as_view(), name="closed"),
    path("children/<uuid:child_id>/emergency/", views.EmergencyView.as_view(), name="emergency"),
    path("children/<uuid:child_id>/emergency/read/", reading_views.ConfirmReadView.as_view(), name="confirm_read"),
    path("plans-to-read/", reading_views.ToReadView.as_view(), name="to_read"),
    path("children/<uuid:child_id>/emergency/print/", views.PrintEmergencyView.as_view(), name="print_emergency"),
    path("children/<uuid:child_id>/emergency/change/", views.ChangeEmergencyView.as_view(), name="change_emergency"),
    path("children/<uuid:child_id>/emergency/versions/", views.VersionsView.as_view(), name="versions"),
    path("children/<uuid:child_id>/emergency/versions/<int:number>/", views.VersionView.as_view(), name="version"),
    path("items/<str:called>/", item_views.ItemView.as_view(), name="item"),
    path("emergency-access/", access_views.BreakGlassView.as_view(), name="break_glass"),
    path("emergency-access/<uuid:pk>/", access_views.OpenedView.as_view(), name="opened"),
    path("emergency-access/reviews/", access_views.ReviewsView.as_view(), name="reviews"),
    path("emergency-access/reviews/<uuid:pk>/", access_views.ReviewView.as_view(), name="review"),
]

"""Addresses of handovers."""

from django.urls import path

from handrail.handovers import (
    admission_views,
    authority_views,
    by_hand_views,
    guest_views,
    onward_views,
    return_views,
    today_views,
    views,
    watch_views,
)

app_name = "handovers"
CASE = "handovers/<uuid:pk>/"
urlpatterns = [
    path("schools/<str:urn>/handovers/", views.HandoversView.as_view(), name="handovers"),
    path("schools/<str:urn>/today/", today_views.TodayView.as_view(), name="today"),
    path("schools/<str:urn>/admit/", admission_views.AdmitView.as_view(), name="admit"),
    path("children/<uuid:child_id>/hand-over/", views.PrepareView.as_view(), name="prepare"),
    path(CASE, views.HandoverView.as_view(), name="handover"),
    path("handovers/<uuid:asked_id>/child/", admission_views.WhoView.as_view(), name="who"),
    path("handovers/<uuid:admitted_id>/told/", admission_views.ToldView.as_view(), name="told"),
    path(f"{CASE}pack/", views.PackView.as_view(), name="pack"),
    path(f"{CASE}send-again/", views.SendAgainView.as_view(), name="send_again"),
    path(f"{CASE}by-hand/", by_hand_views.ByHandView.as_view(), name="by_hand"),
    path(f"{CASE}open/", views.OpenView.as_view(), name="open"),
    path("handovers/<uuid:taught_id>/back/", return_views.BackView.as_view(), name="back"),
    path(f"{CASE}back/open/", return_views.OpenBackView.as_view(), name="open_back"),
    path(f"{CASE}back/plan/", return_views.ReissueView.as_view(), name="reissue"),
    path(f"{CASE}guest/", guest_views.SendGuestView.as_view(), name="guest"),
    path("guest/<str:token>/open/", guest_views.OpenGuestView.as_view(), name="open_guest"),
    path("guest/<uuid:guest_id>/", guest_views.GuestPageView.as_view(), name="guest_page"),
    path("guest/<uuid:guest_id>/who/", guest_views.GuestWhoView.as_view(), name="guest_who"),
    path("guest/<uuid:guest_id>/code/", guest_views.GuestCodeView.as_view(), name="guest_code"),
    path("guest/<uuid:guest_id>/stay/", guest_views.GuestStayView.as_view(), name="guest_stay"),
    path("guest/<uuid:guest_id>/closed/", guest_views.GuestClosedView.as_view(), name="guest_closed"),
    path(f"{CASE}steps-read/", views.StepsReadView.as_view(), name="steps_read"),
    path(f"{CASE}moves/<slug:name>/", views.MoveView.as_view(), name="move"),
    path("handover-board/", watch_views.BoardView.as_view(), name="board"),
    path("handover-board/list/", watch_views.ListView.as_view(), name="watched_list"),
    path("handover-board/list.csv", watch_views.ListCsvView.as_view(), name="watched_csv"),
    path("handover-board/<uuid:pk>/", watch_views.WatchedView.as_view(), name="watched"),
    path("handover-board/begin/<uuid:case_id>/", watch_views.BeginView.as_view(), name="begin"),
    path("admissions/", admission_views.NoticesView.as_view(), name="notices"),
    path("admissions/<uuid:notice_id>/", admission_views.NoticeView.as_view(), name="notice"),
    path("returns-from-elsewhere/", onward_views.OnwardView.as_view(), name="onward"),
    path("returns-from-elsewhere/<uuid:onward_id>/", onward_views.OnwardReturnView.as_view(), name="onward_return"),
    path("returns-from-elsewhere/<uuid:held_id>/tell/", onward_views.TellView.as_view(), name="tell"),
    path("hospital-schools/", authority_views.PlacesView.as_view(), name="places"),
    path("exchange/", authority_views.ExchangeView.as_view(), name="exchange"),
]

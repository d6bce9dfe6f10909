"""Addresses of sickness returns and of cases. None says what it is about: they stand in mails."""

from django.urls import path

from handrail.absences import school_views, views

app_name = "absences"
urlpatterns = [
    path("schools/<str:urn>/returns/", school_views.ReturnsView.as_view(), name="returns"),
    path("schools/<str:urn>/returns/children/", school_views.ChildrenView.as_view(), name="children"),
    path("children/<uuid:child_id>/returns/", school_views.ChildView.as_view(), name="child"),
    path("children/<uuid:child_id>/returns/make/", school_views.MakeReturnView.as_view(), name="make_return"),
    path("children/<uuid:child_id>/returns/codes/", school_views.CodesView.as_view(), name="enter_codes"),
    path("children/<uuid:child_id>/returns/codes/file/", school_views.CodesFileView.as_view(), name="codes_file"),
    path(
        "children/<uuid:child_id>/returns/<uuid:return_id>/",
        school_views.ChangeReturnView.as_view(),
        name="change_return",
    ),
    path(
        "children/<uuid:child_id>/returns/<uuid:return_id>/withdraw/",
        school_views.WithdrawReturnView.as_view(),
        name="withdraw_return",
    ),
    path("cases/", views.BoardView.as_view(), name="board"),
    path("cases/answers/", views.AnswersView.as_view(), name="answers"),
    path("cases/<uuid:case_id>/", views.CaseView.as_view(), name="case"),
    path("cases/<uuid:case_id>/log.pdf", views.LogView.as_view(), name="log"),
    path("cases/<uuid:case_id>/<slug:what>/", views.WriteView.as_view(), name="write"),
]

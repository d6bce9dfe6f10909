"""The authority's self-assessment: the pages of a return, of no school, for those of the authority who have the right.

No role at a school has one of these rights, so that no school opens them; the rows they find are those of no school.
"""

from handrail.accounts.roles import Permission
from handrail.returns import file_views, planned_views, views


class OwnReturnView(views.ReturnView):
    permission = Permission.SEE_SCHOOLS


class OwnSectionView(views.SectionView):
    permission = Permission.ANSWER_OWN_RETURN


class OwnFileView(file_views.FileView):
    permission = Permission.ANSWER_OWN_RETURN


class OwnDownloadView(file_views.DownloadView):
    permission = Permission.SEE_SCHOOLS


class OwnSubmitView(views.SubmitView):
    permission = Permission.SUBMIT_OWN_RETURN


class OwnSubmittedView(views.SubmittedView):
    permission = Permission.SEE_SCHOOLS


class OwnCountersignView(views.CountersignView):
    permission = Permission.COUNTERSIGN_OWN_RETURN


class OwnPlanView(planned_views.PlanView):
    permission = Permission.ANSWER_OWN_RETURN


class OwnPlannedView(planned_views.PlannedView):
    permission = Permission.ANSWER_OWN_RETURN

"""Which moves of a child's handovers the authority where the child lives is told of."""

from django.db.models import CharField, Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Cast, Coalesce, Concat

from handrail.handovers.models import Handover, Step
from handrail.handovers.moves import Side

TOLD_OF = (
    *("accept", "decline", "begin", "confirm_return", "pass_on", "end", "withdraw"),
    *("expire", "come_back"),
)
"""After which it is told how a handover stands, where that is not as before."""

SENT = Q(Exists(Step.objects.filter(handover=OuterRef("pk"), move="submit")), side=Side.HOME)
"""The handovers of which a pack was sent. What a school only prepares is told to nobody."""

_MADE = Step.objects.filter(
    handover__in=Handover.objects.filter(SENT), handover__pupil=OuterRef("case__pupil"), move__in=TOLD_OF
)
_PLACES = Count(Concat(Cast("handover_id", CharField()), "state"), distinct=True)
MOVES_MADE = Coalesce(Subquery(_MADE.order_by().values("handover__pupil").annotate(n=_PLACES).values("n")), 0)
"""How many such moves the handovers of the child of a return have made, each of which led somewhere new."""

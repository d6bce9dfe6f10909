"""Pages about when the authority's terms are."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from handrail.accounts.roles import Permission
from handrail.authority.term_forms import TermForm
from handrail.core.access import Door, Request
from handrail.schools.models import Term
from handrail.schools.term_actions import DATES, TermRefused, set_term
from handrail.schools.terms import NAMES, school_year_of, year_in_words

YEARS_AHEAD, FIRST_YEAR, LAST_YEAR = 2, 2000, 2100


class TermsView(Door):
    """The terms of this school year and the next ones, and what is not given yet."""

    permission = Permission.EDIT_SETTINGS

    def get(self, request: Request) -> HttpResponse:
        this = school_year_of(request.today)
        known = {(term.school_year, term.number): term for term in Term.objects.all()}
        years = [
            (year, year_in_words(year), [(number, name, known.get((year, number))) for number, name in numbered()])
            for year in range(this, this + YEARS_AHEAD)
        ]
        return render(request, "authority/terms.html", {"years": years})


class TermView(Door):
    """When one term is."""

    permission = Permission.EDIT_SETTINGS

    def get(self, request: Request, year: int, number: int) -> HttpResponse:
        term = Term.objects.of_year(year).filter(number=number).first()
        return self.page(request, TermForm(initial={name: getattr(term, name, None) for name in DATES}))

    def post(self, request: Request, year: int, number: int) -> HttpResponse:
        form = TermForm(request.POST)
        if form.is_valid():
            try:
                self.name()
                set_term(school_year=year, number=number, by=request.user, at=request.now, **form.cleaned_data)
            except TermRefused as refusal:
                form.add_error(refusal.field, str(refusal))
            else:
                messages.success(request, f"Saved the dates of the {self.name().lower()}.")
                return redirect("authority:terms")
        return self.page(request, form)

    def name(self) -> str:
        """Raises Http404 for a term that no school year has."""
        year, number = self.kwargs["year"], self.kwargs["number"]
        if number not in dict(numbered()) or not FIRST_YEAR <= year < LAST_YEAR:
            raise Http404
        return dict(numbered())[number]

    def page(self, request: Request, form: TermForm) -> HttpResponse:
        facts: dict[str, Any] = {"form": form, "name": self.name(), "year": year_in_words(self.kwargs["year"])}
        return render(request, "authority/term.html", facts)


def numbered() -> list[tuple[int, str]]:
    return list(enumerate(NAMES, start=1))

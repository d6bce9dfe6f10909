"""Rules that no single page can be trusted with: every address is a door, and every file stands where it belongs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.template import engines
from django.template.loader import get_template
from django.urls import URLPattern, URLResolver, get_resolver

from handrail.accounts.roles import Permission
from handrail.core.access import PUBLIC, SIGNED_IN, Door
from handrail.core.problems import FOR_PROGRAMS
from handrail.reporting.api import Endpoint, KeyAuthentication, Nothing

ROOT = Path(__file__).resolve().parents[2]
OURS = [ROOT / "src" / "handrail", ROOT / "tenants", ROOT / "workflows"]
BANNED = {"utils", "helpers", "common", "misc", "services", "managers", "signals", "constants"}

SIGN_IN_PAGES = {
    "account_request_login_code",
    "account_confirm_login_code",
    "account_login",
    "account_inactive",
    "account_logout",
    "account_change_password",
    "account_set_password",
    "account_reset_password",
    "account_confirm_password_reset_code",
    "account_complete_password_reset",
    "mfa_authenticate",
    "mfa_login_webauthn",
}
"""The pages of allauth that are routed: it decides itself who may see them."""

DEMO_PAGES = {"notices:mailbox", "notices:letter"}

PUBLIC_PAGES = {
    "session_ended",
    "authority:brand",
    "authority:help",
    "authority:cookies",
    "authority:accessibility",
    "authority:how_we_work_out_status",
    "sign_in_services:sign_in",
    "sign_in_services:back",
    # Parents and health professionals without an account, whom a link from a school leads here.
    *("plans:open_link", "plans:who", "plans:new_code", "plans:shared", "plans:stay", "plans:closed"),
    # A named person at a setting without Handrail, whom the home school has sent the pack of one case.
    *("handovers:open_guest", "handovers:guest_who", "handovers:guest_code", "handovers:guest_page"),
    *("handovers:guest_stay", "handovers:guest_closed"),
    "overview:calendar",  # whoever has the secret address: calendars sign in nowhere
} | DEMO_PAGES
"""Doors that anybody may open. A new one is added here by somebody who has thought about it."""


WITHOUT_STEP_UP = {
    # Names, classes and whom to ring: a child's place at a school, and nothing of their health.
    *("ChildrenView", "ChildView", "ChangeChildView", "ChildLeftView"),
    *("AddContactView", "ChangeContactView", "RemoveContactView"),
    # Somebody may be waiting for an ambulance.
    *("EmergencyView", "PrintEmergencyView", "AskedAboutView", "ConfirmReadView"),
    *("SharedView", "GuestPageView"),  # nobody is signed in: it takes a link, a code and the child’s date of birth
}
"""The doors that show a child and ask for no second factor. A new one is added here by somebody who has thought."""


def addresses(patterns: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in patterns:
        if isinstance(each, URLResolver):
            namespace = f"{prefix}{each.namespace}:" if each.namespace else prefix
            yield from addresses(each.url_patterns, namespace)
        else:
            yield f"{prefix}{each.name}", each


def below(patterns: Any, start: str, path: str = "/") -> list[str]:
    """The addresses that begin so."""
    found = []
    for each in patterns:
        whole = path + str(each.pattern).lstrip("^")
        if isinstance(each, URLResolver):
            found += below(each.url_patterns, start, whole)
        elif whole.startswith(start):
            found.append(whole)
    return found


ADDRESSES = list(addresses(get_resolver().url_patterns))
DOORS = [(name, each.callback) for name, each in ADDRESSES if name not in SIGN_IN_PAGES]
FOR_KEYS = [(name, view) for name, view in DOORS if issubclass(getattr(view, "view_class", object), Endpoint)]
every_door = pytest.mark.parametrize(("name", "view"), DOORS, ids=[name for name, _ in DOORS])


class TestEveryAddress:
    def test_has_a_name(self):
        assert not [each for name, each in ADDRESSES if name.endswith("None")]

    def test_of_signing_in_is_there_once(self):
        assert sorted(name for name, _ in ADDRESSES if name in SIGN_IN_PAGES) == sorted(SIGN_IN_PAGES)

    @every_door
    def test_is_a_door_with_a_permission(self, name, view):
        kind = getattr(view, "view_class", None)
        assert kind and issubclass(kind, Door), f"{name} is no Door"
        assert getattr(kind, "permission", None) in {PUBLIC, SIGNED_IN, *Permission}, f"{name} declares no permission"

    def test_that_is_public_is_meant_to_be(self):
        public = {name for name, view in DOORS if view.view_class.permission == PUBLIC}
        assert public - {name for name, _ in FOR_KEYS} <= PUBLIC_PAGES

    def test_for_programs_asks_for_a_key(self):
        """It is public, because no program signs in; and nothing else stands among those addresses."""
        assert len(below(get_resolver().url_patterns, FOR_PROGRAMS)) == len(FOR_KEYS)
        for _, view in FOR_KEYS:
            door = view.view_class()
            rights = [door.scope_for(each.upper()) for each in door.http_method_names if hasattr(door, each)]
            asks = door.authentication_classes == [KeyAuthentication] and rights and all(rights)
            assert asks or isinstance(door, Nothing)

    def test_that_shows_a_child_asks_for_a_second_factor(self):
        doors = [view.view_class for _, view in DOORS if view.view_class.shows_child]
        assert {door.__name__ for door in doors if not door.needs_step_up} == WITHOUT_STEP_UP

    @every_door
    def test_answers_through_its_permission(self, name, view):
        """No door has a `dispatch` of its own, where it asks who may; the demo's post is for nobody elsewhere."""
        kinds = [kind for kind in view.view_class.__mro__ if issubclass(kind, Door) and kind is not Door]
        assert not [kind for kind in kinds if "dispatch" in vars(kind)]


def python_files() -> list[Path]:
    return sorted(path for root in OURS for path in root.rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


class TestEveryFile:
    def test_says_what_it_is_in_its_name(self):
        assert not [named(path) for path in python_files() if path.stem in BANNED or path.parent.name in BANNED]

    def test_stays_short_enough_to_read(self):
        long = [named(path) for path in python_files() if len(path.read_text().splitlines()) > 400]
        assert long == []

    def test_says_what_it_holds(self):
        silent = [
            named(path)
            for path in python_files()
            if path.stem not in {"apps", "urls"}
            and "migrations" not in path.parts
            and path.read_text().strip()
            and not ast.get_docstring(ast.parse(path.read_text()))
        ]
        assert not silent

    def test_rings_for_nobody_from_the_domain(self):
        """Rows are the queue: no task is sent, and nothing waits for a commit but the mail of signing in."""
        calls = [
            (named(path), found)
            for path in python_files()
            if "workflows" not in path.relative_to(ROOT).parts[:1]
            for found in re.findall(r"\.delay\(|\.apply_async\(|on_commit\(", path.read_text())
        ]
        assert calls == [("src/handrail/accounts/adapter.py", "on_commit(")]

    def test_listens_to_no_signal(self):
        assert not [
            named(path) for path in python_files() if re.search(r"@receiver|\.connect\(\w+, sender", path.read_text())
        ]


def pages() -> list[tuple[str, Path]]:
    return sorted(
        (str(path.relative_to(folder)), path)
        for folder in (ROOT / "src" / "handrail").glob("*/jinja2")
        for path in folder.rglob("*.html")
    )


def outermost(name: str) -> str:
    """The template that this one extends in the end."""
    source = re.sub(r"{#.*?#}", "", dict(pages())[name].read_text(), flags=re.DOTALL)
    found = re.search(r'{%-? extends "([^"]+)" -?%}', source)
    return outermost(found[1]) if found else name


def is_only_macros(source: str) -> bool:
    rest = re.sub(r"{%-? macro .*?endmacro -?%}|{#.*?#}|{%.*?%}", "", source, flags=re.DOTALL)
    return "macro " in source and not rest.strip()


class TestEveryTemplate:
    @pytest.mark.parametrize(("name", "path"), pages(), ids=[name for name, _ in pages()])
    def test_stands_in_a_layout_or_is_a_part(self, name, path):
        is_part = name.startswith(("components/", "forms/", "layouts/")) or is_only_macros(path.read_text())
        assert is_part or outermost(name) == "layouts/base.html", f"{name} stands in no layout"

    @pytest.mark.parametrize(("name", "path"), pages(), ids=[name for name, _ in pages()])
    def test_compiles_and_is_inline_nowhere(self, name, path):
        assert get_template(name).backend.name == "jinja2"
        source = path.read_text()
        assert not re.search(r"\sstyle=|<style\b|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", source)

    def test_of_mail_compiles(self):
        for path in (ROOT / "src" / "handrail").glob("*/templates/**/*.txt"):
            name = str(path).split("/templates/")[1]
            assert engines["django"].get_template(name).origin.name == str(path), f"{name} is shadowed"

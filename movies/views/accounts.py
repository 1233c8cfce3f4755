"""Sign up, sign in, sign out, and one's own page."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import Permission, User
from django.core.paginator import InvalidPage, Paginator
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe
from django.views.generic import FormView

from movies.forms import SignUpForm

from .access import get_viewer, needs_sql, needs_user

REVIEWS_PER_PAGE = 20
# Django's views take PUT for POST.
METHODS = ["get", "head", "post", "options"]


@method_decorator([needs_sql, never_cache, sensitive_post_parameters()], name="dispatch")
class SignUpView(auth_views.RedirectURLMixin, FormView):  # type: ignore[type-arg]  # Django has no generics
    """Make an account and sign it in."""

    http_method_names = METHODS
    form_class = SignUpForm
    template_name = "movies/sign_up.html"
    next_page = settings.LOGIN_REDIRECT_URL

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        try:
            with transaction.atomic():
                user = form.save()
                if settings.NEW_ACCOUNTS_ARE_EDITORS:
                    grant_editing(user)
        except IntegrityError:
            # Somebody took the name after the form had looked.
            form.add_error("username", "A user with that username already exists.")
            return self.form_invalid(form)
        login(self.request, user)
        messages.success(self.request, f"Welcome, {user.get_username()}.")
        return super().form_valid(form)

    def form_invalid(self, form: SignUpForm) -> HttpResponse:
        return _refuse(super().form_invalid(form))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {"heading": "Sign up", "verb": "Sign up", "next": self.get_redirect_url()}


@method_decorator(needs_sql, name="dispatch")
class SignInView(auth_views.LoginView):
    """Sign in; `next` leads on, within this site only."""

    http_method_names = METHODS
    template_name = "movies/sign_in.html"
    extra_context = {"heading": "Sign in", "verb": "Sign in"}  # noqa: RUF012

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        return _refuse(super().form_invalid(form))


@method_decorator(needs_sql, name="dispatch")
class SignOutView(auth_views.LogoutView):
    """Sign out by POST; GET asks first."""

    http_method_names = METHODS

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        context = {
            "heading": "Sign out?",
            "question": "You can sign in again at any time.",
            "action": request.path,
            "verb": "Sign out",
            "back_url": reverse("home"),
        }
        return render(request, "movies/confirm.html", context)


def _refuse(response: HttpResponse) -> HttpResponse:
    """Return a form that came back with its mistakes as what it is: refused."""
    response.status_code = 400
    return response


def grant_editing(user: User) -> None:
    """Let an account add, change and delete films."""
    user.user_permissions.add(
        Permission.objects.get(content_type__app_label="movies", codename="edit_catalogue")
    )


@require_safe
@needs_user
def show_account(request: HttpRequest) -> HttpResponse:
    """Show what the visitor has reviewed, the latest first."""
    paginator = Paginator(get_viewer(request).reviews.all(), REVIEWS_PER_PAGE)
    try:
        page = paginator.page(request.GET.get("page", 1))
    except InvalidPage as exc:
        raise Http404(f"Your reviews have no such page: {exc}.") from exc
    return render(request, "movies/account.html", {"page": page})

"""What staff may see and change of what lives in SQL; films are edited on the site itself."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from .models import Review, Vote

# Django's own ModelAdmin takes no parameter when it runs; only the type checker gives it one.
if TYPE_CHECKING:
    ReviewBase = admin.ModelAdmin[Review]
    VoteBase = admin.ModelAdmin[Vote]
else:
    ReviewBase = VoteBase = admin.ModelAdmin


@admin.register(Review)
class ReviewAdmin(ReviewBase):
    list_display = ("title", "year", "stars", "user", "updated_at")
    list_filter = ("stars", "updated_at")
    list_select_related = ("user",)
    raw_id_fields = ("user",)
    search_fields = ("title", "text", "user__username")


@admin.register(Vote)
class VoteAdmin(VoteBase):
    """Votes can be looked at only: the count is kept with the film, and would differ."""

    list_display = ("title", "year", "stars", "user", "created_at")
    list_select_related = ("user",)
    search_fields = ("title", "user__username")

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: object, obj: Vote | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Vote | None = None) -> bool:
        """Refuse it on the pages of votes; a user who is deleted takes the votes along."""
        return not request.path.startswith(reverse("admin:movies_vote_changelist"))

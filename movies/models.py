"""What lives in SQL: reviews and votes. The films themselves live in DynamoDB."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from .movie import MovieKey

STARS = [MinValueValidator(1), MaxValueValidator(10)]


class Review(models.Model):
    """One person's review of one film; year and title are the film's key in DynamoDB."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reviews")
    year = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    stars = models.PositiveSmallIntegerField(validators=STARS)
    text = models.TextField(max_length=5000)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-updated_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "year", "title"], name="one_review_per_user"),
            models.CheckConstraint(
                condition=models.Q(stars__gte=1, stars__lte=10), name="review_stars_1_to_10"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["year", "title"])]
        permissions: ClassVar = [("edit_catalogue", "Can add, change and delete films")]

    def __str__(self) -> str:
        return f"{self.title} ({self.year}): {self.stars}/10"


class Vote(models.Model):
    """That somebody voted on a film; the count itself is kept, atomically, with the film."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="votes")
    year = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    stars = models.PositiveSmallIntegerField(validators=STARS)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "year", "title"], name="one_vote_per_user")
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.year}): {self.stars}/10"


class Departure(models.Model):
    """That a film at this version is about to leave its key; without a new one, for good."""

    year = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=200)
    version = models.PositiveBigIntegerField()
    new_year = models.PositiveSmallIntegerField(null=True)
    new_title = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.title} ({self.year}) to {self.new_key}"

    @property
    def key(self) -> MovieKey:
        return MovieKey(self.year, self.title)

    @property
    def new_key(self) -> MovieKey | None:
        return None if self.new_year is None else MovieKey(self.new_year, self.new_title)

"""The forms of the site. What a film may hold is decided by MovieFields, for the API as well."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.auth.forms import UserCreationForm

from .catalogue import FIRST_YEAR, GENRES, MovieFields
from .errors import BadInput
from .movie import VERSION_MAX_DIGITS
from .reviews import TEXT_MAX_CHARS

STARS = [(stars, str(stars)) for stars in range(1, 11)]
# What somebody writes runs in the direction of its own letters.
AUTO = {"dir": "auto"}
ONE_PER_LINE = "One name on each line."
NO_VERSION = (
    "This form no longer says which version of the film it was made from. "
    "Open the film's form again, and make your changes there."
)
# In ASCII, which is all that the site has written there.
_VERSION = re.compile(rf"[0-9]{{1,{VERSION_MAX_DIGITS}}}")


def to_lines(names: Sequence[str]) -> str:
    """Return names as the forms show them: one on each line."""
    return "\n".join(names)


class MovieForm(forms.Form):
    """All that an editor says about a film; `movie_fields` holds it once the form is valid."""

    title = forms.CharField(max_length=200, widget=forms.TextInput(attrs=AUTO))
    year = forms.CharField(widget=forms.NumberInput(attrs={"min": FIRST_YEAR}))
    plot = forms.CharField(required=False, widget=forms.Textarea(attrs=AUTO | {"rows": 5}))
    genres = forms.MultipleChoiceField(
        required=False,
        choices=[(genre, genre) for genre in GENRES],
        widget=forms.CheckboxSelectMultiple,
    )
    directors = forms.CharField(
        required=False, help_text=ONE_PER_LINE, widget=forms.Textarea(attrs=AUTO | {"rows": 2})
    )
    actors = forms.CharField(
        required=False, help_text=ONE_PER_LINE, widget=forms.Textarea(attrs=AUTO | {"rows": 4})
    )
    runtime_minutes = forms.CharField(
        required=False,
        label="Running time in minutes",
        widget=forms.NumberInput(attrs={"min": 1}),
    )
    release_date = forms.CharField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    movie_fields: MovieFields

    def clean(self) -> dict[str, Any]:
        cleaned = dict(super().clean() or {})
        said = {
            **cleaned,
            "directors": cleaned.get("directors", "").splitlines(),
            "actors": cleaned.get("actors", "").splitlines(),
        }
        for name in ("directors", "actors"):
            said[name] = [line.strip() for line in said[name] if line.strip()]
        try:
            self.movie_fields = MovieFields.from_untrusted(said)
        except BadInput as exc:
            for name, reason in exc.fields.items():
                # What Django has refused already is not in `cleaned`: one reason is enough.
                if name not in self.errors:
                    self.add_error(name if name in self.fields else None, reason)
        return cleaned


class VersionField(forms.IntegerField):
    """The version of a film that a form was made from: the digits that the form was given."""

    widget = forms.HiddenInput

    def to_python(self, value: object) -> int | None:
        if value in self.empty_values:
            return None
        if not _VERSION.fullmatch(str(value)):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return int(str(value))


class VersionForm(forms.Form):
    """What a form without fields of its own says: the version that it was made from."""

    version = VersionField()


class MovieEditForm(MovieForm):
    """The same, with the version that the editor saw: nobody else's save is overwritten."""

    version = VersionField()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.errors.pop("version", None):
            # Django would name a field that nobody can see.
            self.add_error(None, NO_VERSION)
        return cleaned


def describe_fields(fields: MovieFields) -> dict[str, Any]:
    """Return the fields as a form's initial values."""
    return {
        "title": fields.title,
        "year": fields.year,
        "plot": fields.plot,
        "genres": list(fields.genres),
        "directors": to_lines(fields.directors),
        "actors": to_lines(fields.actors),
        "runtime_minutes": fields.runtime_minutes,
        "release_date": fields.release_date,
    }


class PosterForm(forms.Form):
    """An image file; what it really is, is found in its bytes, not in its name."""

    image = forms.FileField(
        label="Picture",
        help_text="PNG, JPEG or WebP, 2 MB at the most. Two wide to three high looks best.",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )


class VoteForm(forms.Form):
    """One to ten stars."""

    stars = forms.TypedChoiceField(
        choices=STARS,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how many stars, 1 to 10."},
    )


class ReviewForm(forms.Form):
    """What somebody thinks of a film."""

    stars = forms.TypedChoiceField(choices=STARS[::-1], coerce=int)
    text = forms.CharField(
        label="What do you think of it?",
        max_length=TEXT_MAX_CHARS,
        widget=forms.Textarea(attrs=AUTO | {"rows": 8}),
    )


class SignUpForm(UserCreationForm):  # type: ignore[type-arg]  # Django has no generics
    """A name and a password."""

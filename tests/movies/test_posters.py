"""Tests of movies.posters: only pictures get in, and what got in can be seen."""

import urllib.error
import urllib.request
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from movies.errors import AWSRefused, PosterRefused, PosterTooLarge, PosterTypeRefused
from movies.movie import MovieKey
from movies.posters import Picture, delete_poster, presign_poster, recognise, upload_poster
from tests.movies.pictures import make_jpeg, make_png, make_webp

KEY = MovieKey(1999, "The Matrix")
HEADS = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\x1a\0\0\0WEBPVP8X", make_png()[:30]]


@pytest.mark.parametrize(
    ("content", "content_type", "extension"),
    [
        (make_png(), "image/png", "png"),
        (make_jpeg(), "image/jpeg", "jpg"),
        (make_webp(), "image/webp", "webp"),
    ],
)
def test_recognise(content: bytes, content_type: str, extension: str) -> None:
    assert recognise(content) == Picture(content_type, extension, 200, 300)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a" + b"\0" * 100,
        b"<svg width='100' height='100'/>",
        b"RIFF\0\0\0\0WAVE",
        b"%PDF-",
    ],
)
def test_other_files(content: bytes) -> None:
    with pytest.raises(PosterTypeRefused, match="Expected a PNG, JPEG or WebP picture"):
        recognise(content)


@pytest.mark.parametrize("make", [make_png, make_jpeg, make_webp])
@pytest.mark.parametrize("sides", [(49, 300), (200, 49), (4001, 300), (200, 4001)])
def test_sides_out_of_range(make: Any, sides: tuple[int, int]) -> None:
    with pytest.raises(PosterRefused, match=f"got {sides[0]} x {sides[1]}"):
        recognise(make(*sides))


@pytest.mark.parametrize("content", HEADS[:3])
def test_head_without_a_picture(content: bytes) -> None:
    with pytest.raises(PosterRefused, match="got one that can't be read"):
        recognise(content)


@given(head=st.sampled_from([b"", *HEADS]), rest=st.binary(max_size=300))
def test_any_bytes(head: bytes, rest: bytes) -> None:
    try:
        picture = recognise(head + rest)
    except PosterRefused:
        return
    assert 50 <= picture.width <= 4000
    assert 50 <= picture.height <= 4000


def test_too_many_bytes(settings: Any) -> None:
    settings.POSTER_MAX_BYTES = 5000
    size = len(make_png())

    recognise(make_png(padding=5000 - size - 20))
    with pytest.raises(PosterTooLarge, match="at most 5,000 bytes, got 5,001"):
        recognise(make_png(padding=5001 - size - 20))


@pytest.mark.parametrize("content", [make_png(), make_jpeg(), make_webp()])
def test_what_is_uploaded_can_be_seen(aws: str, content: bytes) -> None:
    poster = upload_poster(KEY, content)

    with urllib.request.urlopen(presign_poster(poster)) as answer:
        assert answer.read() == content
        assert answer.headers["Content-Type"] == recognise(content).content_type
        assert "immutable" in answer.headers["Cache-Control"]
    assert poster.startswith("posters/1999/")


def test_keys_are_never_used_again(aws: str) -> None:
    assert upload_poster(KEY, make_png()) != upload_poster(KEY, make_png())


def test_url_lasts_an_hour_and_asks_nobody(settings: Any) -> None:
    from movies.aws import forget_clients

    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:9"
    forget_clients()

    url = presign_poster("posters/1999/x.png")

    forget_clients()
    assert url.startswith("http://127.0.0.1:9/")
    assert "X-Amz-Expires=3600" in url


def test_delete_poster(aws: str) -> None:
    poster = upload_poster(KEY, make_png())

    delete_poster(poster)
    delete_poster(poster)

    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(presign_poster(poster))


def test_bucket_is_missing(aws: str, settings: Any) -> None:
    settings.POSTERS_BUCKET = "nowhere"

    with pytest.raises(AWSRefused, match="NoSuchBucket") as caught:
        upload_poster(KEY, make_png())

    assert caught.value.aws_code == "NoSuchBucket"


@pytest.mark.parametrize("make", [make_png, make_jpeg, make_webp])
def test_recognise_refuses_what_is_cut_off_or_followed(make: Any) -> None:
    whole = make()

    assert recognise(whole).width == 200
    for broken in (whole[:-1], whole + b"<script>alert(1)</script>"):
        with pytest.raises(PosterRefused, match=r"cut off or followed|can't be read"):
            recognise(broken)

"""Posters: pictures in S3, known by their content, shown through presigned URLs."""

import io
import secrets
from typing import NamedTuple

from django.conf import settings

from .aws import UPLOAD, get_client, translate_errors
from .errors import PosterRefused, PosterTooLarge, PosterTypeRefused
from .movie import MovieKey

MIN_SIDE_PIXELS, MAX_SIDE_PIXELS = 50, 4000
URL_LIFETIME_SECONDS = 3600
# https://www.w3.org/TR/png-3/#11IEND and the EOI marker of ITU-T T.81, table B.1
PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
JPEG_END = b"\xff\xd9"
# A poster's key is never used again, so what a browser once got stays right.
CACHE_CONTROL = "public, max-age=31536000, immutable"


class Picture(NamedTuple):
    """What the bytes of an uploaded file are."""

    content_type: str
    extension: str
    width: int
    height: int


def recognise(content: bytes) -> Picture:
    """Return what picture the bytes hold, whatever the file was called.

    Raises PosterTooLarge, PosterTypeRefused (not PNG, JPEG or WebP) or PosterRefused (its sides).
    """
    if len(content) > settings.POSTER_MAX_BYTES:
        raise PosterTooLarge(
            f"Expected a picture of at most {settings.POSTER_MAX_BYTES:,} bytes, "
            f"got {len(content):,}."
        )
    content_type, extension = _recognise_type(content)
    # Here and not above: it brings an XML parser and an HTTP client, which only uploads wait for.
    import imagesize

    # Reads the head only, and gives -1 for what it can't make out.
    width, height = imagesize.get(io.BytesIO(content))
    if not all(MIN_SIDE_PIXELS <= side <= MAX_SIDE_PIXELS for side in (width, height)):
        raise PosterRefused(
            f"Expected a picture with sides of {MIN_SIDE_PIXELS} to {MAX_SIDE_PIXELS} pixels, "
            + (f"got {width} x {height}." if width > 0 else "got one that can't be read.")
        )
    if not _is_whole(content, extension):
        raise PosterRefused(
            f"Expected a whole {extension.upper()} picture, got one that is cut off or followed by "
            "something else."
        )
    return Picture(content_type, extension, width, height)


def _recognise_type(content: bytes) -> tuple[str, str]:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png", "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", "jpg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp", "webp"
    raise PosterTypeRefused("Expected a PNG, JPEG or WebP picture.")


def _is_whole(content: bytes, extension: str) -> bool:
    """Return whether the file ends where its format says that the picture does."""
    if extension == "png":
        return content.endswith(PNG_END)
    if extension == "jpg":
        # Some cameras fill up with zeros.
        return content.rstrip(b"\0").endswith(JPEG_END)
    # A chunk of odd length is filled up to an even one.
    return len(content) - 8 - int.from_bytes(content[4:8], "little") in (0, 1)


def upload_poster(key: MovieKey, content: bytes) -> str:
    """Put a picture into the posters' bucket; return its S3 key, new each time.

    Gives an S3 that hangs up after about 8 s. Raises PosterRefused, PosterTypeRefused or
    PosterTooLarge for what isn't a usable picture.
    """
    picture = recognise(content)
    # Never by content: deleting one film's poster would take it from another that has the same.
    poster = f"posters/{key.year}/{secrets.token_hex(32)}.{picture.extension}"
    with translate_errors("PutObject of the poster"):
        get_client("s3", patience=UPLOAD).put_object(
            Bucket=settings.POSTERS_BUCKET,
            Key=poster,
            Body=content,
            ContentType=picture.content_type,
            CacheControl=CACHE_CONTROL,
        )
    return poster


def presign_poster(poster: str) -> str:
    """Return a URL that shows the poster for an hour; asks AWS nothing."""
    with translate_errors("Presigning of the poster"):
        return get_client("s3").generate_presigned_url(
            "get_object",
            Params={"Bucket": settings.POSTERS_BUCKET, "Key": poster},
            ExpiresIn=URL_LIFETIME_SECONDS,
        )


def delete_poster(poster: str) -> None:
    """Delete a poster; one that is gone already is no error."""
    with translate_errors("DeleteObject of the poster"):
        get_client("s3").delete_object(Bucket=settings.POSTERS_BUCKET, Key=poster)

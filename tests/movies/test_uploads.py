from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import InMemoryUploadedFile, SimpleUploadedFile
from django.test import RequestFactory

from movies.uploads import BoundedUploadHandler


def upload(*contents: bytes) -> Any:
    """Return the files of a request that sends these."""
    files = {f"file{n}": SimpleUploadedFile(f"{n}.png", each) for n, each in enumerate(contents)}
    request = RequestFactory().post("/", {"name": "x", **files})
    request.upload_handlers = [BoundedUploadHandler(request)]
    return request.FILES


def test_files_are_kept_in_memory(settings: Any) -> None:
    settings.POSTER_MAX_BYTES = 200_000

    files = upload(b"a" * 150_000, b"b" * 50_000)

    assert files["file0"].read() == b"a" * 150_000
    assert files["file1"].read() == b"b" * 50_000
    assert isinstance(files["file0"], InMemoryUploadedFile)
    assert isinstance(files["file0"].file, BytesIO)
    assert (files["file0"].name, files["file0"].size) == ("0.png", 150_000)


@pytest.mark.parametrize("contents", [[b"a" * 200_001], [b"a" * 150_000, b"b" * 50_001]])
def test_too_much_is_refused(settings: Any, contents: list[bytes]) -> None:
    settings.POSTER_MAX_BYTES = 200_000

    with pytest.raises(RequestDataTooBig, match="larger than 200,000 bytes"):
        upload(*contents)


def test_reading_ends_at_the_bound(settings: Any) -> None:
    settings.POSTER_MAX_BYTES = 1000
    handler = BoundedUploadHandler()
    handler.new_file("file", "a.png", "image/png", None)

    handler.receive_data_chunk(b"x" * 600, 0)
    with pytest.raises(RequestDataTooBig, match="1,000"):
        handler.receive_data_chunk(b"x" * 600, 600)


def test_the_site_uses_it() -> None:
    from django.conf import settings

    assert settings.FILE_UPLOAD_HANDLERS == ["movies.uploads.BoundedUploadHandler"]

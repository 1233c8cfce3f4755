"""Keep uploaded files in memory, and stop reading as soon as they are more than a poster may be.

Django bounds the other parts of a form (DATA_UPLOAD_MAX_MEMORY_SIZE), but not its files.
"""

from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler


class BoundedUploadHandler(FileUploadHandler):
    """One for each request: what it counts is all files of the request together."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self._received_bytes = 0
        self._file = BytesIO()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._file = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a chunk. Raises RequestDataTooBig, which Django answers with handler400."""
        self._received_bytes += len(raw_data)
        if self._received_bytes > settings.POSTER_MAX_BYTES:
            raise RequestDataTooBig(
                f"The files are larger than {settings.POSTER_MAX_BYTES:,} bytes, "
                "which is what a poster may have."
            )
        self._file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        self._file.seek(0)
        return InMemoryUploadedFile(
            file=self._file,
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )

"""Turn a segment of the SDK into the document that is sent, without what must not leave.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

import re
from typing import Any

from aws_xray_sdk.core.models.entity import Entity

from .redaction import MAX_HTTP_CHARACTERS, redact_text, redact_url, sanitise_sql

MAX_NAME_CHARACTERS = 200
MAX_ANNOTATION_CHARACTERS = 1000
NOT_IN_A_NAME = re.compile(r"[^\w\s.:/%&#=+\-@]")


def make_document(entity: Entity) -> dict[str, Any]:
    """Return the document of a segment or an independent subsegment, with all beneath it."""
    return clean(entity.to_dict(), is_embedded=False)


def clean(document: dict[str, Any], *, is_embedded: bool) -> dict[str, Any]:
    """Mend one document and those within it, in place, and return it.

    An embedded subsegment needs neither trace id, parent id nor type: its place says them.
    """
    name = NOT_IN_A_NAME.sub("", str(document.get("name") or ""))[:MAX_NAME_CHARACTERS]
    document["name"] = name or "unnamed"
    if document.get("in_progress") is False:
        del document["in_progress"]
    if document.get("namespace") == "local":
        del document["namespace"]
    if is_embedded:
        for key in ("trace_id", "parent_id", "type"):
            document.pop(key, None)
    if "http" in document:
        _clean_http(document["http"])
    if isinstance(document.get("cause"), dict):
        for exception in document["cause"].get("exceptions", ()):
            if exception.get("message"):
                exception["message"] = redact_text(exception["message"])
    if "sql" in document:
        _clean_sql(document["sql"])
    if "annotations" in document:
        document["annotations"] = {
            key: value[:MAX_ANNOTATION_CHARACTERS] if isinstance(value, str) else value
            for key, value in document["annotations"].items()
        }
    for child in document.get("subsegments", ()):
        clean(child, is_embedded=True)
    return document


def _clean_http(http: dict[str, Any]) -> None:
    request = http.get("request", {})
    if isinstance(request.get("url"), str):
        request["url"] = redact_url(request["url"])
    for key in ("user_agent", "client_ip", "method"):
        if isinstance(request.get(key), str):
            request[key] = redact_text(request[key][:MAX_HTTP_CHARACTERS])


def _clean_sql(sql: dict[str, Any]) -> None:
    if isinstance(sql.get("url"), str):
        sql["url"] = redact_url(sql["url"])
    if isinstance(sql.get("sanitized_query"), str):
        sql["sanitized_query"] = sanitise_sql(sql["sanitized_query"])

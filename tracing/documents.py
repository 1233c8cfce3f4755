"""Turn an entity into the documents that are sent, without what must not leave.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from threading import get_ident
from typing import Any

from .plain import make_plain
from .redaction import MAX_HTTP_CHARACTERS, redact_text, redact_url, sanitise_sql

MAX_NAME_CHARACTERS = 200
MAX_ANNOTATION_CHARACTERS = 1000
NOT_IN_A_NAME = re.compile(r"[^\w\s.:/%&#=+\-@]")
# JSON libraries count on their stack; what lies deeper leaves in documents of its own.
MAX_DEPTH = 40
NOT_CLEAN_IN_A_URL = frozenset("?#@; ")


def make_document(entity: Any) -> dict[str, Any]:
    """Return the document of a segment or an independent subsegment, with all beneath it."""
    return make_documents(entity)[0]


def make_documents(entity: Any) -> list[dict[str, Any]]:
    """Return the document of an entity and of what lies too deep beneath it for one document.

    What is open beneath a request that has ended is closed with it if this thread began it, for
    nobody else will; what another thread is at leaves as in progress, and again when it has ended.
    """
    documents = []
    roots = [entity]
    while roots:
        root = roots.pop()
        document = _describe(root, roots, MAX_DEPTH)
        if root is not entity or root.type == "subsegment":
            document["type"] = "subsegment"
        document["trace_id"] = root.trace_id
        if root.parent_id:
            document["parent_id"] = root.parent_id
        documents.append(document)
    return documents


def _describe(entity: Any, too_deep: list[Any], depth: int) -> dict[str, Any]:
    """Return the document of one entity; its place in another says trace and parent."""
    entity.is_sent = True
    if entity.in_progress:
        request = entity.request
        if entity.owner == get_ident() and not request.in_progress and not request.is_async:
            entity.close(request.end_time)
    document: dict[str, Any] = {
        "id": entity.id,
        "name": clean_name(entity.name),
        "start_time": entity.start_time,
    }
    if entity.in_progress:
        document["in_progress"] = True
        entity.is_alone = entity is not entity.request
    else:
        document["end_time"] = entity.end_time
    known = entity.__dict__
    if entity.fault:
        document["fault"] = True
    if entity.error:
        document["error"] = True
    if entity.throttle:
        document["throttle"] = True
    if entity.type == "subsegment":
        if entity.namespace != "local":
            document["namespace"] = entity.namespace
        if known.get("sql"):
            document["sql"] = clean_sql(known["sql"])
    else:
        for key in ("user", "origin", "service"):
            if known.get(key):
                document[key] = known[key]
    if known.get("http"):
        document["http"] = clean_http(known["http"])
    if known.get("aws"):
        document["aws"] = make_plain(known["aws"])
    if known.get("cause"):
        document["cause"] = known["cause"]
    if known.get("annotations"):
        document["annotations"] = {
            key: redact_text(value[:MAX_ANNOTATION_CHARACTERS])
            if isinstance(value, str)
            else make_plain(value)
            for key, value in known["annotations"].items()
        }
    if known.get("metadata"):
        document["metadata"] = make_plain(known["metadata"], redact=True)
    if entity.subsegments:
        if depth:
            document["subsegments"] = [
                _describe(child, too_deep, depth - 1) for child in list(entity.subsegments)
            ]
        else:
            too_deep.extend(entity.subsegments)
    return document


@lru_cache(maxsize=512)
def clean_name(name: object) -> str:
    """Return a name that X-Ray takes: its characters, at most 200 of them, at least one."""
    return NOT_IN_A_NAME.sub("", str(name or ""))[:MAX_NAME_CHARACTERS] or "unnamed"


def clean_http(http: Mapping[str, Any]) -> dict[str, Any]:
    """Return an `http` block without queries, credentials and endless texts."""
    cleaned = dict(http)
    if "request" in http:
        request = cleaned["request"] = dict(http["request"])
        url = request.get("url")
        if isinstance(url, str):
            is_clean = NOT_CLEAN_IN_A_URL.isdisjoint(url)
            request["url"] = url[:MAX_HTTP_CHARACTERS] if is_clean else redact_url(url)
        agent = request.get("user_agent")
        if isinstance(agent, str):
            request["user_agent"] = clean_agent(agent[:MAX_HTTP_CHARACTERS])
        for key in ("client_ip", "method"):
            if isinstance(request.get(key), str):
                request[key] = request[key][:MAX_HTTP_CHARACTERS]
    return cleaned


@lru_cache(maxsize=256)
def clean_agent(agent: str) -> str:
    """Return a user agent without credentials; a site sees the same few again and again."""
    return redact_text(agent)


def clean_sql(sql: Mapping[str, Any]) -> dict[str, Any]:
    """Return an `sql` block without literals and credentials."""
    cleaned = dict(sql)
    if isinstance(cleaned.get("url"), str):
        cleaned["url"] = redact_url(cleaned["url"])
    if isinstance(cleaned.get("sanitized_query"), str):
        cleaned["sanitized_query"] = sanitise_sql(cleaned["sanitized_query"])
    return cleaned

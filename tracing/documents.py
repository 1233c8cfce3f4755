"""Turn an entity into the JSON that is sent, without what must not leave.

What is the same in every request, such as the text of a statement, is cleaned and written once and
kept. The rest is put together from strings: that is most of what tracing costs.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from threading import get_ident
from typing import Any

from .plain import make_plain
from .redaction import MAX_HTTP_CHARACTERS, redact_short, redact_text, redact_url, sanitise_sql

MAX_NAME_CHARACTERS = 200
MAX_ANNOTATION_CHARACTERS = 1000
NOT_IN_A_NAME = re.compile(r"[^\w\s.:/%&#=+\-@]")
# JSON libraries count on their stack; what lies deeper leaves in documents of its own.
MAX_DEPTH = 40
NOT_CLEAN_IN_A_URL = frozenset("?#@; ")

# A text as JSON, in quotes.
quote = encode_basestring

_encoder = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=make_plain, allow_nan=False
)


class Part:
    """An entity as JSON: its members without those around and beneath it, and what is beneath it.

    text: the members, without braces. parts: of the subsegments.
    """

    __slots__ = ("id", "parent_id", "parts", "text", "trace_id")

    def __init__(self, entity: Any, text: str) -> None:
        self.id: str = entity.id
        self.parent_id: str | None = None
        self.trace_id: str | None = None
        self.text = text
        self.parts: list[Part] = []


def make_parts(entity: Any) -> list[Part]:
    """Return an entity with all beneath it, and apart from it what lies too deep beneath it.

    What is open beneath a request that has ended is closed with it if this thread began it, for
    nobody else will; what another thread is at leaves as in progress, and again when it has ended.
    """
    roots = [entity]
    made = []
    while roots:
        root = roots.pop()
        part = _make_part(root, roots, MAX_DEPTH)
        kind = '"type":"subsegment",' if root.type == "subsegment" else ""
        above = f'"parent_id":{quote(root.parent_id)},' if root.parent_id else ""
        part.text = f'{kind}"trace_id":{quote(root.trace_id)},{above}{part.text}'
        part.trace_id = root.trace_id
        made.append(part)
    return made


def _make_part(entity: Any, too_deep: list[Any], depth: int) -> Part:
    entity.is_sent = True
    part = Part(entity, describe(entity))
    if entity.subsegments:
        if depth:
            part.parts = [
                _make_part(child, too_deep, depth - 1) for child in tuple(entity.subsegments)
            ]
        else:
            too_deep.extend(entity.subsegments)
    return part


def join(part: Part) -> str:
    """Return a part and all beneath it as one JSON object."""
    if not part.parts:
        return f"{{{part.text}}}"
    return f'{{{part.text},"subsegments":[{",".join([join(inner) for inner in part.parts])}]}}'


def make_document(entity: Any) -> dict[str, Any]:
    """Return the document of a segment or an independent subsegment, with all beneath it."""
    document: dict[str, Any] = json.loads(join(make_parts(entity)[0]))
    return document


def describe(entity: Any) -> str:
    """Return the members of one entity; its place in another says trace and parent."""
    if entity.in_progress:
        request = entity.request
        if entity.owner == get_ident() and not request.in_progress and not request.is_async:
            entity.close(request.end_time)
    if entity.in_progress:
        entity.is_alone = entity is not entity.request
        end = '"in_progress":true'
    else:
        end = f'"end_time":{entity.end_time!r}'
    known = entity.__dict__
    said = known.get("fragment")
    if said is None:
        said = write_name(entity.name, known.get("namespace"))
    text = f'"id":{quote(entity.id)},"start_time":{entity.start_time!r},{end},{said}'
    if entity.fault:
        text += ',"fault":true'
    if entity.error:
        text += ',"error":true'
    if entity.throttle:
        text += ',"throttle":true'
    blocks = {}
    for key, clean in CLEANERS:
        if known.get(key):
            blocks[key] = clean(known[key]) if clean is not None else known[key]
    return f"{text},{encode(blocks)[1:-1]}" if blocks else text


def encode(value: Any) -> str:
    """Return a value as JSON; what JSON cannot say becomes text."""
    try:
        return _encoder.encode(value)
    except (ValueError, TypeError, RecursionError):
        return _encoder.encode(make_plain(value))


@lru_cache(maxsize=1024)
def write_name(name: object, namespace: str | None) -> str:
    """Return the members that say a name, and a namespace that X-Ray knows."""
    said = f'"name":{quote(clean_name(name))}'
    return f'{said},"namespace":"{namespace}"' if namespace in ("aws", "remote") else said


def write_statement(name: str, described: Mapping[str, str], sql: str | None) -> str:
    """Return the members that say a statement of a database."""
    block = dict(described) if sql is None else {**described, "sanitized_query": sql}
    return f'{write_name(name, "remote")},"sql":{encode(clean_sql(block))}'


def clean_name(name: object) -> str:
    """Return a name that X-Ray takes: its characters, at most 200 of them, at least one."""
    return NOT_IN_A_NAME.sub("", str(name or ""))[:MAX_NAME_CHARACTERS] or "unnamed"


def clean_http(http: Mapping[str, Any]) -> dict[str, Any]:
    """Return an `http` block without queries, credentials and endless texts."""
    if "request" not in http:
        return dict(http)
    request = dict(http["request"])
    url = request.get("url")
    if isinstance(url, str):
        is_clean = NOT_CLEAN_IN_A_URL.isdisjoint(url)
        request["url"] = url[:MAX_HTTP_CHARACTERS] if is_clean else redact_url(url)
    agent = request.get("user_agent")
    if isinstance(agent, str):
        request["user_agent"] = redact_short(agent[:MAX_HTTP_CHARACTERS])
    for key in ("client_ip", "method"):
        if isinstance(request.get(key), str):
            request[key] = request[key][:MAX_HTTP_CHARACTERS]
    return {**http, "request": request}


def clean_sql(sql: Mapping[str, Any]) -> dict[str, Any]:
    """Return an `sql` block without literals and credentials."""
    cleaned = dict(sql)
    if isinstance(cleaned.get("url"), str):
        cleaned["url"] = redact_url(cleaned["url"])
    if isinstance(cleaned.get("sanitized_query"), str):
        cleaned["sanitized_query"] = sanitise_sql(cleaned["sanitized_query"])
    return cleaned


def clean_annotations(annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return annotations without secrets, numbers that JSON lacks and endless texts."""
    return {
        key: redact_short(value[:MAX_ANNOTATION_CHARACTERS])
        if type(value) is str
        else make_plain(value, redact=True)
        for key, value in annotations.items()
    }


def clean_metadata(metadata: Mapping[str, Any]) -> Any:
    """Return metadata as JSON can say it, without secrets."""
    return make_plain(metadata, redact=True)


# The blocks that have no place of their own above; None for those that this package alone writes.
CLEANERS: tuple[tuple[str, Any], ...] = (
    ("http", clean_http),
    ("annotations", clean_annotations),
    ("aws", None),
    ("sql", clean_sql),
    ("metadata", clean_metadata),
    ("cause", None),
    ("user", redact_text),
    ("origin", None),
    ("service", None),
)

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
from .redaction import (
    MAX_HTTP_CHARACTERS,
    REDACTED,
    is_secret_name,
    redact_short,
    redact_text,
    redact_url,
    sanitise_sql,
)

MAX_NAME_CHARACTERS = 200
MAX_ANNOTATION_CHARACTERS = 1000
KEPT_CHARACTERS = 300
NOT_IN_A_NAME = re.compile(r"[^\w .:/%&#=+\-@]")
# JSON libraries count on their stack; what lies deeper leaves in documents of its own.
MAX_DEPTH = 40
# What an entity has only if somebody put it there.
BLOCKS = (
    *("http", "annotations", "aws", "sql", "metadata", "cause", "user", "origin", "service"),
    "links",
)
NOT_CLEAN_IN_A_URL = frozenset("?#@; ")

# Times are microseconds, with an exponent as the document has it too: a float's digits take three
# times as long, which would be a third of all the writing. By %, which takes the float itself.
WRITTEN = '"id":"%s","start_time":%dE-6,"end_time":%dE-6,%s%s'
WRITTEN_CHILD = f"{{{WRITTEN}}},"

# A text as JSON, in quotes.
quote = encode_basestring

_encoder = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=make_plain, allow_nan=False
)


def write(entity: Any, *, is_sent: bool = False) -> list[str]:
    """Return an entity with all beneath it as JSON, and apart what lies too deep beneath it.

    is_sent: it is about to be sent, which the entities remember.

    What is open beneath a request that has ended is closed with it if this thread began it, for
    nobody else will; what another thread is at leaves as in progress, and again when it has ended.
    """
    roots, documents = [entity], []
    for root in roots:
        members = _write(root, roots, MAX_DEPTH, is_sent)
        kind = '"type":"subsegment",' if root.type == "subsegment" else ""
        parent_id = root.parent_id
        above = f'"parent_id":{quote(parent_id)},' if parent_id else ""
        documents.append(f'{{{kind}"trace_id":{quote(root.trace_id)},{above}{members}}}')
    return documents


def _write(entity: Any, too_deep: list[Any], depth: int, is_sent: bool) -> str:
    """Return the members of one entity and of what is beneath it, without braces."""
    if is_sent:
        entity.is_sent = True
        if entity.in_progress:
            request = entity.request
            if entity.owner == get_ident() and not request.in_progress and not request.is_async:
                entity.close(request.end_time)
            else:
                entity.is_alone = True
    said = write_name(str(entity.name), entity.namespace) + entity.text
    if entity.in_progress:
        begun = int(entity.start_time * 1e6)
        text = f'"id":"{entity.id}","start_time":{begun}E-6,"in_progress":true,{said}'
    else:
        text = WRITTEN % (entity.id, entity.start_time * 1e6, entity.end_time * 1e6, said, "")
    if entity.notes:
        text += f',"annotations":{{{entity.notes[1:]}}}'
    if not entity.is_plain:
        if entity.fault:
            text += ',"fault":true'
        if entity.error:
            text += ',"error":true'
        if entity.throttle:
            text += ',"throttle":true'
        if entity.has_blocks:
            text += _write_blocks(entity.__dict__)
    beneath = entity.subsegments
    if not beneath:
        return text
    if is_sent and not entity.in_progress:
        # Nobody needs them any more: with what they hold, they would wait for the collector.
        entity.subsegments = []
    if not depth:
        too_deep.extend(beneath)
        return text
    # As it grows: a list, and a comprehension's own frame, would cost each request more.
    text += ',"subsegments":['
    for child in tuple(beneath):
        if child.in_progress or not child.is_plain or child.subsegments:
            text += f"{{{_write(child, too_deep, depth - 1, is_sent)}}},"
        else:
            # The same of what has least to say, and is by far the most.
            if is_sent:
                child.is_sent = True
            text += WRITTEN_CHILD % (
                child.id,
                child.start_time * 1e6,
                child.end_time * 1e6,
                write_name(str(child.name), child.namespace),
                child.text,
            )
    return f"{text[:-1]}]"


def _write_blocks(known: Mapping[str, Any]) -> str:
    """Return the members that somebody put on an entity, after a comma."""
    blocks = {}
    for key in BLOCKS:
        if known.get(key):
            blocks[key] = known[key]
    if "metadata" in blocks:
        # Each by itself: a namespace may be called `session`, and is no secret.
        blocks["metadata"] = {
            str(name): make_plain(values, redact=True)
            for name, values in blocks["metadata"].items()
        }
    return f",{encode(blocks)[1:-1]}" if blocks else ""


def make_document(entity: Any) -> dict[str, Any]:
    """Return the document of a segment or an independent subsegment, with all beneath it."""
    document: dict[str, Any] = json.loads(write(entity)[0])
    return document


def encode(value: Any) -> str:
    """Return a value as JSON; what JSON cannot say becomes text."""
    try:
        return _encoder.encode(value)
    except (ValueError, TypeError, RecursionError):
        return _encoder.encode(make_plain(value))


@lru_cache(maxsize=1024)
def write_name(name: str, namespace: str | None) -> str:
    """Return the members that say a name, and a namespace that X-Ray knows."""
    said = f'"name":{quote(clean_name(name))}'
    return f'{said},"namespace":"{namespace}"' if namespace in ("aws", "remote") else said


def clean_name(name: str) -> str:
    """Return a name that X-Ray takes: its characters, at most 200 of them, at least one."""
    words = redact_text(" ".join(name.split()))
    return NOT_IN_A_NAME.sub("", words)[:MAX_NAME_CHARACTERS] or "unnamed"


def clean_http(key: str, value: Any) -> Any:
    """Return one value of an `http` block without query, credentials or endless text."""
    if not isinstance(value, str):
        return value
    if key == "url":
        if not NOT_CLEAN_IN_A_URL.isdisjoint(value):
            value = redact_url(value)
    elif key == "user_agent":
        value = redact(value)
    return str.__str__(value)[:MAX_HTTP_CHARACTERS]


def clean_sql(sql: Mapping[str, Any]) -> dict[str, Any]:
    """Return an `sql` block without literals and credentials."""
    cleaned = dict(sql)
    if isinstance(cleaned.get("url"), str):
        cleaned["url"] = redact_url(cleaned["url"])
    if isinstance(cleaned.get("sanitized_query"), str):
        vendor = str(cleaned.get("database_type") or "")
        cleaned["sanitized_query"] = sanitise_sql(cleaned["sanitized_query"], vendor=vendor)
    return cleaned


def clean_annotation(key: str, value: Any) -> Any:
    """Return an annotation without secrets, endless text, and numbers that JSON lacks."""
    if is_secret_name(key):
        return REDACTED
    if isinstance(value, str):
        return redact(str.__str__(value))[:MAX_ANNOTATION_CHARACTERS]
    return make_plain(value)


def redact(text: str) -> str:
    """Return a text without secrets; short ones come again and again, and are kept."""
    return redact_short(text) if len(text) <= KEPT_CHARACTERS else redact_text(text)

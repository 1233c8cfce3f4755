"""The summary of a trace, in the shape TraceSummary of the X-Ray API.

https://docs.aws.amazon.com/xray/latest/api/API_TraceSummary.html
"""

import functools
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from .facts import Facts
from .services import Service

# The segment that each document belongs to, by the document's id; None where it is not here.
Owners = dict[str, Facts | None]


def summarise(
    trace_id: str, documents: Collection[Facts], owners: Owners, revision: int
) -> dict[str, Any]:
    """Summarise one trace.

    documents: one or more, all of one trace id, any order, parents optional.
    owners: what `find_owners` says of them.
    Duration runs from the earliest start to the latest end; what is in progress ends at its start.
    ResponseTime, faults and errors are the root's; a throttle counts wherever it is.
    """
    root = find_root(documents)
    start = min(document.start for document in documents)
    summary: dict[str, Any] = {
        "Id": trace_id,
        "StartTime": start,
        "Duration": round(max(document.end for document in documents) - start, 6),
        "ResponseTime": round(root.end - root.start, 6),
        "HasFault": root.has_fault,
        "HasError": root.has_error,
        "HasThrottle": any(document.has_throttle for document in documents),
        "IsPartial": any(document.is_open for document in documents),
        "Http": root.http,
        "Annotations": _collect_annotations(documents, owners),
        "Users": _collect_users(documents, owners),
        "ServiceIds": list(map(_write_service, _list_services(documents))),
        "ResourceARNs": _wrap("ARN", (arn for d in documents for arn in d.resource_arns)),
        "InstanceIds": _wrap("Id", (instance for d in documents for instance in d.instance_ids)),
        "AvailabilityZones": _wrap("Name", (zone for d in documents for zone in d.zones)),
        "Revision": revision,
    }
    if root.is_segment:
        summary["EntryPoint"] = root.service.to_api()
    return summary


def find_root(documents: Collection[Facts]) -> Facts:
    """Return the document that the trace began with, as far as it is known.

    A segment without parent, else one whose parent is not here, else any segment; the earliest of
    them. On Lambda a trace may have subsegments only: then the earliest of those.
    """
    first = [each for each in documents if each.is_segment and each.parent_id is None]
    if len(first) == 1:
        return first[0]
    known = {known_id for document in documents for known_id in document.ids}
    return min(
        first or documents,
        key=lambda document: (
            not document.is_segment,
            document.parent_id is not None,
            document.parent_id in known,
            document.start,
            document.id,  # so that it is the same one in whatever order they arrived
        ),
    )


def _list_services(documents: Collection[Facts]) -> Iterable[Service]:
    """Return each service once: those that made segments, then those known from calls alone."""
    segments = [document for document in documents if document.is_segment]
    answered = {segment.parent_id for segment in segments}
    services = [segment.service for segment in segments]
    for document in documents:
        services += [call.service for call in document.calls if call.id not in answered]
    return dict.fromkeys(services)


def find_owners(documents: Collection[Facts]) -> Owners:
    """Return the segment that each document belongs to, by the document's id.

    A subsegment that came on its own belongs to its segment, if that is here.
    """
    owners: Owners = {document.id: document for document in documents if document.is_segment}
    if len(owners) == len(documents):
        return owners  # as nearly always: nothing came on its own
    holders = {known_id: document for document in documents for known_id in document.ids}
    for document in documents:
        if document.id in owners:
            continue
        above = holders.get(document.parent_id or "")
        if above is not None and above.id in owners:
            owners[document.id] = owners[above.id]
            continue
        path = [document]
        seen = {document.id}
        while not path[-1].is_segment and path[-1].id not in owners:
            parent = holders.get(path[-1].parent_id or "")
            if parent is None or parent.id in seen:
                break
            path.append(parent)
            seen.add(parent.id)
        last = path[-1]
        owner = last if last.is_segment else owners.get(last.id)
        owners.update((step.id, owner) for step in path)
    return owners


def _collect_annotations(
    documents: Collection[Facts], owners: Owners
) -> dict[str, list[dict[str, Any]]]:
    """Return every value of every key, with the services that gave it."""
    found: dict[str, dict[tuple[str, str | float], dict[Service, None]]] = {}
    for document in documents:
        for key, value in document.annotations:
            services = found.setdefault(key, {}).setdefault((_name_type(value), value), {})
            owner = owners[document.id]
            if owner is not None:
                services[owner.service] = None
    return {
        key: [
            {
                "AnnotationValue": {value_type: value},
                "ServiceIds": list(map(_write_service, services)),
            }
            for (value_type, value), services in values.items()
        ]
        for key, values in sorted(found.items())
    }


@functools.lru_cache(1000)  # the same few, many times on a page
def _write_service(service: Service) -> dict[str, Any]:
    return service.to_api()


def _name_type(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "BooleanValue"
    return "StringValue" if isinstance(value, str) else "NumberValue"


def _collect_users(documents: Collection[Facts], owners: Owners) -> list[dict[str, Any]]:
    users: dict[str, dict[Service, None]] = {}
    for document in documents:
        if document.user:
            services = users.setdefault(document.user, {})
            owner = owners[document.id]
            if owner is not None:
                services[owner.service] = None
    return [
        {"UserName": user, "ServiceIds": list(map(_write_service, services))}
        for user, services in users.items()
    ]


def _wrap(key: str, values: Iterator[str]) -> list[dict[str, str]]:
    return [{key: value} for value in dict.fromkeys(values)]

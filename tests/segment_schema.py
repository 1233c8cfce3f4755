"""What X-Ray takes as a segment document, in our own words, as JSON Schema.

Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from typing import Any

from jsonschema import Draft202012Validator

ID = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
TEXT = {"type": "string"}
SHORT = {"type": "string", "maxLength": 250}
FLAG = {"const": True}
TEXTS = {"type": "array", "items": TEXT}


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """Return the schema of an object that has these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


FRAME = _object(("path", "line", "label"), path=TEXT, line={"type": "integer"}, label=TEXT)
EXCEPTION = _object(
    ("id",),
    id=ID,
    message=TEXT,
    type=TEXT,
    remote={"type": "boolean"},
    truncated={"type": "integer"},
    skipped={"type": "integer"},
    cause=ID,
    stack={"type": "array", "items": FRAME},
)
COMMON: dict[str, Any] = {
    "name": {"type": "string", "pattern": r"^[\w .:/%&#=+\-@]{1,200}$"},
    "id": ID,
    "start_time": {"type": "number", "minimum": 0},
    "end_time": {"type": "number", "minimum": 0},
    "in_progress": FLAG,
    "fault": FLAG,
    "error": FLAG,
    "throttle": FLAG,
    "trace_id": {"type": "string", "pattern": "^1-[0-9a-f]{8}-[0-9a-f]{24}$"},
    "parent_id": ID,
    "http": _object(
        request=_object(
            method=SHORT,
            url=SHORT,
            client_ip=SHORT,
            user_agent=SHORT,
            x_forwarded_for={"type": "boolean"},
        ),
        response=_object(
            status={"type": "integer"}, content_length={"type": "integer", "minimum": 0}
        ),
    ),
    "annotations": {
        "type": "object",
        "propertyNames": {"pattern": "^[A-Za-z0-9_]{1,500}$"},
        "additionalProperties": {"type": ["string", "number", "boolean"], "maxLength": 1000},
        "maxProperties": 50,
    },
    # By namespace.
    "metadata": {"type": "object", "additionalProperties": {"type": "object"}},
    "cause": {
        "oneOf": [
            ID,
            _object(
                working_directory=TEXT,
                paths=TEXTS,
                exceptions={"type": "array", "items": EXCEPTION, "minItems": 1},
            ),
        ]
    },
    "subsegments": {"type": "array", "items": {"$ref": "#/$defs/subsegment"}, "minItems": 1},
}
OF_A_SUBSEGMENT: dict[str, Any] = {
    "namespace": {"enum": ["aws", "remote"]},
    "type": {"const": "subsegment"},
    "precursor_ids": TEXTS,
    "sql": _object(
        connection_string=TEXT,
        url=TEXT,
        sanitized_query=TEXT,
        database_type=TEXT,
        database_version=TEXT,
        driver_version=TEXT,
        user=SHORT,
        preparation={"enum": ["call", "statement"]},
    ),
    # What a call of AWS may say is open.
    "aws": {
        "type": "object",
        "properties": dict.fromkeys(
            ("operation", "account_id", "region", "request_id", "queue_url"), TEXT
        )
        | {"table_name": TEXT, "resource_names": TEXTS, "retries": {"type": "integer"}},
    },
}
OF_A_SEGMENT: dict[str, Any] = {
    "user": SHORT,
    "origin": TEXT,
    "resource_arn": TEXT,
    "aws": {"type": "object"},
    "service": {"type": "object", "additionalProperties": TEXT},
}
# One of the two says how far it has come.
STATE = {"oneOf": [{"required": ["end_time"]}, {"required": ["in_progress"]}]}
REQUIRED = ["name", "id", "start_time"]
SCHEMA: dict[str, Any] = {
    "$defs": {
        "subsegment": {
            **STATE,
            "type": "object",
            "required": REQUIRED,
            "properties": COMMON | OF_A_SUBSEGMENT,
            "additionalProperties": False,
        },
        "segment": {
            **STATE,
            "type": "object",
            "required": [*REQUIRED, "trace_id"],
            "properties": COMMON | OF_A_SEGMENT,
            "additionalProperties": False,
        },
    },
    "if": {"required": ["type"]},
    "then": {
        "allOf": [{"$ref": "#/$defs/subsegment"}, {"required": ["trace_id", "parent_id"]}],
    },
    "else": {"$ref": "#/$defs/segment"},
}
_VALIDATOR = Draft202012Validator(SCHEMA)


def find_mistakes(document: dict[str, Any]) -> list[str]:
    """Return what X-Ray would not take of a document, with the place of each."""
    return [
        f"{'/'.join(map(str, mistake.absolute_path))}: {mistake.message[:200]}"
        for mistake in _VALIDATOR.iter_errors(document)
    ]

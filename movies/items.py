"""Films and terms as DynamoDB items, and back.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from .movie import Movie, MovieKey
from .terms import TermRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]


def to_attribute(value: Any) -> AttributeValueTypeDef:
    """Return a text, whole number, list or mapping as DynamoDB spells it."""
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, Mapping):
        return {"M": {name: to_attribute(inner) for name, inner in value.items()}}
    return {"L": [to_attribute(inner) for inner in value]}


def from_attribute(attribute: Mapping[str, Any]) -> Any:
    """Return what DynamoDB spells; None for the kinds that this site never writes."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return value
        case "N":
            return int(value) if value.lstrip("-").isdigit() else float(value)
        case "L":
            return [from_attribute(inner) for inner in value]
        case "M":
            return {name: from_attribute(inner) for name, inner in value.items()}
        case _:
            return None


def to_key(key: MovieKey) -> Item:
    """Return the primary key of a film's item."""
    return {"year": {"N": str(key.year)}, "title": {"S": key.title}}


def to_item(movie: Movie) -> Item:
    """Return the whole item of a film."""
    numbers = {"version": movie.version, "votes": movie.votes, "stars": movie.stars}
    return {
        **to_key(movie.key),
        "info": to_info(movie),
        **{name: to_attribute(number) for name, number in numbers.items()},
    }


def to_info(movie: Movie) -> AttributeValueTypeDef:
    """Return a film's `info` map, without what isn't known."""
    known = {
        "plot": movie.plot,
        "genres": movie.genres,
        "directors": movie.directors,
        "actors": movie.actors,
        "runtime_minutes": movie.runtime_minutes,
        "release_date": movie.release_date and movie.release_date.isoformat(),
        "poster": movie.poster,
    }
    return to_attribute({name: value for name, value in known.items() if value is not None})


def to_movie(item: Mapping[str, Mapping[str, Any]]) -> Movie:
    """Return the film that an item holds; /app's item has less than ours, and that is fine."""
    values = {name: from_attribute(attribute) for name, attribute in item.items()}
    info = values.get("info") or {}
    released = info.get("release_date")
    return Movie(
        key=MovieKey(values["year"], values["title"]),
        plot=info.get("plot", ""),
        genres=tuple(info.get("genres", ())),
        directors=tuple(info.get("directors", ())),
        actors=tuple(info.get("actors", ())),
        runtime_minutes=info.get("runtime_minutes"),
        release_date=date.fromisoformat(released) if released else None,
        poster=info.get("poster"),
        version=values.get("version", 0),
        votes=values.get("votes", 0),
        stars=values.get("stars", 0),
    )


def to_row_item(row: TermRow) -> Item:
    """Return the item of one row of MovieTerms."""
    return {**to_row_key(row), **to_key(row.key), "text": {"S": row.text}}


def to_row_key(row: TermRow) -> Item:
    """Return the primary key of one row of MovieTerms."""
    return {"term": {"S": row.term}, "position": {"S": row.position}}


def to_row(item: Mapping[str, Mapping[str, Any]]) -> TermRow:
    """Return the row that an item of MovieTerms holds."""
    return TermRow(
        term=item["term"]["S"],
        position=item["position"]["S"],
        key=MovieKey(int(item["year"]["N"]), item["title"]["S"]),
        text=item["text"]["S"],
    )

import pytest

from gateway import MalformedEvent
from gateway.fields import from_wsgi_text, read_map, read_text, read_texts, to_wsgi_text


@pytest.mark.parametrize(("read", "empty"), [(read_map, {}), (read_text, "")])
def test_null_and_missing_are_empty(read, empty):
    assert read({"field": None}, "field") == empty
    assert read({}, "field") == empty


@pytest.mark.parametrize(("read", "got"), [(read_map, "list"), (read_text, "list")])
def test_other_types_are_refused_by_name(read, got):
    with pytest.raises(MalformedEvent, match=f"'field' .* got {got}"):
        read({"field": []}, "field")


@pytest.mark.parametrize(
    ("value", "texts"),
    [("one", ["one"]), (["one", None, "two"], ["one", "two"]), ([], []), (None, [])],
)
def test_read_texts(value, texts):
    assert read_texts(value, "X-Name") == texts


@pytest.mark.parametrize("value", [1, {}, [1], ["one", ["two"]]])
def test_read_texts_refuses_other_types(value):
    with pytest.raises(MalformedEvent, match="'X-Name'"):
        read_texts(value, "X-Name")


def test_to_wsgi_text():
    assert to_wsgi_text("/café/€").encode("latin-1").decode() == "/café/€"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("plain", "plain"),
        ("caf\xc3\xa9", "café"),
        ("caf\xe9", "café"),
        ("\u20ac", "€"),
    ],
)
def test_from_wsgi_text(text, meant):
    assert from_wsgi_text(text) == meant

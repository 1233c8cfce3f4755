"""The terms that traces are found by."""

from xray_local.store import terms
from xray_local.store.terms import BLOCK_TRACES, ERA_BLOCKS, block_of, era_of, term_of


def test_values_of_different_types_have_different_terms() -> None:
    values = [None, "1", 1.0, True, "true", "True", 0.0, False, ""]

    assert len({term_of("annotation.k", value) for value in values}) == len(values)
    assert term_of("annotation.k") != term_of("annotation.l")


def test_what_is_equal_has_the_same_term() -> None:
    for value, other in ((1, 1.0), (0.0, -0.0)):
        found = term_of("annotation.k", value)
        # Not from what is remembered: the writer and the readers are processes of their own.
        terms._find_other.cache_clear()

        assert term_of("annotation.k", other) == found


def test_terms_are_apart_from_the_numbers_of_shapes() -> None:
    assert all(term_of("annotation.k", number) < 0 for number in range(1000))


def test_half_a_character_has_a_term() -> None:
    assert term_of("annotation.k", "\ud800") < 0


def test_blocks_and_eras_follow_each_other() -> None:
    blocks = [block_of(number) for number in range(BLOCK_TRACES * 2)]

    assert blocks == [0] * BLOCK_TRACES + [1] * BLOCK_TRACES
    assert (era_of(ERA_BLOCKS - 1), era_of(ERA_BLOCKS)) == (0, 1)

"""What waits to be sent on."""

import threading

from xray_local.forwarding.backlog import Backlog, Waiting


def take_all(backlog: Backlog) -> list[bytes]:
    backlog.close()
    return [each.body for each in backlog.take(1000, 1_000_000, 0)]


def test_in_the_order_of_arrival() -> None:
    backlog = Backlog(100)
    backlog.put([b"1", b"2"])
    backlog.put([b"3"])

    assert len(backlog) == 3
    assert take_all(backlog) == [b"1", b"2", b"3"]


def test_the_oldest_are_dropped() -> None:
    backlog = Backlog(10)
    backlog.put([b"aaaa", b"bbbb", b"cccc"])

    assert backlog.take_dropped() == 1
    assert backlog.take_dropped() == 0
    assert take_all(backlog) == [b"bbbb", b"cccc"]


def test_one_that_never_fits() -> None:
    backlog = Backlog(10)
    backlog.put([b"a", b"b" * 11])

    assert backlog.take_dropped() == 2
    assert take_all(backlog) == []


def test_limits_of_what_is_taken() -> None:
    backlog = Backlog(1000)
    backlog.put([b"a" * 60, b"b" * 60, b"c", b"d", b"e"])

    assert [each.body[:1] for each in backlog.take(2, 100, 0)] == [b"a"]
    assert [each.body[:1] for each in backlog.take(2, 100, 0)] == [b"b", b"c"]
    assert [each.body[:1] for each in backlog.take(2, 100, 0)] == [b"d", b"e"]


def test_larger_than_a_batch() -> None:
    backlog = Backlog(1000)
    backlog.put([b"a" * 200, b"b"])

    assert [len(each.body) for each in backlog.take(50, 100, 0)] == [200]


def test_put_back_at_the_old_places() -> None:
    backlog = Backlog(6)
    backlog.put([b"1", b"2", b"3", b"4"])
    first, second = backlog.take(1, 100, 0), backlog.take(1, 100, 0)
    backlog.put([b"5", b"6", b"7"])

    backlog.put_back(second)
    backlog.put_back(first)

    assert backlog.take_dropped() == 1
    assert take_all(backlog) == [b"2", b"3", b"4", b"5", b"6", b"7"]


def test_who_waits_is_woken() -> None:
    backlog = Backlog(100)
    taken: list[list[Waiting]] = []

    def take() -> None:
        # Longer than any test may last.
        taken.append(backlog.take(2, 100, 600))
        taken.append(backlog.take(2, 100, 600))

    thread = threading.Thread(target=take)
    thread.start()
    backlog.put([b"1"])
    backlog.put([b"2"])
    backlog.close()
    thread.join(10)

    assert [[each.body for each in bodies] for bodies in taken] == [[b"1", b"2"], []]

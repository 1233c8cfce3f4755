"""The flags of a trace or an element."""

from xray_local.console.flags import write_flags


def test_flags() -> None:
    assert write_flags(()) == ""
    assert write_flags(("fault", "in progress")) == (
        '<span class="flag flag-fault">fault</span> '
        '<span class="flag flag-in-progress">in progress</span> '
    )

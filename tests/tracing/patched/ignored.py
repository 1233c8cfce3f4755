"""A module of it that is not to be patched."""


def ignored() -> str:
    return "ignored"

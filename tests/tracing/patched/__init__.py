"""Code of one's own, for PATCH_MODULES."""


def plain() -> str:
    return "plain"

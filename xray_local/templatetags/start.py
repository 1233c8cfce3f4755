"""What the page of the first segment is made of; other pages show the same while they are empty."""

from django import template

from xray_local.console.guides import LOOKING, SENDING, Guide, write_guide

register = template.Library()


@register.simple_tag
def sending_guides(address: str) -> list[Guide]:
    """Return how to send from each kind of program to the address."""
    return [write_guide(guide, address) for guide in SENDING]


@register.simple_tag
def looking_guide(address: str) -> Guide:
    """Return how to ask the address for what has come."""
    return write_guide(LOOKING, address)

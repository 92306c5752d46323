"""Which visitors come from the same network address, so that one address cannot take everything.

A page's name is made by its browser, and a script can make any number of them. Its address is
what it cannot make up.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from gradio.context import LocalContext

_HOME = 64  # leading bits of an IPv6 address that a household has to itself


def group_of(address: str | None) -> str:
    """Visitors with the same group share what one address may have; "" is in no group.

    Args:
        address: as the server was told it. One that is not public may be a proxy, with everybody
            behind it, or this machine: nobody is held back for what the others there do.
    """
    try:
        found = ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if not found.is_global:
        return ""
    if isinstance(found, IPv6Address):
        return str(IPv6Address(int(found) >> (128 - _HOME) << (128 - _HOME)))
    return str(found)


def group_of_request(request: object) -> str:
    """The group of whoever sent a request, of Gradio or Starlette; "" without one."""
    client = getattr(request, "client", None)
    return group_of(getattr(client, "host", None))


def asking() -> str:
    """The group of the visitor whose event is dealt with here; "" outside of events."""
    return group_of_request(LocalContext.request.get(None))


def share_of(whole: int, share: float) -> int:
    """How many of so many things one group may have, 1 at least."""
    return max(1, int(whole * share))

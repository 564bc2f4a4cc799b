"""A proxy that wants a login, met by a client of Python's."""

from __future__ import annotations

import pytest
import requests

from hatch_sign.remote import FailureKind, proxy_login_wanted

from .refusing_proxy import refusing_proxy


@pytest.mark.parametrize(("status", "wanted"), [(407, True), (403, False), (502, False)])
def test_a_login_is_told_from_a_proxy_that_fails(status: int, wanted: bool) -> None:  # noqa: FBT001 - a column of the table
    with refusing_proxy(status) as proxy, pytest.raises(requests.exceptions.ProxyError) as caught:
        requests.get("https://service.invalid/", proxies={"https": proxy.url}, timeout=60)
    failure = proxy_login_wanted(caught.value)
    assert (failure is not None) is wanted
    if failure is not None:
        assert failure.kind is FailureKind.INVALID
        assert "the proxy wants a login" in failure.found

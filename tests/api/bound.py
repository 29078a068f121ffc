"""A client whose tokens are bound to a key, and that proves it with each request (RFC 9449)."""

from collections.abc import Mapping
from typing import Any

import httpx

from tests.api.conftest import ACME, Api
from tests.proofs import KEY, SigningKey, proof


class Bound:
    """A tenant's token that is bound to the key."""

    def __init__(
        self, api: Api, tenant: str = ACME, *, key: SigningKey = KEY, scope: str | None = None
    ) -> None:
        self._api = api
        self._key = key
        self.issued = ask(api, self.proof("POST", "/v1/oauth/token", ath=None), tenant=tenant, scope=scope)
        self.token = str(self.issued.json()["access_token"])

    def proof(self, method: str, path: str, **changes: Any) -> str:
        """A proof of this request, right but for the changes."""
        right = {"key": self._key, "now": self._api.adapters.clock.now().timestamp()}
        token = None if "ath" in changes else self.token
        return proof(method, f"{self._api.base_url}{path}", access_token=token, **{**right, **changes})

    def send(
        self,
        method: str,
        path: str,
        *proofs: str,
        scheme: str = "DPoP",
        headers: Mapping[str, str] | None = None,
        **content: Any,
    ) -> httpx.Response:
        """The answer to this request with the token and these proofs, or else with a good one."""
        given = proofs or (self.proof(method, path.partition("?")[0]),)
        authorization = {"Authorization": f"{scheme} {self.token}"}
        all_headers = [*{**authorization, **(headers or {})}.items(), *(("DPoP", each) for each in given)]
        return self._api.http.request(method, path, headers=all_headers, **content)


def ask(api: Api, *proofs: str, tenant: str = ACME, scope: str | None = None) -> httpx.Response:
    """The token endpoint's answer to these proofs."""
    form = {"grant_type": "client_credentials", **({"scope": scope} if scope is not None else {})}
    headers = [("DPoP", each) for each in proofs]
    return api.http.post("/v1/oauth/token", data=form, auth=api.credentials(tenant), headers=headers)

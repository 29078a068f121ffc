"""Keys of clients, in the forms that they are handed in."""

import json
from typing import Any

from joserfc.jwk import ECKey, RSAKey

EC, EC_OTHER, RSA = ECKey.generate_key("P-256"), ECKey.generate_key("P-256"), RSAKey.generate_key(2048)


def jwk(*keys: Any, **more: Any) -> bytes:
    """The public key as a JWK, or several as a set."""
    documents = [{**key.as_dict(private=False), **more} for key in keys]
    return json.dumps(documents[0] if len(keys) == 1 else {"keys": documents}).encode()

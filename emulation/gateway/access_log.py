"""The access log: one line of JSON a request, under the names of `$context`."""

import json
from typing import TextIO

from emulation.gateway.exchange import Exchange
from emulation.gateway.responses import Refused


def write_line(
    log: TextIO, exchange: Exchange, *, status: int, refused: Refused | None, latency_ms: float
) -> None:
    """Tells what was answered to whom; never a body, a header or the value of a key."""
    key = exchange.caller.key
    line = {
        "requestId": exchange.request_id,
        "requestTimeEpoch": int(exchange.now * 1000),
        "apiId": exchange.deployment.api_id,
        "stage": exchange.stage.name,
        "httpMethod": exchange.request.method,
        "path": exchange.path,
        "resourcePath": exchange.method.resource_path if exchange.route else None,
        "status": status,
        "apiKeyId": key.key_id if key else None,
        "principalId": exchange.authorized.principal_id if exchange.authorized else None,
        "responseType": refused.kind.value.name if refused else None,
        "errorMessage": refused.message if refused else None,
        "validationError": (refused.validation_error or None) if refused else None,
        "responseLatencyMs": round(latency_ms, 3),
    }
    log.write(json.dumps(line) + "\n")
    log.flush()

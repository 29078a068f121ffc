"""The values that mapping expressions stand for in one request."""

from emulation.gateway.exchange import Exchange
from emulation.gateway.proxy_event import request_context
from emulation.gateway.references import Location, Source
from emulation.gateway.templates import look_up


def values_of(source: Source, exchange: Exchange) -> tuple[str, ...]:
    """What the source stands for: nothing if the request has none such, or an empty one."""
    match source.location:
        case Location.LITERAL:
            values = [source.name]
        case Location.VARIABLE:
            known = {"context": request_context(exchange), "stageVariables": exchange.stage.variables}
            values = [look_up(source.name, known)]
        case Location.MULTI_VALUE_QUERYSTRING:
            values = exchange.query.get(source.name, [])
        case Location.MULTI_VALUE_HEADER:
            wanted = source.name.lower()
            values = [value for name, value in exchange.request.headers if name.lower() == wanted]
        case _:
            values = [exchange.parameter(source.location.value, source.name) or ""]
    return tuple(value for value in values if value)


def value_of(source: Source, exchange: Exchange) -> str | None:
    """The last of its values, as of every repeated header or parameter that stands for one value."""
    return next(reversed(values_of(source, exchange)), None)

"""OpenWiFi's answers to what it does not accept (owprov, framework/ow_constants.h: numbers and words)."""

from enum import Enum

from starlette.responses import JSONResponse


class Wrong(Enum):
    """A reason for HTTP 400: OpenWiFi's number and text."""

    JSON = 1003, "Invalid JSON document."
    NAME = 1007, "The name property must be set."
    DEVICE_TYPE = 1010, "Unknown or invalid device type(s)."
    SERIAL = 1020, "Invalid Serial Number."
    EXISTS = 1021, "Serial Number already exists."
    MISMATCH = 1030, "Serial Number mismatch."
    DEVICE_CLASS = 1058, "Invalid device class. Must be: any, venue, entity, or subscriber"


def bad_request(method: str, wrong: Wrong) -> JSONResponse:
    """Return the answer to a request that is refused."""
    number, text = wrong.value
    return _error(400, number, method, text)


def not_found(method: str) -> JSONResponse:
    """Return the answer when there is no such device."""
    return _error(404, 404, method, "This resource does not exist.")


def forbidden(method: str) -> JSONResponse:
    """Return the answer to a caller without a valid X-API-KEY: OpenWiFi says 403, not 401."""
    return _error(403, 1051, method, "Missing authentication information.")


def _error(status: int, number: int, method: str, text: str) -> JSONResponse:
    return JSONResponse({"ErrorCode": number, "ErrorDetails": method, "ErrorDescription": text}, status)

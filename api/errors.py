"""Errors as HTTP says them: the same code, message and remedy as in the command line."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from engine.errors import TurnupError


def answer(error: TurnupError) -> JSONResponse:
    """`{"error": {"code", "message", "remedy"}}` with the error's own status."""
    return JSONResponse({"error": {"code": error.code, "message": error.message, "remedy": error.hint}}, status_code=error.http_status)


def handle_errors(app: FastAPI) -> None:
    """Let every endpoint of `app` answer with `answer` when it raises a TurnupError."""

    @app.exception_handler(TurnupError)
    async def handle(_: Request, error: TurnupError) -> JSONResponse:
        return answer(error)

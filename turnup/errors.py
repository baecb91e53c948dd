"""Errors of the program itself, beside those of engine.errors."""

from __future__ import annotations

from engine.errors import TurnupError


class LabNotReady(TurnupError):
    """The embedded lab, or a part of it, did not start or end."""

    code = "LAB_NOT_READY"
    remedy = "`turnup lab status` says which part, and its log says why; `turnup lab down`, then `turnup lab up` starts all of it afresh."

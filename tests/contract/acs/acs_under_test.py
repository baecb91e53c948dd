"""Both interfaces of the ACS that is tested."""

from dataclasses import dataclass

import httpx

from lab.credentials import Login


@dataclass(frozen=True)
class AcsUnderTest:
    """Both of its interfaces."""

    northbound: httpx.Client
    cwmp: str
    cwmp_login: Login

"""A NetBox to talk to: the stand-in as 4.6 (with either kind of token) and as 4.4, or a real one when NETBOX_URL and NETBOX_TOKEN are set.

On a real one the tests make objects of their own, under names that nobody else has, and take them away again.
"""

import json
import os
from collections.abc import Iterator

import pytest
from netbox_world import World

from lab.credentials import credentials
from lab.standin import running

REAL = "NETBOX_URL" in os.environ
FLAVOURS = ["real"] if REAL else ["4.6 token v2", "4.6 token v1", "4.4"]


@pytest.fixture(scope="module", params=FLAVOURS)
def netbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    if REAL:
        world = World(os.environ["NETBOX_URL"].rstrip("/"), os.environ["NETBOX_TOKEN"], stand_in=False)
        yield world
        world.clean()
        return
    lab = tmp_path_factory.mktemp("lab")
    (lab / "netbox").mkdir()
    (lab / "netbox" / "options.json").write_text(json.dumps({"version": request.param[:3]}))
    known = credentials(lab)
    with running("netbox", "netbox", lab / "netbox") as endpoint:
        assert endpoint.url is not None
        world = World(endpoint.url, known.netbox_token_v2 if request.param.endswith("v2") else known.netbox_token, stand_in=True)
        yield world
        world.clean()

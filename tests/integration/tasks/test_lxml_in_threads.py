"""Transactions side by side parse side by side: no name of one gets lost by the other, and the process lives."""

from __future__ import annotations

import subprocess
import sys

# in a process of its own: without what is tested here it dies within a second
_PARSING = """
import sys
from random import Random
from lxml import etree
from ncclient.xml_ import to_ele
from nornir.core import Nornir
from nornir.core.inventory import Defaults, Groups, Host, Hosts, Inventory
from tasks.runner import DeadlineRunner

NC, ROUNDS, DOCUMENTS = "urn:ietf:params:xml:ns:netconf:base:1.0", 60, 20
sys.setswitchinterval(1e-4)
hosts = {f"olt-{number}": Host(f"olt-{number}") for number in range(8)}
nornir = Nornir(Inventory(Hosts(hosts), Groups(), Defaults()), runner=DeadlineRunner(num_workers=8))

def document(names):
    inside = "".join(f'<{n}:{n} xmlns:{n}="urn:{n}"><{n}:of-{n}>1</{n}:of-{n}></{n}:{n}>' for n in names)
    return f'<nc:rpc-reply xmlns:nc="{NC}"><nc:data>{inside}</nc:data></nc:rpc-reply>'

def parse(task, seed):
    random = Random(f"{task.host.name} {seed}")
    to_ele("<first/>")
    for _ in range(DOCUMENTS):
        names = [f"n{random.randrange(10**9)}" for _ in range(60)]
        reply = etree.fromstring(document(names).encode(), etree.XMLParser())
        assert reply.tag == f"{{{NC}}}rpc-reply", reply.tag
        assert [child.tag for child in reply[0]] == [f"{{urn:{name}}}{name}" for name in names]

for round in range(ROUNDS):
    for host, result in nornir.run(parse, seed=round).items():
        if result.exception:
            raise result.exception
print("all as sent")
"""


def test_threads_that_parse_at_the_same_time_do_not_share_their_names() -> None:
    done = subprocess.run([sys.executable, "-c", _PARSING], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "all as sent\n"), done.stderr[-2000:]

"""As much of curl as the documents use, for machines without it: curl [-s] [-X METHOD] [-H HEADER] [-d BODY] URL."""

from __future__ import annotations

import argparse
import sys

import httpx

parser = argparse.ArgumentParser(prog="curl")
parser.add_argument("-s", action="store_true")
parser.add_argument("-X", dest="method")
parser.add_argument("-H", dest="headers", action="append", default=[])
parser.add_argument("-d", dest="body")
parser.add_argument("url")
options = parser.parse_args()
with httpx.Client(trust_env=False, timeout=30) as client:
    answer = client.request(
        options.method or ("POST" if options.body else "GET"),
        options.url,
        headers=dict(header.split(": ", 1) for header in options.headers),
        content=options.body,
    )
sys.stdout.write(answer.text)

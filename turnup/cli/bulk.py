"""`turnup run` and `turnup submit` of a file with many orders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from turnup.cli.session import Session

if TYPE_CHECKING:
    from turnup.bulk.running import BulkDocument
    from turnup.settings import Settings


def many(session: Session, file: Path, settings: Settings, *, follow: bool) -> int:
    """Submit a bulk file, follow its orders if so wanted, and show the result. Returns the exit code."""
    from turnup.bulk.running import Bulk
    from turnup.screen.bulk import BulkScreen

    output, screen = session.output, BulkScreen(session.output.progress)
    bulk = Bulk(session.wiring(settings), file, screen)
    try:
        with screen:
            document = bulk.run() if follow else bulk.submit()
    except KeyboardInterrupt:
        again = f"the same `turnup run {file}` again"
        output.note(f"interrupted: the orders that were accepted stay; {again} accepts the rest and follows all of them,")
        output.note("`turnup worker` goes on without following, `turnup orders --follow` shows what changes")
        return 130
    output.document(document)
    _result(session, document)
    return document.exit_code


def _result(session: Session, document: BulkDocument) -> None:
    if session.output.as_json:
        return
    from turnup.screen.bulk import result
    from turnup.working import sentence

    session.output.show(*result(document))
    if document.worker and document.orders:
        session.output.show(f"{sentence(document.worker)}; `turnup orders --follow` shows what changes")

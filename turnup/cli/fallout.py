"""`turnup fallout`: what stands still and needs a person. Neither NetBox, nor a device, nor the lab is needed to see it or to answer."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import AnswerNotPossible
from turnup.cli.options import Json, pair
from turnup.cli.session import Session, begin

if TYPE_CHECKING:
    from engine.documents import CaseView
    from engine.fallout.case import Case
    from engine.fallout.desk import Desk

app = typer.Typer(no_args_is_help=True, help="What stands still and needs a person: list the cases, look at one, take it, answer it.")


def case_ids(incomplete: str) -> list[str]:
    """For shell completion: the cases that nobody has answered."""
    from engine.errors import TurnupError
    from engine.fallout.views import listed
    from engine.store.cases import Filter
    from turnup.settings import load
    from turnup.wiring import Wiring

    try:
        found = listed(Wiring(load()).store, Filter())
    except TurnupError:
        return []
    return [case.id for case in found if case.id.startswith(incomplete)]


CaseId = Annotated[str, typer.Argument(metavar="ID", help="Case, e.g. FC-00001.", autocompletion=case_ids, show_default=False)]
Person = Annotated[
    str | None,
    typer.Option("--as", metavar="NAME", envvar="TURNUP_PERSON", help="Who you are (default: your login name).", show_default=False),
]
With = Annotated[
    list[str] | None, typer.Option("--with", metavar="NAME=VALUE", help="A value for the answer; may be given again.", show_default=False)
]
Queue = Annotated[
    str | None, typer.Option("--queue", metavar="Q", help="Only cases of this queue, e.g. network-planning.", show_default=False)
]
Mine = Annotated[bool, typer.Option("--mine", help="Only cases that you have taken.")]
Assignee = Annotated[
    str | None, typer.Option("--assignee", metavar="NAME", help="Only cases that this person has taken.", show_default=False)
]
Type = Annotated[
    str | None, typer.Option("--type", metavar="T", help="Only cases of this class of error, e.g. exhausted.", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="Also those that were answered or went on by themselves.")]
Over = Annotated[bool, typer.Option("--over", help="Also when somebody else is at it.")]


@app.command("list")
def list_(
    context: typer.Context,
    queue: Queue = None,
    mine: Mine = False,
    assignee: Assignee = None,
    person: Person = None,
    type_: Type = None,
    everything: All = False,
    as_json: Json = False,
) -> int:
    """List the cases: why it stands still, since when, who must act by when, what they may answer.

    Examples:

      turnup fallout list

      turnup fallout list --queue network-planning

      turnup fallout list --mine --all
    """
    session = begin(context, as_json=as_json)
    from engine.fallout.views import listed
    from engine.store.cases import Filter

    whose = _name(person) if mine else assignee
    found = listed(session.wiring().store, Filter(queue=queue, assignee=whose, type=type_, also_ended=everything))
    session.output.document({"cases": [case.model_dump(mode="json", by_alias=True) for case in found]})
    if not as_json:
        from turnup.screen import cases

        session.output.show(cases.table(found) if found else "nothing stands still" if not everything else "no cases")
    return 0


@app.command()
def show(context: typer.Context, case: CaseId, as_json: Json = False) -> int:
    """Show a case: what happened, what was tried before, what may be answered.

    Example:

      turnup fallout show FC-00001
    """
    session = begin(context, as_json=as_json)
    from engine.fallout.views import file_of

    found = file_of(session.wiring().store, case)
    earlier = [each.model_dump(mode="json", by_alias=True) for each in found.earlier]
    session.output.document({"case": found.case.model_dump(mode="json", by_alias=True), "earlier": earlier})
    if not as_json:
        from turnup.screen import cases

        session.output.show(*cases.whole(found))
    return 0


@app.command()
def take(context: typer.Context, case: CaseId, person: Person = None, over: Over = False, as_json: Json = False) -> int:
    """Say that you are at it: nobody else answers it meanwhile.

    Examples:

      turnup fallout take FC-00001

      turnup fallout take FC-00001 --as jane --over
    """
    session, name = begin(context, as_json=as_json), _name(person)
    return _changed(session, lambda desk: desk.take(case, name, over=over), f"{case} is yours, {name}")


@app.command()
def note(
    context: typer.Context,
    case: CaseId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is to be kept with the case.")],
    person: Person = None,
    as_json: Json = False,
) -> int:
    """Write something down on a case, for whoever looks at it next.

    Example:

      turnup fallout note FC-00001 "line card ordered, arrives on Thursday"
    """
    session, name = begin(context, as_json=as_json), _name(person)
    return _changed(session, lambda desk: desk.note(case, name, text), f"noted on {case}")


@app.command()
def answer(
    context: typer.Context,
    case: CaseId,
    answer: Annotated[str, typer.Argument(metavar="ANSWER", help="retry, done, skip, undo or cancel: what the case allows.")],
    values: With = None,
    person: Person = None,
    as_json: Json = False,
) -> int:
    """Answer a case, once. The order goes on as the answer says, as soon as somebody works the lanes.

    retry: do it again, also with the one resource that is to be used.
    done: it was done by hand; that is looked at on the device and in NetBox
    before it is believed. skip: go on without it.

    Examples:

      turnup fallout answer FC-00001 retry

      turnup fallout answer FC-00001 retry --with port=OLT-EAST-07:LC3/P14

      turnup fallout answer FC-00001 done --as jane
    """
    session, name = begin(context, as_json=as_json), _name(person)
    from engine.fallout.case import Answer

    try:
        wanted = Answer(answer)
    except ValueError:
        raise AnswerNotPossible(f"{answer!r} is no answer; there are {', '.join(Answer)}") from None
    given = dict(_pair(text) for text in values or ())
    return _changed(session, lambda desk: desk.answer(case, wanted, name, given), f"{case} is answered: {wanted}, by {name}", goes_on=True)


def _changed(session: Session, work: Callable[[Desk], Case], said: str, *, goes_on: bool = False) -> int:
    """Do it and say so. `goes_on`: and who will go on with the order."""
    from engine.fallout.desk import Desk
    from engine.fallout.views import view

    wiring = session.wiring()
    found: CaseView = view(work(Desk(wiring.store)), wiring.clock.now())
    document = {"case": found.model_dump(mode="json", by_alias=True)}
    if goes_on:
        from turnup.working import who_works

        document["worker"], told = who_works(wiring)
        said = f"{said}\n{told}; `turnup show {found.root}` shows what comes of it"
    session.output.document(document)
    session.output.show(said)
    return 0


def _name(person: str | None) -> str:
    return person or getpass.getuser()


def _pair(text: str) -> tuple[str, str]:
    if (found := pair(text)) is None:
        raise AnswerNotPossible(f"{text!r} is no value: write NAME=VALUE, e.g. port=OLT-EAST-07:LC3/P14")
    return found

"""The part of a configuration that has to be validated after a change, so that validating does not cost the whole device.

A unit's validity depends on itself and on the units that its values name: every leafref, must and when of the modules in lab/yang
stays within its unit, looks up units by a key that is a value of the unit (`/if:interfaces/if:interface[if:name=current()]`), or
looks at what containers hold besides units. None searches for, counts or compares units in any other way, and none of the
outermost lists limits or relates its entries (unique, min-elements, max-elements). A test reads all these statements out of the
modules and fails when one is of another form.

So after a change the units to check are those changed and those that name one which was changed, added or removed. What they name
has to be there too, for libyang to find, and so on: the slice is closed under naming. A name is any value equal to a unit's key,
of whatever list: too many units are no harm.
"""

from collections.abc import Iterable

from lab.netconf.units import Candidate, Unit, UnitId


def to_validate(candidate: Candidate) -> list[Unit]:
    """Return the units that together are valid exactly if the candidate is, provided that running is."""
    slice_: dict[UnitId, Unit] = {}
    waiting = list(_touched(candidate))
    while waiting:
        unit = waiting.pop()
        if unit.id not in slice_:
            slice_[unit.id] = unit
            waiting += (named for value in unit.values for named in candidate.named(value))
    return list(slice_.values())


def _touched(candidate: Candidate) -> Iterable[Unit]:
    yield from candidate.named("")  # what containers hold besides units is little, and always looked at
    for changed, new in candidate.changes.items():
        if new is not None:
            yield new
        yield from candidate.mentioning(changed.key)

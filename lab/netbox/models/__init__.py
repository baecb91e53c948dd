"""The models that are played: one entry each. Taken from NetBox' documentation of the model and from its answers."""

from lab.netbox.models.addressing import ADDRESSING
from lab.netbox.models.customisation import CUSTOMISATION
from lab.netbox.models.devices import DEVICES
from lab.netbox.models.organisation import ADMINISTRATION, ORGANISATION

MODELS = (*ORGANISATION, *DEVICES, *ADDRESSING, *CUSTOMISATION, *ADMINISTRATION)
"""All of them, in no particular order."""

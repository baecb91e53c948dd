"""Puts the rooms together, each part when it is first asked for: showing an order needs neither NetBox nor a lab."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

from engine.errors import SettingsInvalid
from engine.store.database import Database
from engine.store.migrate import migrate
from engine.store.store import Store
from engine.vault import Vault
from turnup.records import StoredRecords
from turnup.settings import Settings

if TYPE_CHECKING:  # slow to load, and not needed by commands that only show
    from nornir.core import Nornir

    from engine.batch import WorkerSettings, Workplace
    from engine.catalogue.catalogue import Catalogue
    from engine.ports import Clock
    from inventory.adapter import NetBoxResources
    from lab.control import Lab
    from tasks.targets import NornirTargets

POLL_IN_LAB = 0.25
"""Real seconds between two looks in the embedded lab, where a minute is a tenth of a second."""


class Wiring:
    """The parts of the program, for these settings. Not for several threads at once; what it gives is."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is opened or started yet."""
        self.settings = settings
        self._opened = ExitStack()

    # -- what is ours --------------------------------------------------------------------------------------------------
    @cached_property
    def clock(self) -> Clock:
        """The lab's clock when it is used, else the machine's."""
        from turnup.clock import EmbeddedClock, SystemClock

        return EmbeddedClock(self.settings.lab_folder) if self.settings.embedded else SystemClock()

    @cached_property
    def store(self) -> Store:
        """The store, in the shape that this version needs. Raises StoreError, SettingsInvalid."""
        database = Database(self.settings.database)
        self._opened.callback(database.close)
        migrate(database)
        return Store(database, Vault.from_file(self.settings.key_file), self.clock)

    @cached_property
    def records(self) -> StoredRecords:
        """What it takes to show orders."""
        return StoredRecords(self.store)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue that new orders get. Raises CatalogueInvalid."""
        from engine.catalogue.loader import load

        return load(self.settings.catalogue, self.settings.templates)

    # -- what is outside -----------------------------------------------------------------------------------------------
    @cached_property
    def lab(self) -> Lab | None:
        """The embedded lab, up and seeded; None when the settings name real devices. Raises LabNotReady."""
        if not self.settings.embedded:
            return None
        from turnup.embedded import bring_up
        from turnup.seeding import seed_lab

        lab = bring_up(self.settings)
        seed_lab(self.settings, lab)
        return lab

    @property
    def netbox(self) -> tuple[str, str]:
        """URL and token of NetBox. Raises SettingsInvalid."""
        settings = self.settings.netbox
        if settings.url is None:
            if self.lab is None:
                raise SettingsInvalid("neither a NetBox (TURNUP_NETBOX__URL) nor the embedded lab is to be used")
            return self.lab.endpoints["netbox"].url or "", self.lab.credentials.netbox_token
        if settings.token is None:
            raise SettingsInvalid(f"there is no token for the NetBox at {settings.url}: set TURNUP_NETBOX__TOKEN")
        return settings.url, settings.token.get_secret_value()

    @cached_property
    def inventory(self) -> NetBoxResources:
        """NetBox, where resources are given out."""
        from inventory.adapter import NetBoxResources
        from inventory.session import Patience

        url, token = self.netbox
        settings = self.settings.netbox
        patience = Patience(read=settings.timeout)
        found = NetBoxResources(url, token, patience=patience, ca_file=settings.ca_file, insecure=settings.insecure)
        self._opened.callback(found.close)
        return found

    @cached_property
    def nornir(self) -> Nornir:
        """All targets as Nornir hosts. Raises InventoryError."""
        from turnup.hosts import nornir

        return nornir(self.settings, self.netbox, self.lab)

    @cached_property
    def targets(self) -> NornirTargets:
        """Devices and systems. Raises InventoryError."""
        from tasks.targets import NornirTargets

        found = NornirTargets(self.nornir)
        self._opened.callback(found.close)
        return found

    @property
    def webhook_secret(self) -> str | None:
        """With which the carrier signs; None: no webhooks, delivery is found by looking."""
        if self.settings.webhook.secret is not None:
            return self.settings.webhook.secret.get_secret_value()
        return self.lab.credentials.logistics_webhook_secret if self.lab else None

    def tell_callback(self, url: str) -> None:
        """Let the carrier call this URL when a parcel is delivered."""
        from turnup.hosts import tell_callback

        tell_callback(self.nornir, url)

    @cached_property
    def workplace(self) -> Workplace:
        """All that carrying out a step needs."""
        from engine.batch import Workplace

        return Workplace(self.store, self.inventory, self.targets, self.worker_settings)

    @property
    def worker_settings(self) -> WorkerSettings:
        """How the lanes are worked."""
        from engine.batch import WorkerSettings

        poll = POLL_IN_LAB if self.settings.embedded else None
        settings = self.settings
        quarantine, drift = settings.quarantine.by_kind, settings.drift
        return WorkerSettings(**settings.worker.model_dump(), quarantine=quarantine, drift=drift, poll_at_most=poll)

    def close(self) -> None:
        """Close what was opened. The lab goes on."""
        self._opened.close()

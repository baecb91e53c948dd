"""One tree of errors. Every error has a stable code, an error class for the failure policy, and says what to do next.

    TurnupError
    ├── BadInput                    exit 2, HTTP 400   nothing was accepted, nothing is left behind
    │   ├── PlaybookInvalid         PLAYBOOK_INVALID
    │   ├── CatalogueInvalid        CATALOGUE_INVALID
    │   ├── UnknownSpecification    UNKNOWN_SPECIFICATION
    │   ├── CharacteristicInvalid   CHARACTERISTIC_INVALID
    │   ├── SettingsInvalid         SETTINGS_INVALID
    │   ├── UnknownOrder            UNKNOWN_ORDER          HTTP 404
    │   ├── UnknownCase             UNKNOWN_CASE           HTTP 404
    │   ├── AnswerNotPossible       ANSWER_NOT_POSSIBLE    a fallout case cannot be answered so
    │   ├── UnknownSubject          UNKNOWN_SUBJECT        HTTP 404
    │   └── UnknownInstance         UNKNOWN_INSTANCE       HTTP 404: no such product or service
    ├── Conflict                    exit 2, HTTP 409
    │   ├── DuplicateOrder          DUPLICATE_ORDER        same external id, another body
    │   ├── InstanceEnded           INSTANCE_ENDED         the product or service exists no more
    │   ├── SubscriptionBusy        SUBSCRIPTION_BUSY      another order changes the same product or service
    │   ├── OrderEnded              ORDER_ENDED            it cannot be cancelled any more
    │   ├── CancelDenied            CANCEL_DENIED          an item is past its point of no return
    │   ├── AmendDenied             AMEND_DENIED           what is to be changed has begun
    │   ├── UndoImpossible          UNDO_IMPOSSIBLE        it cannot be taken back exactly
    │   ├── IllegalTransition       ILLEGAL_TRANSITION     a state machine forbids it
    │   ├── NothingHeld             NOTHING_HELD           nothing of the order stands still
    │   ├── WorkerRunning           WORKER_RUNNING         another process works the lanes of this store
    │   ├── CaseAnswered            CASE_ANSWERED          a fallout case takes one answer
    │   ├── CaseClosed              CASE_CLOSED            it went on, or was cancelled, without an answer
    │   ├── CaseTaken               CASE_TAKEN             somebody else is at it
    │   ├── CaseChanged             CASE_CHANGED           somebody changed it since it was read
    │   └── ChangeConflict          CHANGE_CONFLICT        another service holds another value of the same node
    ├── InventoryError
    │   ├── InventoryUnreachable    INVENTORY_UNREACHABLE  transient
    │   ├── InventoryDenied         INVENTORY_DENIED       token refused
    │   ├── InventoryRefused        INVENTORY_REFUSED      NetBox said no and means it
    │   ├── InventoryIncomplete     INVENTORY_INCOMPLETE   a pool, site or field that the catalogue names is not there
    │   ├── ResourceExhausted       RESOURCE_EXHAUSTED     nothing is left of what an item asks for
    │   └── ResourceNotFree         RESOURCE_NOT_FREE      the one that somebody asked for is taken, or not there
    ├── TargetError
    │   ├── TargetUnknown           TARGET_UNKNOWN         no such host in the inventory or the settings
    │   ├── TargetUnreachable       TARGET_UNREACHABLE     transient
    │   ├── TargetDenied            TARGET_DENIED          credentials refused
    │   ├── HostKeyUnknown          HOST_KEY_UNKNOWN       the device's host key or certificate is not the known one
    │   ├── TargetLocked            TARGET_LOCKED          transient: another session holds the lock
    │   ├── TargetRefused           TARGET_REFUSED         the device's own message
    │   ├── TargetTimeout           TARGET_TIMEOUT         transient: no answer before the deadline
    │   ├── TargetLost              TARGET_LOST            transient: session lost; what became of the transaction is known
    │   ├── CheckFailed             CHECK_FAILED           pushed, looked at, not as it should be; taken back
    │   ├── NotAsSaid               NOT_AS_SAID            said to be done by hand; the target does not hold it
    │   ├── DriftFound              DRIFT_FOUND            somebody else changed what is ours; nothing was sent
    │   └── Overdue                 OVERDUE                what is waited for has not happened in the time that the catalogue gives it
    ├── TemplateFailed              TEMPLATE_FAILED        undefined variable, bad syntax, not well-formed output
    ├── ChecksumMismatch            CHECKSUM_MISMATCH      what would be sent is not what was shown
    ├── ForgedCallback              FORGED_CALLBACK        HTTP 401
    ├── LeaseLost                   LEASE_LOST             a newer owner works this lane
    ├── StepCrashed                 STEP_CRASHED           its worker died again and again while it did this step
    └── StoreError                  STORE_ERROR
        ├── StoreUnreachable        STORE_UNREACHABLE      transient: the database is gone, or ended the transaction
        └── StoreFull               STORE_FULL             no space left for the database

The table in docs/errors.md is made from this module.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class ErrorClass(StrEnum):
    """What the failure policy decides on (catalog/failure-policy.yaml)."""

    INPUT = "input"
    EXHAUSTED = "exhausted"
    UNREACHABLE = "unreachable"
    LOCKED = "locked"
    DENIED = "denied"
    REFUSED = "refused"
    CHECK = "check"
    OVERDUE = "overdue"
    TEMPLATE = "template"
    INTERNAL = "internal"


class TurnupError(Exception):
    """Base of all errors. `str(error)` is the message; `remedy` says what to do next."""

    code: ClassVar[str] = "INTERNAL"
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    error_class: ClassVar[ErrorClass] = ErrorClass.INTERNAL
    may_retry: ClassVar[bool] = False
    remedy: ClassVar[str] = "This is a fault of the program: keep the output and report it."

    def __init__(self, message: str, *, target: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.target = target
        self.hint = remedy or self.remedy


class BadInput(TurnupError):
    """What was given cannot be used. Nothing was accepted and nothing is left behind."""

    code = "BAD_INPUT"
    http_status = 400
    exit_code = 2
    error_class = ErrorClass.INPUT
    remedy = "Correct the input and try again."


class PlaybookInvalid(BadInput):
    """The order playbook is not YAML, has unknown fields or wrong types."""

    code = "PLAYBOOK_INVALID"
    remedy = "Correct the playbook; docs/playbooks.md lists every field."


class CatalogueInvalid(BadInput):
    """The catalogue has problems; each names its file and line."""

    code = "CATALOGUE_INVALID"
    remedy = "Run `turnup catalog check` and correct what it lists."


class UnknownSpecification(BadInput):
    """An offering or specification that the catalogue does not have."""

    code = "UNKNOWN_SPECIFICATION"
    remedy = "Use one of the names listed, or add it under catalog/."


class CharacteristicInvalid(BadInput):
    """A characteristic is missing, unknown or has an illegal value."""

    code = "CHARACTERISTIC_INVALID"
    remedy = "Give one of the values listed."


class SettingsInvalid(BadInput):
    """A setting is missing or wrong."""

    code = "SETTINGS_INVALID"
    remedy = "Correct the settings; docs/operating.md lists them."


class UnknownOrder(BadInput):
    """No order has this id."""

    code = "UNKNOWN_ORDER"
    http_status = 404
    remedy = "`turnup orders` lists the orders."


class UnknownCase(BadInput):
    """No fallout case has this id."""

    code = "UNKNOWN_CASE"
    http_status = 404
    remedy = "`turnup fallout list` lists the open cases, with `--all` all of them."


class AnswerNotPossible(BadInput):
    """A fallout case cannot be answered so; the message says what is possible."""

    code = "ANSWER_NOT_POSSIBLE"
    remedy = "Give one of the answers that `turnup fallout show` lists."


class UnknownSubject(BadInput):
    """Neither a target nor a service of this name has configuration of ours."""

    code = "UNKNOWN_SUBJECT"
    http_status = 404
    remedy = "`turnup check --all` names the targets, `turnup show ORDER` the services of an order."


class UnknownInstance(BadInput):
    """No product or service has this id."""

    code = "UNKNOWN_INSTANCE"
    http_status = 404
    remedy = "`turnup services` lists what customers have."


class Conflict(TurnupError):
    """It contradicts what is already there."""

    code = "CONFLICT"
    http_status = 409
    exit_code = 2
    error_class = ErrorClass.INPUT


class DuplicateOrder(Conflict):
    """The external id is taken by an order with another body."""

    code = "DUPLICATE_ORDER"
    remedy = "Give the changed order an externalId of its own, or submit the original unchanged."


class InstanceEnded(Conflict):
    """The product or service that is to be changed was terminated, or its order was taken back."""

    code = "INSTANCE_ENDED"
    remedy = "Order it anew with `action: add`."


class SubscriptionBusy(Conflict):
    """An order that changes the same product or service has not ended, and its offering lets no other wait for that."""

    code = "SUBSCRIPTION_BUSY"
    remedy = "Order again when that one has ended, or cancel it."


class OrderEnded(Conflict):
    """An order that has ended stays as it ended."""

    code = "ORDER_ENDED"
    remedy = "`turnup undo ID` takes back what it did, by an order of its own."


class CancelDenied(Conflict):
    """An item of the order is past its point of no return, and its catalogue entry lets nobody recall it. The order goes on."""

    code = "CANCEL_DENIED"
    remedy = "Wait until the order has ended and end the service (`action: delete`), or take it back with `turnup undo ID`."


class AmendDenied(Conflict):
    """What is to be changed of an order has begun, or would need another plan. The order goes on as it is."""

    code = "AMEND_DENIED"
    remedy = "Wait until the order has ended and order the change (`action: modify`), or cancel it and order anew."


class UndoImpossible(Conflict):
    """What the order did cannot be taken back exactly."""

    code = "UNDO_IMPOSSIBLE"
    remedy = "Order what is to be, with a playbook."


class IllegalTransition(Conflict):
    """The TM Forum state machine does not allow this step."""

    code = "ILLEGAL_TRANSITION"
    remedy = "Look at the order's state with `turnup show`."


class NothingHeld(Conflict):
    """Nothing of the order stands still, so that there is nothing to take up again."""

    code = "NOTHING_HELD"
    remedy = "`turnup show ID` says what it is doing and what it waits for."


class WorkerRunning(Conflict):
    """Another process works the lanes of this store."""

    code = "WORKER_RUNNING"
    remedy = "Use `turnup submit` and follow with `turnup show`, or stop the other process."


class CaseAnswered(Conflict):
    """A fallout case takes one answer, and it has one. The message says whose."""

    code = "CASE_ANSWERED"
    remedy = "Look at what came of it with `turnup show`: when the order stands still again, that is a new case."


class CaseClosed(Conflict):
    """The step of this fallout case went on, or was cancelled, without an answer."""

    code = "CASE_CLOSED"
    remedy = "Nothing to do; `turnup show` says where the order stands."


class CaseTaken(Conflict):
    """Somebody else is at this fallout case."""

    code = "CASE_TAKEN"
    remedy = "Ask them, or take it over with `turnup fallout take ID --over`."


class CaseChanged(Conflict):
    """Somebody else changed the fallout case since it was read."""

    code = "CASE_CHANGED"
    remedy = "Look at it again with `turnup fallout show`."


class ChangeConflict(Conflict):
    """Two services want different values of the same node of one device."""

    code = "CHANGE_CONFLICT"
    exit_code = 1
    error_class = ErrorClass.REFUSED
    remedy = "Make the templates agree, or move what is shared to a fragment of its own."


class InventoryError(TurnupError):
    """NetBox."""

    code = "INVENTORY_ERROR"
    http_status = 502
    error_class = ErrorClass.REFUSED


class InventoryUnreachable(InventoryError):
    """No connection, no answer in time, or a server failure (5xx)."""

    code = "INVENTORY_UNREACHABLE"
    http_status = 503
    error_class = ErrorClass.UNREACHABLE
    may_retry = True
    remedy = "Check that NetBox is up and that TURNUP_NETBOX__URL is right."


class InventoryDenied(InventoryError):
    """The token was refused or may not write."""

    code = "INVENTORY_DENIED"
    error_class = ErrorClass.DENIED
    remedy = "Check TURNUP_NETBOX__TOKEN and the token's permissions."


class InventoryRefused(InventoryError):
    """NetBox refused the request; its own words are in the message."""

    code = "INVENTORY_REFUSED"
    remedy = "Read NetBox's message; `turnup inventory audit` shows what does not fit."


class InventoryIncomplete(InventoryError):
    """A site, pool, role or custom field that the catalogue names is not in NetBox."""

    code = "INVENTORY_INCOMPLETE"
    remedy = "Create it in NetBox (`turnup inventory seed` does so for the example)."


class ResourceExhausted(InventoryError):
    """Nothing is left in a pool, on the OLTs or in stock. The item is held, its order keeps nothing that others could use."""

    code = "RESOURCE_EXHAUSTED"
    http_status = 409
    error_class = ErrorClass.EXHAUSTED
    may_retry = True
    remedy = "Add capacity in NetBox: ports, VLANs, addresses or stock, as the message says."


class ResourceNotFree(InventoryError):
    """The one resource that somebody asked for is taken, or is not there. Nothing else was taken in its place."""

    code = "RESOURCE_NOT_FREE"
    http_status = 409
    error_class = ErrorClass.EXHAUSTED
    remedy = "Name another, or retry without a value: any free one will do then."


class TargetError(TurnupError):
    """A device or northbound system."""

    code = "TARGET_ERROR"
    http_status = 502
    error_class = ErrorClass.REFUSED


class TargetUnknown(TargetError):
    """The catalogue names a target that neither NetBox nor the settings have."""

    code = "TARGET_UNKNOWN"
    remedy = "Add the device to NetBox with role, platform and primary IP, or the system to the settings."


class TargetUnreachable(TargetError):
    """No connection."""

    code = "TARGET_UNREACHABLE"
    http_status = 503
    error_class = ErrorClass.UNREACHABLE
    may_retry = True
    remedy = "Check address, port and reachability of the target."


class TargetDenied(TargetError):
    """The target refused the credentials."""

    code = "TARGET_DENIED"
    error_class = ErrorClass.DENIED
    remedy = "Check the credentials of this target in the settings."


class HostKeyUnknown(TargetError):
    """Host key or certificate is not the known one."""

    code = "HOST_KEY_UNKNOWN"
    error_class = ErrorClass.DENIED
    remedy = "Verify the device's key out of band, then add it to the known_hosts file of the settings."


class TargetLocked(TargetError):
    """Another session holds the configuration lock."""

    code = "TARGET_LOCKED"
    error_class = ErrorClass.LOCKED
    may_retry = True
    remedy = "Wait, or end the session that the message names."


class TargetRefused(TargetError):
    """The target refused; its own words are in the message. Nothing of the transaction is left on it."""

    code = "TARGET_REFUSED"
    remedy = "Read the device's message: the template, the allocation or the device is wrong."


class BeyondRecall(TargetRefused):
    """What was sent has arrived, and can no longer be called back."""

    code = "BEYOND_RECALL"
    remedy = "It has to be sent back: that is ordered when the step is done again, where the catalogue says how."


class TargetTimeout(TargetError):
    """No answer before the deadline."""

    code = "TARGET_TIMEOUT"
    http_status = 504
    error_class = ErrorClass.UNREACHABLE
    may_retry = True
    remedy = "The target is slow or hangs; look at it, then retry."


class TargetLost(TargetError):
    """The session was lost within a transaction. The message says what became of it."""

    code = "TARGET_LOST"
    error_class = ErrorClass.UNREACHABLE
    may_retry = True
    remedy = "It is asked what it holds before the next attempt."


class CheckFailed(TargetError):
    """The configuration was accepted, but the target is not as it should be; the change was taken back."""

    code = "CHECK_FAILED"
    error_class = ErrorClass.CHECK
    remedy = "Look at the port or service that the message names."


class NotAsSaid(TargetError):
    """It was said to be done by hand, but the target does not hold what is wanted, or tells another value than was given."""

    code = "NOT_AS_SAID"
    error_class = ErrorClass.CHECK
    remedy = "Look at the target: make it as the message says, or let it be done with `retry`."


class DriftFound(TargetError):
    """Somebody else changed what was to be changed, and the drift policy is to refuse. Nothing was sent."""

    code = "DRIFT_FOUND"
    http_status = 409
    error_class = ErrorClass.CHECK
    remedy = "`turnup check` shows what differs, `turnup repair` puts it back; then let the step be tried again."


class Overdue(TargetError):
    """What is waited for has not happened within the time that the catalogue gives it: a parcel that does not arrive."""

    code = "OVERDUE"
    http_status = 504
    error_class = ErrorClass.OVERDUE
    remedy = "Ask whoever it is waited for: the carrier, the customer. Then let it be waited for once more, or cancel."


class TemplateFailed(TurnupError):
    """A template cannot be rendered, or what it renders is not well-formed."""

    code = "TEMPLATE_FAILED"
    error_class = ErrorClass.TEMPLATE
    remedy = "Correct the template; `turnup catalog check` finds undefined names."


class ChecksumMismatch(TurnupError):
    """What would be sent differs from what the dry run showed."""

    code = "CHECKSUM_MISMATCH"
    http_status = 409
    error_class = ErrorClass.INPUT
    remedy = "Run `turnup plan` again under a new externalId and look at the difference."


class ForgedCallback(TurnupError):
    """A callback whose signature is missing or wrong."""

    code = "FORGED_CALLBACK"
    http_status = 401
    error_class = ErrorClass.DENIED
    remedy = "Check the shared webhook secret on both sides."


class LeaseLost(TurnupError):
    """A newer owner works this lane: what this worker has to say no longer counts."""

    code = "LEASE_LOST"
    may_retry = True
    remedy = "Nothing to do: the newer owner redoes the batch."


class StepCrashed(TurnupError):
    """Whoever worked this step died while doing it, again and again."""

    code = "STEP_CRASHED"
    remedy = "Read the worker's log of that time; the step is not tried again before somebody says so."


class StoreError(TurnupError):
    """The database cannot be used."""

    code = "STORE_ERROR"
    http_status = 503
    remedy = "Check DATABASE_URL, free space and permissions."


class StoreUnreachable(StoreError):
    """No connection to the database, or it ended the transaction (a restart, a deadlock). Nothing of the transaction was kept."""

    code = "STORE_UNREACHABLE"
    may_retry = True
    remedy = "Check that the database is up; workers go on by themselves when it is."


class StoreFull(StoreError):
    """There is no space left where the database is. Nothing of the transaction was kept."""

    code = "STORE_FULL"
    remedy = "Make space on the disk of the database; workers go on by themselves then."

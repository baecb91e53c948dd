"""What the catalogue says, as data (catalog/*.yaml, one mapping of kinds per file).

Strings may hold expressions in Jinja (`{{ exchange.name }}`), conditions are bare Jinja expressions (`c.technology == 'GPON'`);
engine.expressions evaluates both, sandboxed and strict. The names they may use are listed in docs/catalogue.md, which is made from here
and from engine.catalogue.names.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.states import RollUp

Scalar = str | int | float | bool
Expression = Annotated[str, Field(description="text with `{{ ... }}` expressions")]
Condition = Annotated[str, Field(description="a bare Jinja expression that is true or false")]


class Entry(BaseModel):
    """Base of everything in the catalogue: unknown fields are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Characteristic(Entry):
    """One characteristic of a specification (TMF620/633/634 `*SpecCharacteristic`)."""

    type: Literal["string", "integer", "boolean"] = Field(default="string", description="what a value must be")
    values: tuple[Scalar, ...] = Field(default=(), description="the legal values; empty: any")
    pattern: str | None = Field(default=None, description="regular expression that the whole value must match")
    mandatory: bool = Field(default=False, description="an item must have a value, given or by default")
    default: Scalar | None = Field(default=None, description="value when none is given; may hold expressions")
    secret: bool = Field(default=False, description="stored encrypted, masked wherever it is shown")
    once: bool = Field(default=False, description="counts when the item is added; a later change of it alone changes nothing here")
    generate: int | None = Field(default=None, ge=8, le=63, description="length of the random value made when none is given; secrets only")
    description: str = Field(default="", description="for people, with the unit of a number")


class Rule(Entry):
    """One decomposition rule: which item of the next level, when, with which characteristics."""

    specification: str = Field(description="id of the CFS (in a product specification) or RFS (in a CFS)")
    when: Condition | None = Field(default=None, description="only then; without it always")
    characteristics: dict[str, Scalar] = Field(default_factory=dict, description="value or expression per characteristic")


class Specification(Entry):
    """What product, service and resource specifications have in common."""

    id: str = Field(description="what others name it by")
    name: str = Field(description="what people read; of an RFS the first column of the allocation table")
    description: str = Field(default="", description="for people")
    characteristics: dict[str, Characteristic] = Field(default_factory=dict, description="by name; an item has these and no others")


class ProductSpecification(Specification):
    """TMF620 productSpecification: its decomposition chooses the CFS."""

    suspended: dict[str, Scalar] = Field(default_factory=dict, description="what a suspension sets, by characteristic")
    instance: Expression = Field(description="id of the product, e.g. `PI-BB-{{ customer.number }}`")
    decompose: tuple[Rule, ...] = Field(description="its services; the service order's items are numbered in this order")


class Price(Entry):
    """What the customer pays; shown, not charged."""

    monthly: float = Field(default=0, description="with tax, in `currency`")
    once: float = Field(default=0, description="with tax, in `currency`")
    currency: str = Field(default="AUD", description="ISO 4217")
    term_months: int = Field(default=0, description="contract term")


class ProductOffering(Entry):
    """TMF620 productOffering: a specification with fixed and defaulted characteristics."""

    id: str = Field(description="what orders name it by, e.g. `PO-SF200H`")
    name: str = Field(description="what people read")
    specification: str = Field(description="id of the product specification")
    description: str = Field(default="", description="for people")
    active: bool = Field(default=True, description="it can be ordered")
    characteristics: dict[str, Scalar] = Field(default_factory=dict, description="values that the offering fixes")
    defaults: dict[str, Scalar] = Field(default_factory=dict, description="values when the order gives none")
    price: Price = Field(default=Price(), description="what the customer pays")
    online_gates: bool = Field(default=False, description="the order completes only when the customer was seen online")
    while_busy: Literal["wait", "refuse"] = Field(default="wait", description="what a change does while another order is under way")
    on_shortage: Literal["go-on", "wait"] = Field(default="go-on", description="what branches do that need nothing of what is exhausted")


class Wait(Entry):
    """A step that waits for the outside world: it is asked for at the target, and woken by events."""

    target: Expression = Field(description="name of the target that is asked")
    until: str = Field(description="what is waited for, e.g. `delivered`, `inform`: a name that the target's kind knows")
    arguments: dict[str, Expression] = Field(default_factory=dict, description="what the target's kind needs to know to look")
    poll: float = Field(default=30.0, gt=0, description="seconds between two looks when no event comes")
    overdue: float | None = Field(
        default=None,
        gt=0,
        description="hours, in the time people live in, after which it is an error (`OVERDUE`) that it has not happened; none: never",
    )
    outside: bool = Field(default=True, description="an outside party is waited for: not our fault when it takes long")
    skippable: bool = Field(default=False, description="when it stands still, a person may say that it is to go on without it")


class ServiceSpecification(Specification):
    """TMF633 customer-facing service specification: its decomposition chooses the RFS."""

    suspended: dict[str, Scalar] = Field(default_factory=dict, description="characteristics with which the service is `inactive`")
    instance: Expression = Field(description="id of the service, e.g. `SI-INT-{{ customer.number }}`")
    decompose: tuple[Rule, ...] = Field(description="its RFS; the resource order's items are numbered in this order")
    online: Wait | None = Field(default=None, description="how it is seen that the customer is online")
    online_after: tuple[str, ...] = Field(default=(), description="RFS of the order that must be complete before it is looked for")


class Reservation(Entry):
    """A resource that an item needs from the inventory."""

    kind: Literal["olt-port", "stock", "vlan", "ipv4", "ipv6-prefix"] = Field(description="what it is; see Reservations")
    pool: dict[str, Expression] = Field(description="where it comes from; which keys a kind has: see Reservations")
    requires: tuple[str, ...] = Field(
        default=(),
        description="other reservations of the order without which it is not taken: a held order keeps nothing that others could use",
    )
    activated_by: str | None = Field(default=None, description="RFS whose completion puts it to use; default: the one that reserves it")


class SharedFragment(Entry):
    """A fragment that many services reference and none owns, e.g. a QoS policy."""

    key: Expression = Field(description="identity of the fragment on its target, e.g. `policy/{{ policy.name }}`")
    template: str = Field(description="as of a configuration; what it renders must depend on the key alone")


class Check(Entry):
    """Something looked at on the target while the commit can still fall back."""

    name: str = Field(description="a check that the target's kind knows, e.g. `bearer-up`, `readback`")
    arguments: dict[str, Expression] = Field(default_factory=dict, description="what the check needs to know")


class Configuration(Entry):
    """What a service wants on one target."""

    target: Expression = Field(description="name of a device or system, e.g. `{{ port.device }}`")
    template: str = Field(description="file `templates/<platform>/<template>.<xml|set|json>.j2`; the platform is the target's")
    given_back_by: str | None = Field(
        default=None, description="template that takes its place when the item ends and what it did cannot be undone (a delivered parcel)"
    )
    shared: tuple[SharedFragment, ...] = Field(default=(), description="fragments that it refers to and that others share")
    check: tuple[Check, ...] = Field(default=(), description="what must be so on the target before the change is confirmed")
    skippable: bool = Field(default=False, description="when it stands still, a person may say that it is to go on without it")


class ReportLine(Entry):
    """A line of the allocation table."""

    resource: str = Field(description="second column of the table, e.g. `VLAN ID`")
    type: Literal["Physical", "Logical"] = Field(description="third column")
    value: Expression = Field(description="fourth column, e.g. `VLAN {{ vlan.vid }}`")


class ResourceSpecification(Specification):
    """TMF634 resource-facing specification: one kind of resource order item."""

    depends_on: tuple[str, ...] = Field(
        default=(), description="RFS whose items, where the order has them, must be complete before it starts"
    )
    technology: tuple[str, ...] = Field(default=(), description="access technologies it is for; empty: any")
    policy: dict[str, Expression] = Field(default_factory=dict, description="which policy of the catalogue it uses: match by these")
    reserve: dict[str, Reservation] = Field(default_factory=dict, description="by allocation name; a name is reserved by one RFS only")
    uses: tuple[str, ...] = Field(
        default=(),
        description="allocations that other items of the order reserve and this one reads without depending on these items: "
        "it starts when they are granted. What items in `depends_on` reserve need not be named.",
    )
    configure: tuple[Configuration, ...] = Field(default=(), description="what it wants where; all targets at once")
    wait_before: tuple[Wait, ...] = Field(default=(), description="waited for before anything is configured")
    wait: tuple[Wait, ...] = Field(default=(), description="waited for after everything is configured")
    returned: Wait | None = Field(
        default=None, description="when the item ends: how it is seen that what it gave to the customer is back; until then it is not free"
    )
    report: tuple[ReportLine, ...] = Field(default=(), description="its lines of the allocation table")
    recall: Literal["never", "until-complete", "always"] = Field(
        default="never", description="until when an order may be cancelled that is past this point: what was done is recalled"
    )
    point_of_no_return: Literal["start", "configured", "complete", "never"] = Field(
        default="never", description="from when on it cannot be taken back without a person, e.g. a parcel on the road"
    )


class Policy(Entry):
    """A QoS policy that services reference. Rates in bit/s, bursts in bytes."""

    name: str = Field(description="what it is called on devices too, e.g. `BW-200-50-RES`")
    match: dict[str, Scalar] = Field(description="the values that it is for; an RFS's `policy` gives them")
    downstream_bps: int = Field(gt=0, description="rate to the customer")
    upstream_bps: int = Field(gt=0, description="rate from the customer")
    downstream_burst_bytes: int = Field(gt=0, description="burst to the customer")
    upstream_burst_bytes: int = Field(gt=0, description="burst from the customer")
    service_class: str = Field(description="e.g. `residential`")


class FailureRule(Entry):
    """One row of the failure policy: the first that matches decides."""

    specification: str = Field(default="*", description="RFS; like the next three it may hold `*` and `?`")
    step: str = Field(default="*", description="kind of step: `reserve`, `configure`, `wait`, `online` ...")
    target: str = Field(default="*", description="name of the target")
    error: str = Field(default="*", description="error class or error code")
    then: Literal["retry", "hold", "fallout", "undo", "reject", "fail"] = Field(
        description="`retry`: again later. `hold`: it stands still until what is missing is there, and somebody is told by a case. "
        "`fallout`: it stands still until a person answers the case. `undo`: the order is taken back. "
        "`reject`: the item is rejected when nothing of it has begun, else it fails. `fail`: the item fails"
    )
    limit: int = Field(default=5, ge=0, description="retries before `afterwards`")
    backoff: float = Field(default=1.0, ge=0, description="seconds before the first retry; doubles each time")
    backoff_max: float = Field(default=300.0, ge=0, description="most seconds between two attempts")
    jitter: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="share of each pause that is left to chance, so that what failed together is not tried together",
    )
    until: float | None = Field(default=None, gt=0, description="seconds after the first failure when `afterwards` follows at the latest")
    afterwards: Literal["hold", "fallout", "undo", "reject", "fail"] = Field(default="fallout", description="when no retry helped")
    queue: str = Field(default="noc", description="who gets the case when it is held")
    due: float | None = Field(default=None, gt=0, description="hours within which somebody is to answer the case")

    @property
    def opens_case(self) -> bool:
        """Whether it may come to a case."""
        return {self.then, self.afterwards if self.then == "retry" else self.then} & {"hold", "fallout"} != set()


class CatalogueSettings(Entry):
    """What holds for all orders."""

    roll_up: RollUp = Field(
        default=RollUp.HELD_WINS,
        description="what an order is while part of it is held and others run: held, or in progress until nothing runs (TM Forum's guide)",
    )


class CatalogueFile(Entry):
    """One YAML file under catalog/: any of these kinds."""

    offerings: tuple[ProductOffering, ...] = ()
    products: tuple[ProductSpecification, ...] = ()
    services: tuple[ServiceSpecification, ...] = ()
    resources: tuple[ResourceSpecification, ...] = ()
    policies: tuple[Policy, ...] = ()
    failure_policy: tuple[FailureRule, ...] = ()
    settings: CatalogueSettings = CatalogueSettings()

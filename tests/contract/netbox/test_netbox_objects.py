"""Contract with NetBox: single objects."""

from netbox_world import PON, World


def test_what_is_created_comes_back_with_references_in_brief_and_choices_with_labels(netbox: World) -> None:
    """A 201 holds the whole object: the adapter takes ids, names and states from it and does not read again."""
    device = netbox.device(status="planned")
    assert device["status"] == {"value": "planned", "label": "Planned"}
    assert device["site"]["id"] == netbox.site["id"]
    assert device["site"]["slug"] == netbox.site["slug"]
    assert device["url"] == f"{netbox.url}/api/dcim/devices/{device['id']}/"
    assert netbox.get(f"dcim/devices/{device['id']}/")["name"] == device["name"]


def test_a_creation_says_where_the_object_is(netbox: World) -> None:
    """Location is the address of the object: a plain HTTP client needs no more."""
    name = netbox.name("tag")
    answer = netbox.post("extras/tags/", {"name": name, "slug": name})
    assert answer.headers["Location"] == answer.json()["url"]


def test_unknown_fields_of_a_body_are_ignored(netbox: World) -> None:
    """NetBox does not tell of a misspelt field: the adapter must check what came back."""
    name = netbox.name("tag")
    made = netbox.make("extras/tags/", name=name, slug=name, colour="ff0000")
    assert "colour" not in made


def test_a_missing_field_is_named(netbox: World) -> None:
    """400 with the errors by field, which the adapter shows to the engineer."""
    answer = netbox.post("dcim/sites/", {"slug": netbox.name("site")})
    assert answer.status_code == 400
    assert answer.json() == {"name": ["This field is required."]}


def test_an_unknown_choice_is_refused(netbox: World) -> None:
    """400: an allocation state or interface type that NetBox does not know is found at once."""
    device = netbox.device()
    answer = netbox.post("dcim/interfaces/", {"device": device["id"], "name": "p", "type": "no-such-type"})
    assert answer.status_code == 400
    assert list(answer.json()) == ["type"]


def test_a_reference_to_nothing_is_refused(netbox: World) -> None:
    """400: an id that was deleted meanwhile is told apart from a server that fails."""
    answer = netbox.post("dcim/interfaces/", {"device": 999_999_999, "name": "p", "type": PON})
    assert answer.status_code == 400
    assert list(answer.json()) == ["device"]


def test_a_reference_may_be_given_by_attributes(netbox: World) -> None:
    """Seeding names tags by slug and need not know their ids."""
    name = netbox.name("tag")
    netbox.make("extras/tags/", name=name, slug=name)
    site = netbox.name("site")
    made = netbox.make("dcim/sites/", name=site, slug=site, tags=[{"slug": name}])
    assert [tag["slug"] for tag in made["tags"]] == [name]


def test_patch_changes_what_it_names_and_nothing_else(netbox: World) -> None:
    """The state of a stock device is changed without its other fields being sent."""
    device = netbox.device(serial="S1", status="inventory")
    changed = netbox.http.patch(f"/api/dcim/devices/{device['id']}/", json={"status": "planned"})
    assert changed.status_code == 200
    assert changed.json()["status"]["value"] == "planned"
    assert changed.json()["serial"] == "S1"


def test_put_needs_all_that_is_required(netbox: World) -> None:
    """PUT is not PATCH: without the required fields it is refused."""
    device = netbox.device()
    answer = netbox.http.put(f"/api/dcim/devices/{device['id']}/", json={"status": "planned"})
    assert answer.status_code == 400
    assert {"device_type", "role", "site"} <= answer.json().keys()


def test_what_is_deleted_is_gone_and_deleting_again_says_so(netbox: World) -> None:
    """204, then 404: giving back what was given back already is recognised and harmless."""
    device = netbox.device()
    port = netbox.port(device)
    path = f"/api/dcim/interfaces/{port['id']}/"
    assert netbox.http.delete(path).status_code == 204
    assert netbox.http.delete(path).status_code == 404
    assert netbox.http.get(path).status_code == 404


def test_what_others_need_cannot_be_deleted(netbox: World) -> None:
    """409 when dependants forbid it: a site with devices stays."""
    device = netbox.device()
    answer = netbox.http.delete(f"/api/dcim/sites/{device['site']['id']}/")
    assert answer.status_code == 409
    assert "dependent objects" in answer.json()["detail"]


def test_a_device_takes_its_interfaces_and_their_addresses_along(netbox: World) -> None:
    """Tests and seeding clean up by deleting the device."""
    device = netbox.device()
    port = netbox.port(device)
    netbox.prefix("198.51.100.0/24")
    address = netbox.make(
        "ipam/ip-addresses/",
        address="198.51.100.9/24",
        vrf=netbox.vrf["id"],
        assigned_object_type="dcim.interface",
        assigned_object_id=port["id"],
    )
    assert netbox.http.delete(f"/api/dcim/devices/{device['id']}/").status_code == 204
    assert netbox.http.get(f"/api/dcim/interfaces/{port['id']}/").status_code == 404
    assert netbox.http.get(f"/api/ipam/ip-addresses/{address['id']}/").status_code == 404


def test_a_primary_address_must_be_on_the_device(netbox: World) -> None:
    """The Nornir inventory connects to primary_ip4: it can only be an address of that device's own interfaces."""
    device, other = netbox.device(), netbox.device()
    port = netbox.port(device)
    address = netbox.make(
        "ipam/ip-addresses/",
        address="203.0.113.7/32",
        vrf=netbox.vrf["id"],
        assigned_object_type="dcim.interface",
        assigned_object_id=port["id"],
    )
    assert netbox.http.patch(f"/api/dcim/devices/{other['id']}/", json={"primary_ip4": address["id"]}).status_code == 400
    changed = netbox.http.patch(f"/api/dcim/devices/{device['id']}/", json={"primary_ip4": address["id"]})
    assert changed.json()["primary_ip"]["address"] == "203.0.113.7/32"


def test_a_request_without_the_last_slash_is_redirected(netbox: World) -> None:
    """A client that follows turns a POST into a GET: paths end in a slash."""
    answer = netbox.http.get("/api/dcim/sites", follow_redirects=False)
    assert answer.status_code == 301
    assert answer.headers["Location"].endswith("/api/dcim/sites/")


def test_a_child_interface_names_its_parent_and_must_be_virtual(netbox: World) -> None:
    """A claim is a virtual interface whose parent is the PON port; the port's own type could not be a child."""
    device = netbox.device()
    port = netbox.port(device)
    claim = netbox.make("dcim/interfaces/", device=device["id"], name="LC1/P1/1", type="virtual", parent=port["id"])
    assert claim["parent"]["id"] == port["id"]
    refused = netbox.post("dcim/interfaces/", {"device": device["id"], "name": "LC1/P1/2", "type": PON, "parent": port["id"]})
    assert refused.status_code == 400
    assert list(refused.json()) == ["parent"]


def test_a_port_with_a_claim_cannot_be_deleted(netbox: World) -> None:
    """The parent is protected: a port that carries a line does not vanish under it."""
    device = netbox.device()
    port = netbox.port(device)
    claim = netbox.make("dcim/interfaces/", device=device["id"], name="LC1/P1/1", type="virtual", parent=port["id"])
    assert netbox.http.delete(f"/api/dcim/interfaces/{port['id']}/").status_code == 409
    assert netbox.http.delete(f"/api/dcim/interfaces/{claim['id']}/").status_code == 204
    assert netbox.http.delete(f"/api/dcim/interfaces/{port['id']}/").status_code == 204


def test_config_contexts_reach_devices_by_role(netbox: World) -> None:
    """The BNG gets its QoS profiles with the inventory: device.config_context, which lists may leave out for speed."""
    profiles = {"BW-200-50-RES": {"down_mbps": 200}}
    netbox.make("extras/config-contexts/", name=netbox.name("ctx"), weight=1000, roles=[netbox.role["id"]], data={"qos_profiles": profiles})
    device = netbox.device()
    assert netbox.get(f"dcim/devices/{device['id']}/")["config_context"]["qos_profiles"] == profiles
    (listed,) = netbox.get("dcim/devices/", name=device["name"], exclude="config_context")["results"]
    assert "config_context" not in listed


def test_a_journal_entry_belongs_to_its_object(netbox: World) -> None:
    """What the engine writes into the journal is found by the object's type and id."""
    device = netbox.device()
    entry = {"assigned_object_type": "dcim.device", "assigned_object_id": device["id"], "kind": "success", "comments": "in service"}
    netbox.make("extras/journal-entries/", **entry)
    (found,) = netbox.get("extras/journal-entries/", assigned_object_type="dcim.device", assigned_object_id=device["id"])["results"]
    assert found["comments"] == "in service"
    assert found["assigned_object"]["name"] == device["name"]


def test_a_custom_link_is_kept(netbox: World) -> None:
    """The link from NetBox' pages to the order page is made by REST."""
    text = "{% if object.cf.order_id %}Order {{ object.cf.order_id }}{% endif %}"
    made = netbox.make(
        "extras/custom-links/",
        name=netbox.name("link"),
        object_types=["dcim.interface"],
        link_text=text,
        link_url="http://127.0.0.1/{{ object.cf.order_id }}",
    )
    assert made["link_text"] == text
    assert made["enabled"] is True

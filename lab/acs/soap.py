"""CWMP messages (TR-069 Amendment 6, annex A): SOAP 1.1 envelopes, written and read without entities, DTDs or network."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from lab.acs.devices import Identity, Parameter

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
CWMP = "urn:dslforum-org:cwmp-1-0"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"

_NAMESPACES = {"soap-env": SOAP, "soap-enc": ENCODING, "cwmp": CWMP, "xsi": XSI, "xsd": XSD}


class BadMessage(ValueError):
    """What is no CWMP message."""


@dataclass(frozen=True)
class Message:
    """An envelope: its id, the name of its RPC or response (or Fault), and that element."""

    id: str
    name: str
    element: etree._Element

    def text(self, path: str) -> str:
        """Return the text at a path of local names, "" when there is nothing."""
        found = self.element.find(path, namespaces={"cwmp": CWMP})
        return (found.text or "") if found is not None else ""


def parse(data: bytes) -> Message:
    """Return the message in a body. Raises BadMessage."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise BadMessage(str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadMessage("a document type is not allowed in SOAP")
    body = root.find(f"{{{SOAP}}}Body")
    if body is None or not len(body):
        raise BadMessage("no SOAP body")
    return Message(root.findtext(f"{{{SOAP}}}Header/{{{CWMP}}}ID") or "", etree.QName(body[0]).localname, body[0])


def inform(message_id: str, identity: Identity, events: Iterable[str], parameters: Mapping[str, Parameter], time: str) -> bytes:
    """Return an Inform."""
    envelope, element = _envelope(message_id, "Inform")
    device = etree.SubElement(element, "DeviceId")
    _texts(device, Manufacturer=identity.manufacturer, OUI=identity.oui, ProductClass=identity.product_class, SerialNumber=identity.serial)
    codes = list(events)
    event = _array(element, "Event", "cwmp:EventStruct", len(codes))
    for code in codes:
        _texts(etree.SubElement(event, "EventStruct"), EventCode=code, CommandKey="")
    _texts(element, MaxEnvelopes="1", CurrentTime=time, RetryCount="0")
    _values(element, parameters)
    return _bytes(envelope)


def inform_response(message_id: str) -> bytes:
    """Return an InformResponse."""
    envelope, element = _envelope(message_id, "InformResponse")
    _texts(element, MaxEnvelopes="1")
    return _bytes(envelope)


def get_parameter_values(message_id: str, paths: Iterable[str]) -> bytes:
    """Return a GetParameterValues; a path that ends in a dot asks for everything below."""
    envelope, element = _envelope(message_id, "GetParameterValues")
    names = list(paths)
    array = _array(element, "ParameterNames", "xsd:string", len(names))
    for name in names:
        etree.SubElement(array, "string").text = name
    return _bytes(envelope)


def get_parameter_values_response(message_id: str, parameters: Mapping[str, Parameter]) -> bytes:
    """Return a GetParameterValuesResponse."""
    envelope, element = _envelope(message_id, "GetParameterValuesResponse")
    _values(element, parameters)
    return _bytes(envelope)


def set_parameter_values(message_id: str, parameters: Mapping[str, Parameter], key: str) -> bytes:
    """Return a SetParameterValues."""
    envelope, element = _envelope(message_id, "SetParameterValues")
    _values(element, parameters)
    _texts(element, ParameterKey=key)
    return _bytes(envelope)


def set_parameter_values_response(message_id: str) -> bytes:
    """Return a SetParameterValuesResponse: all values are applied."""
    envelope, element = _envelope(message_id, "SetParameterValuesResponse")
    _texts(element, Status="0")
    return _bytes(envelope)


def fault(message_id: str, code: int, text: str, parameters: Mapping[str, tuple[int, str]] | None = None) -> bytes:
    """Return a fault of a CPE; `parameters` has code and text of each that is refused (SetParameterValuesFault)."""
    envelope, element = _envelope(message_id, "Fault", SOAP)
    _texts(element, faultcode="Client", faultstring="CWMP fault")
    detail = etree.SubElement(etree.SubElement(element, "detail"), f"{{{CWMP}}}Fault")
    _texts(detail, FaultCode=str(code), FaultString=text)
    for name, (number, reason) in (parameters or {}).items():
        one = etree.SubElement(detail, "SetParameterValuesFault")
        _texts(one, ParameterName=name, FaultCode=str(number), FaultString=reason)
    return _bytes(envelope)


def identity_of(message: Message) -> Identity:
    """Return who sent an Inform."""
    names = ("Manufacturer", "OUI", "ProductClass", "SerialNumber")
    return Identity(*(message.text(f"DeviceId/{name}") for name in names))


def events_of(message: Message) -> list[str]:
    """Return the event codes of an Inform."""
    return [code.text or "" for code in message.element.iterfind("Event/EventStruct/EventCode")]


def parameters_of(message: Message) -> dict[str, Parameter]:
    """Return the parameters that a message carries (ParameterList)."""
    found = {}
    for struct in message.element.iterfind("ParameterList/ParameterValueStruct"):
        value = struct.find("Value")
        kind = value.get(f"{{{XSI}}}type", "xsd:string") if value is not None else "xsd:string"
        text = value.text or "" if value is not None else ""
        found[struct.findtext("Name") or ""] = Parameter(text, kind)
    return found


def names_of(message: Message) -> list[str]:
    """Return the paths that a GetParameterValues asks for."""
    return [name.text or "" for name in message.element.iterfind("ParameterNames/string")]


def _envelope(message_id: str, name: str, namespace: str = CWMP) -> tuple[etree._Element, etree._Element]:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap=_NAMESPACES)
    header = etree.SubElement(envelope, f"{{{SOAP}}}Header")
    identifier = etree.SubElement(header, f"{{{CWMP}}}ID")
    identifier.set(f"{{{SOAP}}}mustUnderstand", "1")
    identifier.text = message_id
    return envelope, etree.SubElement(etree.SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{namespace}}}{name}")


def _array(parent: etree._Element, name: str, kind: str, length: int) -> etree._Element:
    array = etree.SubElement(parent, name)
    array.set(f"{{{ENCODING}}}arrayType", f"{kind}[{length}]")
    return array


def _values(parent: etree._Element, parameters: Mapping[str, Parameter]) -> None:
    array = _array(parent, "ParameterList", "cwmp:ParameterValueStruct", len(parameters))
    for path, parameter in parameters.items():
        struct = etree.SubElement(array, "ParameterValueStruct")
        etree.SubElement(struct, "Name").text = path
        value = etree.SubElement(struct, "Value")
        value.set(f"{{{XSI}}}type", parameter.type)
        value.text = parameter.value


def _texts(parent: etree._Element, **texts: str) -> None:
    for name, text in texts.items():
        etree.SubElement(parent, name).text = text


def _bytes(envelope: etree._Element) -> bytes:
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")

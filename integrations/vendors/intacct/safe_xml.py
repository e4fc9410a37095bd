"""Reads XML that somebody else wrote: no document type, no entities, no network, bounded depth, no illegal characters."""

import re

from lxml import etree

from integrations.vendors.intacct.objects import strip_illegal

_PROLOG = re.compile(rb"[^<]*(?:<[?!][^<]*)*<?[A-Za-z]{0,4}")
_C0 = bytes(code for code in range(0x20) if code not in (0x09, 0x0A, 0x0D))
_ILLEGAL_BYTES = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]|\xef\xbf[\xbe\xbf]")
_REFERENCE = re.compile(rb"&#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}));")


class NotXml(Exception):
    """The body is no XML answer of the gateway: an HTML page, or nothing at all."""


class BadXml(Exception):
    """The body is cut off, declares a document type, or is not what the gateway's answers look like."""


def read_xml(content: bytes, *, huge: bool = False) -> etree._Element:
    """The root element of an answer. Raises NotXml or BadXml. ``huge``: one text may be longer than 10 MB, as files are.

    Characters that XML forbids are taken out first: the vendor sends back what people typed.
    """
    if not content.strip():
        raise NotXml("an empty body")
    prolog = _PROLOG.match(content[:2000])
    opening = prolog[0].lower() if prolog else b""
    if b"<!doctype html" in opening or opening.endswith(b"<html"):
        raise NotXml("an HTML page")
    if not opening.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise NotXml("not XML")
    if b"<!doctype" in opening:
        raise BadXml("the answer declares a document type")
    clean = content.translate(None, _C0)
    try:
        return _parsed(clean, huge)
    except etree.XMLSyntaxError as error:
        mended = _REFERENCE.sub(_legal, _ILLEGAL_BYTES.sub(b"", clean))
        if mended == clean:
            raise BadXml(f"line {error.lineno}: not well-formed") from None
    try:
        return _parsed(mended, huge)
    except etree.XMLSyntaxError as error:
        raise BadXml(f"line {error.lineno}: not well-formed") from None


def _parsed(content: bytes, huge: bool) -> etree._Element:
    """No document type, no entities, no network; libxml2's own bounds on depth and size stay on unless files are expected."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=huge,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    root = etree.fromstring(content, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadXml("the answer declares a document type")
    return root


def _legal(reference: re.Match[bytes]) -> bytes:
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return b"" if code > 0x10FFFF or strip_illegal(chr(code))[1] else reference[0]

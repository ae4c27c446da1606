"""A recipe inside a picture's file: an iTXt chunk in PNG, an XMP packet in JPEG and WebP. Imports no TensorFlow."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from PIL.PngImagePlugin import PngInfo

if TYPE_CHECKING:
    from PIL import Image

KEY = "dreamfarm"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dreamfarm="urn:dreamfarm:1">'
    "<dreamfarm:recipe>{}</dreamfarm:recipe></rdf:Description></rdf:RDF></x:xmpmeta>"
)
FOUND = re.compile(rb"<dreamfarm:recipe>(.*?)</dreamfarm:recipe>", re.DOTALL)


def options(file_format: str, recipe: str | None) -> dict[str, Any]:
    """Return what Pillow's `save` takes to put a recipe into a file."""
    if recipe is None:
        return {}
    if file_format == "png":
        chunks = PngInfo()
        chunks.add_itxt(KEY, recipe)
        return {"pnginfo": chunks}
    return {"xmp": XMP.format(html.escape(recipe, quote=False)).encode()}


def read(image: Image.Image) -> str | None:
    """Return the recipe in an opened picture; None where there is none."""
    text = image.info.get(KEY)
    if isinstance(text, str):
        return str(text)
    packet = image.info.get("xmp")
    found = FOUND.search(packet) if isinstance(packet, bytes) else None
    return html.unescape(found[1].decode(errors="replace")) if found else None

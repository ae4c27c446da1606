"""The studio: the web pages at ``/``, which use the public HTTP api alone."""

from api.studio.pages import bp

__all__ = ["bp"]

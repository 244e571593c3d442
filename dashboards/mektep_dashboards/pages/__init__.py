"""The pages: `create_pages` gives the routes, `PageSource` is what they ask for documents."""

from mektep_dashboards.pages.routes import create_pages
from mektep_dashboards.pages.source import PageSource

__all__ = ["PageSource", "create_pages"]

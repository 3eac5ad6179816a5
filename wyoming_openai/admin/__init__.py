"""The page: see it, tune it, trust it. `server.py` hands it `AdminParts` and lets it listen."""

from .app import create_app
from .parts import Access, AdminParts, PageAgent
from .security import RefusesToListen, hash_password, refuse_open_door
from .serving import listening

__all__ = [
    "Access",
    "AdminParts",
    "PageAgent",
    "RefusesToListen",
    "create_app",
    "hash_password",
    "listening",
    "refuse_open_door",
]

"""The database's history: one revision per change of a table, to upgrade to or downgrade to.

Each file of ``versions`` is one change, dated and named, and imports no table of ``models``.
Draft a new one with ``python -m migrations "what changed"``.
"""

from migrations.runner import current, downgrade, is_current, newest, upgrade

__all__ = ["current", "downgrade", "is_current", "newest", "upgrade"]

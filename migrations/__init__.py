"""The database's history: one revision per change of a table, and the way from any of them to any other.

Each file of ``versions`` is one change, dated and named, and knows nothing of today's ``models``.
A new one is drafted by ``python -m migrations "what changed"``.
"""

from migrations.runner import current, downgrade, is_current, upgrade

__all__ = ["current", "downgrade", "is_current", "upgrade"]

"""The database library, without what it would load beside itself."""

from __future__ import annotations

import sys

# sqlite-utils imports pandas wherever that is installed: half a second before the window, for nothing that is
# used here. A module that is None in this table cannot be imported; an import that was made before stays.
_absent = "pandas" not in sys.modules
if _absent:
    sys.modules["pandas"] = None  # type: ignore[assignment]
try:
    from sqlite_utils import Database
finally:
    if _absent:
        del sys.modules["pandas"]

__all__ = ["Database"]

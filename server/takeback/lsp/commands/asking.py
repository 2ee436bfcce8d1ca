"""Questions to the person."""

from __future__ import annotations

CANCEL = "Cancel"

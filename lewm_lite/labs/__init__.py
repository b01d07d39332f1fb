"""Interactive figures: ``labs.CloudFlow()`` in a cell, the same lab in the built page."""

from __future__ import annotations

from lewm_lite.labs.cloud_flow import CloudFlow

__all__ = ["CloudFlow"]

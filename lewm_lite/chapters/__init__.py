"""What a chapter needs to speak: values that sentences quote, and checkers for exercises."""

from __future__ import annotations

from lewm_lite.chapters.values import long_run, tell

__all__ = ["long_run", "tell"]

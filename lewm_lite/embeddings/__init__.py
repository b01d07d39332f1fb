"""The cloud itself: shapes it can have, and what to measure of it."""

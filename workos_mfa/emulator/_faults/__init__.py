"""Faults: what an app can be tested against."""

"""Tests of all that needs no socket."""

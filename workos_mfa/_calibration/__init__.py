"""Finds out what a user's own WorkOS does where nobody knows, and makes settings for the emulator of it.

It talks through ``MFA`` and a transport, like any user. It knows nothing of the emulator's insides.
"""

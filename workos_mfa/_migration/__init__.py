"""Bringing people's TOTP secrets along from another provider: what ``workos-mfa import-totp`` does."""

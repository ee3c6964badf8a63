"""The command line: ``workos-mfa demo`` and ``workos-mfa emulate``."""

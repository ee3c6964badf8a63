"""The emulator over HTTP, with its control plane."""

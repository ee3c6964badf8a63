"""The emulator over HTTP: its door, its control plane, and a server of its own."""

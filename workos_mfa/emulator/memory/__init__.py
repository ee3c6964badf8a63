"""What the emulator remembers, in its head and in a file."""

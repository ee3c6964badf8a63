"""What an emulator holds from the start."""

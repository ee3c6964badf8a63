"""``python -m workos_mfa`` is the command ``workos-mfa``."""

import sys

from workos_mfa._cli.main import main

if __name__ == "__main__":
    sys.exit(main())

"""Print the fault table into ``docs/faults.md``: ``python -m tests.transports.print_faults``."""

from __future__ import annotations

from tests.transports.fault_page import PAGE, page

PAGE.write_text(page(), "utf-8")

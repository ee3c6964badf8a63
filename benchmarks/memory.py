"""How much memory a process has taken at most: lines for a fresh interpreter to find that out about itself."""

PEAK_IN_KIB = """
def peak():
    try:
        # What getrusage says has the peak of the parent in it, before this program was even loaded.
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except FileNotFoundError:
        import resource, sys
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
"""

cd /tmp/perf && PYTHONPATH=/tmp/perf /tmp/dev/bin/python -m benchmarks "$@"

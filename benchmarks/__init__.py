"""What a call costs, side by side with what people would use instead: ``python -m benchmarks``.

Times depend on the machine and on what else it does; ratios hardly do. So every contender has its turn in every round,
a ratio is taken inside a round, and what is reported is the median of the rounds with its quartiles.
"""

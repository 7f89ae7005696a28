"""How fast the package trains and predicts, side by side with other ways to do the same.

``python -m benchmarks.speed`` runs everything; ``--help`` lists what can be chosen. Each way (a
"peer") lives in a process of its own, and the peers take turns: first one run of each, then a
second run of each, and so on, so that whatever else the machine does meanwhile meets all of them.
Before it is timed, a peer must come to the project's results. What is reported are medians, and
ratios of runs that were neighbors in time.
"""

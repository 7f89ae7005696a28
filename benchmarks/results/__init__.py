"""The four systems on the whole of MNIST: every number that the project claims, made anew.

``python -m benchmarks.results`` (or ``make results``) trains everything, several seeds of each, two
trainings side by side, and writes what it found to ``benchmarks/results/results.json``, to the
records that the lessons show (``cnnedu/data/recorded``), and to the table in README.md; with
``--ship`` also the networks that come with the package. What is finished when it is interrupted
need not be done again.
"""

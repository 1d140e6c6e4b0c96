"""The rehearsal of a run on a few real rows before the fit, and the check of a version as a serving pod would load it.

What decides whether a model is good enough belongs in `evaluation`.
"""

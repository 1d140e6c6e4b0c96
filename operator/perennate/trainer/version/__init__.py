"""From a trained model to the files of a version, and the check that a serving pod loads it and answers as it should.

What decides whether a model is good enough belongs in `evaluation`.
"""

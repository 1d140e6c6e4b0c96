"""Columns of files: as features of the reference, and text that hides numbers or dates."""

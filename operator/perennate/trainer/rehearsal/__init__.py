"""The rehearsal of a run: everything that will happen to the model, tried on a few real rows before the fit."""

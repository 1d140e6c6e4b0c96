"""From a window to a verdict on the model's performance, with labels and without."""

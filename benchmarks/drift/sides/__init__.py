"""One module for each tool: load both tables, check them for drift once, write down what it took."""

"""One module for each tool. It loads both tables, checks them for drift once, and writes time and memory."""

"""Pure decisions: what was observed goes in, a plan comes out."""

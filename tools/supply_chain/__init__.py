"""The supply chain: what the images and the package contain, and whether a part of it has a known vulnerability."""

"""The serving pod: fetch a verified version, serve it with BentoML, count traffic for drift, capture rows.

`python -m perennate.serving fetch` is the init container, `python -m perennate.serving serve` the main one.
"""

"""A controller runtime: client, cache, queue, lease, events, execution of plans. Decides nothing."""

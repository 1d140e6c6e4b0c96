"""A controller runtime: client, cache, queue, leader election, Events, execution of plans. Knows no kind of ours."""

"""Docker clients newer than Debian's, compiled from their Go modules. Most users have such a client."""

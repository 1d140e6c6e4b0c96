"""What a run tells the user although it goes on: warnings for the status, the model card and Events."""

"""Reading files of rows: csv, Parquet, Feather. Knows no model and no cluster."""

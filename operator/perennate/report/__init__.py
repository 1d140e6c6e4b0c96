"""What people look at: a document, a table on a terminal, a page. Knows no file format."""

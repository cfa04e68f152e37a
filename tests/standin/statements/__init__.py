"""What the server can be asked, one topic a file; `table` brings them together."""

"""Where frames come from and results go: cameras, files, tables, videos, windows."""

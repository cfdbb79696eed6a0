"""One static page of figures: no network, charts inline."""

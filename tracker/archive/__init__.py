"""An archive of videos on many machines: pieces, their seams, and one data set of all."""

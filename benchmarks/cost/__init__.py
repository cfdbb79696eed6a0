"""What a frame costs against another state of this repository, in turns."""

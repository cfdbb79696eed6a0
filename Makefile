# `make demo` and `make test` work in a fresh clone: they make their own virtual environment once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

MEDIAPIPE_VENV := .venv-mediapipe
MEDIAPIPE_STAMP := $(MEDIAPIPE_VENV)/.installed

.PHONY: demo test check check-mediapipe clean

demo: $(STAMP)
	$(BIN)/python run_tracker.py demo

# A process for each core; one thread in each, or they take the cores from each other.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test
	$(MAKE) check-mediapipe

# MediaPipe wants an older NumPy, so what needs it is tested in an environment of its own.
check-mediapipe: $(MEDIAPIPE_STAMP)
	$(MEDIAPIPE_VENV)/bin/python -m pytest -m mediapipe tests/test_detection.py tests/test_both_detectors.py

$(MEDIAPIPE_STAMP): pyproject.toml constraints-mediapipe.txt
	test -x $(MEDIAPIPE_VENV)/bin/python || $(PYTHON) -m venv $(MEDIAPIPE_VENV)
	$(MEDIAPIPE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints-mediapipe.txt --editable '.[mediapipe]' pytest beartype
	touch $(MEDIAPIPE_STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) $(MEDIAPIPE_VENV)

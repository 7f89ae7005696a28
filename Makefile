# Every target is a command of tools/run.py, which does the work on every system. Windows has no
# make: there, type  py tools\run.py lab  where others type  make lab.
# Further arguments: make lab ARGS=--no-browser, make test ARGS="-k pooling".

PYTHON ?= $(shell command -v python3 || command -v python || echo python3)
RUN = @$(PYTHON) tools/run.py

.PHONY: help lab fresh test quick lessons benchmark results lint setup lock

help:
	@echo "make lab               open JupyterLab at lesson 1 (sets everything up the first time)"
	@echo "make fresh LESSON=01   bring one lesson back fresh; your copy is kept beside it"
	@echo "make test              run everything: style, tests, every lesson and its solutions"
	@echo "make quick             run the tests without the lessons and without the slow ones"
	@echo "make lessons           rebuild the lessons from notebooks/source (LESSON=01: only one)"
	@echo "make benchmark         measure the speed beside PyTorch's and others' (ARGS=--quick: shorter)"
	@echo "make results           train the four systems on MNIST, 40 minutes (ARGS=--quick: try it)"
	@echo "make lint              check the style"
	@echo "make setup             only set up .venv"
	@echo "make lock              renew uv.lock and requirements.txt after a change of dependencies"

lab:
	$(RUN) lab $(ARGS)

fresh:
	$(RUN) fresh $(LESSON)

test:
	$(RUN) test $(ARGS)

quick:
	$(RUN) quick $(ARGS)

lessons:
	$(RUN) lessons $(LESSON) $(ARGS)

benchmark:
	$(RUN) benchmark $(ARGS)

results:
	$(RUN) results $(ARGS)

lint:
	$(RUN) lint $(ARGS)

setup:
	$(RUN) setup

lock:
	$(RUN) lock $(ARGS)

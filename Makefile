# The only commands that the README and CI call. Each does its own set-up.
BIN := .venv/bin

.PHONY: help venv seed cluster cluster-down demo test lint unit api seed-test dist-test cluster-test \
  mutants bench dist lock picture format clean

help:  ## Show the targets
	@sed -n 's/^\([a-z -]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 16

venv: .venv/made kubectl_scratch/toolkit/data/made  ## .venv/ with kubectl-scratch, kubectl and the development tools

.venv/made: setup.cfg pyproject.toml tools/venv.sh
	sh tools/venv.sh

seed: .venv/made  ## The seed and busybox, for amd64 and arm64, in kubectl_scratch/toolkit/data/
	@$(BIN)/python tools/seed.py

kubectl_scratch/toolkit/data/made: .venv/made tools/seed.py $(wildcard tools/busybox.*) $(wildcard seed/*.[ch] seed/*/*.[ch])
	@$(BIN)/python tools/seed.py

cluster: venv  ## Start the testbed's cluster, or reuse it; prints the line that exports KUBECONFIG
	@$(BIN)/python -m testbed up

cluster-down: venv  ## Stop it; nothing is left
	@$(BIN)/python -m testbed down

demo: venv  ## The main job on an embedded cluster
	@$(BIN)/python tools/demo.py

test: venv  ## All tiers
	@$(BIN)/python tools/test.py

lint unit api: venv  ## One tier
	@$(BIN)/python tools/test.py $@

cluster-test: venv  ## The tier that needs the testbed
	@$(BIN)/python tools/test.py cluster

seed-test: venv  ## The tier that runs the seed's commands, those for arm64 under qemu
	@$(BIN)/python tools/test.py seed

dist-test: venv  ## The tier that builds, installs and runs the krew archive
	@$(BIN)/python tools/test.py dist

mutants: venv  ## Break each line that must never break silently, its tests must fail; ONLY=word picks
	@$(BIN)/python -m tools.mutants $(ONLY)

bench: cluster  ## Side-by-side benchmarks; 1 where a ratio is over its bound
	@KUBECONFIG=$(CURDIR)/.testbed/kubeconfig $(BIN)/python -m bench

dist: venv  ## The krew archive, its manifest, sdist and wheel, in dist/; NAME=debug-scratch renames
	@$(BIN)/python tools/dist.py $(NAME)

lock: venv  ## Choose anew what the archive brings: packaging/lib.txt
	@$(BIN)/python tools/lock.py

picture: venv  ## Record the README's picture anew, on the testbed
	@$(BIN)/python tools/picture.py

format: venv  ## Format the code
	$(BIN)/ruff check -q --fix . && $(BIN)/ruff format -q .

clean:  ## Remove what was made here; run cluster-down before
	rm -rf .venv build dist kubectl_scratch/toolkit/data *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache

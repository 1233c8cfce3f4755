# The developers' commands; `make help` lists them. Needs python3 (3.11 or newer, with venv) only.

# Another Python for the environments: make install PYTHON=python3.13
PYTHON ?=
VENV = .venv
AWS_VENV = .venv-aws
BENCH_VENV = .venv-bench
RUN = $(VENV)/bin/python -m
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check --require-hashes
# Tests of one file stay in one process: its servers are started once. tests/order.py orders files.
PYTEST_FLAGS ?= -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The stamps say which requirements are installed: a second call does nothing.
RUNTIME = $(VENV)/runtime.stamp
LOCAL = $(VENV)/local.stamp
DEV = $(VENV)/dev.stamp
AWS = $(AWS_VENV)/aws.stamp
BENCH = $(BENCH_VENV)/bench.stamp

$(VENV)/made.stamp $(AWS_VENV)/made.stamp $(BENCH_VENV)/made.stamp:
	@sh scripts/make_venv.sh $(@D) $(PYTHON)
	@touch $@

$(RUNTIME): requirements.txt $(VENV)/made.stamp
	@echo "Installing requirements.txt into $(@D)."
	@$(@D)/bin/python $(PIP_INSTALL) -r $<
	@touch $@

$(LOCAL): requirements-local.txt $(RUNTIME)
	@echo "Installing requirements-local.txt into $(@D)."
	@$(@D)/bin/python $(PIP_INSTALL) -r $<
	@touch $@

$(DEV): requirements-dev.txt $(LOCAL)
	@echo "Installing requirements-dev.txt into $(@D)."
	@$(@D)/bin/python $(PIP_INSTALL) -r $<
	@touch $@

$(AWS): requirements-aws.txt $(AWS_VENV)/made.stamp
	@echo "Installing requirements-aws.txt into $(@D)."
	@$(@D)/bin/python $(PIP_INSTALL) -r $<
	@touch $@

# The tracers that ours is compared with.
$(BENCH): requirements-bench.txt $(BENCH_VENV)/made.stamp
	@echo "Installing requirements-bench.txt into $(@D)."
	@$(@D)/bin/python $(PIP_INSTALL) -r $<
	@touch $@

# Only to deploy, and to test that: what runs the site is Python.
NODE = node_modules/.package-lock.json

$(NODE): package-lock.json
	@command -v npm > /dev/null || \
	  { echo "Deploying needs Node 20.19 or newer, with npm: https://nodejs.org/" >&2; exit 1; }
	@echo "Installing package-lock.json into $(@D)."
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

##@ Use

.PHONY: run
run: $(LOCAL) $(AWS) ## Run the site, its X-Ray and its AWS (SITE_PORT, XRAY_PORT, AWS_PORT, OTLP_PORT)
	@$(RUN) scripts.run

.PHONY: lambda
lambda: $(DEV) $(AWS) ## The same, as a Lambda function behind an API Gateway (LAMBDA_PORT)
	@$(RUN) scripts.lambda_run

.PHONY: traffic
traffic: $(RUNTIME) ## Browse the running site, for traces to look at (SITE_URL, SECONDS, REQUESTS)
	@$(RUN) scripts.traffic

##@ Develop

.PHONY: install
install: $(DEV) $(AWS) ## Make .venv and .venv-aws with all that the other targets need

.PHONY: check
check: lint types test ## Do what CI does: lint, types, test

.PHONY: lint
lint: $(DEV) ## Look for mistakes and for what `make format` would change
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

.PHONY: types
types: $(DEV) ## Check the types
	@$(RUN) mypy

.PHONY: test
test: $(DEV) $(AWS) ## Run every test (PYTEST_FLAGS)
	@$(RUN) pytest $(PYTEST_FLAGS)

.PHONY: coverage
coverage: $(DEV) $(AWS) ## Do it again, and tell which lines and branches no test runs
	@$(RUN) pytest --cov --cov-report=term-missing:skip-covered $(PYTEST_FLAGS)

.PHONY: format
format: $(DEV) ## Lay the code out as `make lint` wants it
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

.PHONY: bench
bench: $(DEV) $(AWS) $(BENCH) ## Measure what a request costs, with tracing and without
	@$(RUN) benchmarks

.PHONY: screenshot
screenshot: $(DEV) $(AWS) ## Make the pictures of README and docs again (needs Chromium)
	@$(RUN) scripts.screenshot
	@$(RUN) scripts.console_pictures

##@ Deploy

.PHONY: package
package: $(DEV) ## Make the function's zip, build/movies.zip (FLAGS="--postgresql")
	@$(RUN) scripts.package $(FLAGS)

# Which deployment, and which of its functions: web, or manage.
STAGE ?= dev
FUNCTION ?= web
DATA ?= {"manage": ["check"]}

.PHONY: deploy
deploy: $(DEV) $(NODE) ## Put the site on AWS, or bring it up to date there (STAGE, SEED=1, FLAGS)
	@npx serverless deploy --stage $(STAGE) $(if $(SEED),--seed) $(FLAGS)

.PHONY: info
info: $(DEV) $(NODE) ## Say where the deployed site and its traces are (STAGE)
	@npx serverless info --stage $(STAGE) $(FLAGS)

.PHONY: logs
logs: $(NODE) ## Show a deployed function's log (STAGE, FUNCTION, FLAGS=--tail)
	@npx serverless logs --stage $(STAGE) --function $(FUNCTION) $(FLAGS)

.PHONY: invoke
invoke: $(NODE) ## Call a deployed function, see its answer and its log (STAGE, FUNCTION, DATA)
	@npx serverless invoke --stage $(STAGE) --function $(FUNCTION) --data '$(DATA)' --log $(FLAGS)

.PHONY: manage
manage: $(DEV) ## Run a management command there (STAGE, ARGS="showmigrations")
	@$(RUN) scripts.deployed --stage $(STAGE) manage $(ARGS)

.PHONY: rollback
rollback: $(DEV) $(NODE) ## Go back to an earlier deployment (STAGE, TO; lists them without TO)
	@npx serverless rollback --stage $(STAGE) $(if $(TO),--timestamp $(TO)) $(FLAGS)

.PHONY: remove
remove: $(DEV) $(NODE) ## Remove the site from AWS (STAGE, FLAGS)
	@npx serverless remove --stage $(STAGE) $(FLAGS)

##@ Keep

.PHONY: lock
lock: $(DEV) ## Pin the newest versions that pyproject.toml allows (UPGRADE=--upgrade)
	@$(LOCK) -o requirements.txt
	@$(RUN) uv pip compile --group local $(LOCK_FLAGS) -c requirements.txt -o requirements-local.txt
	@$(LOCK) --group dev --group local -c requirements.txt -o requirements-dev.txt
	@$(RUN) uv pip compile --group aws $(LOCK_FLAGS) -o requirements-aws.txt
	@$(RUN) uv pip compile benchmarks/requirements.in $(LOCK_FLAGS) -o requirements-bench.txt

LOCK_FLAGS = --quiet --universal --generate-hashes --python-version 3.11 $(UPGRADE)
LOCK = $(RUN) uv pip compile pyproject.toml $(LOCK_FLAGS)

.PHONY: clean
clean: ## Remove caches, reports and builds (not .venv, nor the data in .local)
	@test ! -d build/lambda || chmod -R u+w build/lambda
	@rm -rf .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
	  .serverless build htmlcov staticfiles
	@find . -name __pycache__ -not -path './.venv*' -not -path './node_modules/*' \
	  -prune -exec rm -rf {} +

.PHONY: help
help: ## Print this list
	@awk 'BEGIN { FS = ":.*## " } \
	  /^##@ / { printf "%s%s\n", gap, substr($$0, 5); gap = "\n" } \
	  /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

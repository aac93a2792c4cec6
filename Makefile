# `make` lists what there is. Nothing here needs more than Python 3.11, make and a package index; `make services` adds
# the rest on Debian.
PORT ?= 8000
ARGS ?=
PYTHON ?=
FLEET_PORT ?=
FLEET_HOSTS ?=
export PYTHON FLEET_PORT FLEET_HOSTS

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
PY := .venv/bin/python
COMPILE := uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make requirements"
# The tests that start something besides Python, by their marks.
SERVICES := mariadb or redis or nginx or chromium or axe or vnu or lighthouse or networks or gunicorn or wrk or systemd or alone
MANAGE := DJANGO_SETTINGS_MODULE=tests.settings $(PY) manage.py
PROSE := --ignore var --ignore tests --ignore static --add-location file --no-wrap

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: ## start the blog on http://127.0.0.1:8000 (PORT=8001 for another port)
	@sh deploy/bootstrap.sh base
	@exec $(PY) manage.py start --port "$(PORT)"

.PHONY: fleet
fleet: ## start a whole fleet on this machine: http://127.0.0.1:8080 (FLEET_PORT=9080, FLEET_HOSTS=3; data in var/fleet)
	@sh deploy/bootstrap.sh prod
	@exec $(PY) -m deploy.fleet start

.PHONY: fleet-status
fleet-status: ## say which parts of the fleet answer
	@exec $(PY) -m deploy.fleet status

.PHONY: fleet-reload
fleet-reload: ## upgrade the fleet host by host, with no request lost
	@sh deploy/bootstrap.sh prod
	@exec $(PY) -m deploy.fleet reload

.PHONY: fleet-manage
fleet-manage: ## run one of manage.py's commands on the fleet (ARGS=doctor, ARGS="import_markdown ~/posts")
	@exec $(PY) -m deploy.fleet manage $(ARGS)

.PHONY: fleet-stop
fleet-stop: ## stop the fleet, all of it
	@exec $(PY) -m deploy.fleet stop

.PHONY: test
test: ## run the tests on SQLite and on MariaDB (ARGS="-k floor" for some of them)
	@sh deploy/bootstrap.sh dev prod-if-possible
	@exec $(PY) -m pytest $(ARGS)

.PHONY: test-quick
test-quick: ## run the tests that need nothing but Python and SQLite
	@sh deploy/bootstrap.sh dev
	@exec $(PY) -m pytest -q --database sqlite -m "not ($(SERVICES))" $(ARGS)

.PHONY: bench
bench: ## measure how fast the blog is here (ARGS="--posts 100000" with a large one as well)
	@sh deploy/bootstrap.sh dev prod-if-possible
	@exec $(PY) -m tests.bench $(ARGS)

.PHONY: screenshots
screenshots: ## take the pictures in docs/screenshots anew (needs Chromium)
	@sh deploy/bootstrap.sh dev
	@DJANGO_SETTINGS_MODULE=tests.settings $(PY) -m tests.screenshots

.PHONY: services
services: ## install the Debian packages that the tests and the benchmark use
	@sh deploy/services.sh

.PHONY: lint
lint: ## check style (ruff), types (mypy), translations and the words of comments and documents
	@sh deploy/bootstrap.sh dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m tests.messages
	$(PY) -m tests.words

.PHONY: format
format: ## rewrite the Python files in the house style
	@sh deploy/bootstrap.sh dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

.PHONY: requirements
requirements: ## pin the newest requirements, with hashes (needs uv)
	@command -v uv >/dev/null || { echo "uv is missing: install it (pip install uv) and run make requirements again." >&2; exit 1; }
	cd requirements && for set in base prod dev; do $(COMPILE) $$set.in -o $$set.txt || exit 1; done

.PHONY: messages
messages: ## collect and compile the translations
	@sh deploy/bootstrap.sh dev
	@command -v msgfmt >/dev/null || { echo "gettext is missing: make services installs it." >&2; exit 1; }
	@mkdir -p locale
	$(MANAGE) makemessages --locale zh_Hans $(PROSE)
	$(MANAGE) compilemessages --locale zh_Hans --ignore .venv

.PHONY: clean
clean: ## remove what the tools made (your blog in var/ and .env stay)
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
	find apps blog_xtg tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Every target sets up what it needs: a fresh machine wants Python 3.11+, make and git, and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= auto
# Of which commit `make mutants` measures the suite, how many mutants in all, and of which kind: plain or conditional.
COMMIT ?= HEAD
N ?= 200
KIND ?= plain
# Which reports `make report` shows side by side: folders; none is all of reports/.
REPORTS ?=
# Which right hubs `make latitude` runs the suite on: an expression of pytest's -k; nothing is all of them.
RIGHT ?=
# `make test AGAIN=--last-failed` runs what failed the last time, and nothing else; so for each target that tests something.
AGAIN ?=
PIP := $(BIN)/python -m pip install --disable-pip-version-check
# What of pip's lines `make setup` shows: a minute of silence looks like a machine that hangs.
HOW_FAR := awk '/^Collecting / { if (++n % 20 == 0) { print "make:   " n " found"; fflush() } } /^Installing / { print "make:   installing them"; fflush() }'
ALLURE := .venv-allure
AUDIT := .venv-audit
# Further words of pip-audit: another service of vulnerabilities, one that is known and ignored, with the reason.
AUDIT_OPTIONS ?=
# A test of ours that hangs ends after so many seconds, with every stack. A run of the suite needs no such thing.
HANG := -o faulthandler_exit_on_timeout=true -o faulthandler_timeout=

.PHONY: help setup conformance devices device-only report test lint format interop strangers faults kill-matrix mutants mutants-tool isolation latitude controls hostile bench idle wheel dist audit lock clean

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(READY): requirements/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "make: $(PYTHON) is older than Python 3.11. Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 4; }
	@echo "make: an environment in $(VENV), of $(PYTHON): $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@echo "make: $$(grep -c '^[a-zA-Z0-9].*==' requirements/lock.txt) packages, locked and hashed, by pip; a minute or two the first time"
	@{ $(PIP) --require-hashes --requirement requirements/lock.txt; echo $$? >$(VENV)/.pip; } | $(HOW_FAR)
	@exit $$(cat $(VENV)/.pip)
	@echo "make: this checkout, editable"
	@$(PIP) --quiet --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "make: ready. In a shell: . $(BIN)/activate"

setup: $(READY) ## make the virtual environment from the locked, hashed versions

conformance: $(READY) ## run the suite against the embedded hub, in both editions, and print the verdicts
	$(BIN)/pytest --profile=emulator -n $(WORKERS)
	$(BIN)/pytest --profile=emulator-current -n $(WORKERS)

devices: $(READY) ## judge the reference device, and prove that each clause about devices turns red on a wrong one
	$(BIN)/pytest --profile=device-paho -n $(WORKERS)
	$(BIN)/pytest $(AGAIN) tests/devices -n 4 $(HANG)600

device-only: $(READY) ## run what needs no service side
	$(BIN)/pytest --profile=device-only -n $(WORKERS)

report: $(READY) ## render all reports as one page of Allure's, reports/allure.html (wants Node 20)
	@$(BIN)/python -m conformance allure --check $(REPORTS) >/dev/null
	@$(MAKE) --no-print-directory $(ALLURE)/.ready
	$(BIN)/python -m conformance allure --generator $(ALLURE)/node_modules/allure/cli.js $(REPORTS)

$(ALLURE)/.ready: requirements/allure/package-lock.json
	@command -v npm >/dev/null \
		|| { echo "make: npm: not found in PATH. Allure's page wants Node 20 or newer with npm: install it, then run this again." >&2; exit 4; }
	rm -rf $(ALLURE)
	mkdir $(ALLURE)
	cp requirements/allure/package.json requirements/allure/package-lock.json $(ALLURE)
	npm ci --loglevel=error --ignore-scripts --no-audit --no-fund --prefix $(ALLURE) \
		|| { echo "make: npm could not install Allure's generator, see above: it wants a registry the first time." >&2; exit 1; }
	@touch $@

# Their runs are of wrong hubs and pretended ones: no summaries of a job.
test faults kill-matrix mutants mutants-tool latitude controls hostile wheel: export GITHUB_STEP_SUMMARY :=

test: $(READY) ## run the project's own tests
	$(BIN)/pytest $(AGAIN) tests --ignore=tests/faults --ignore=tests/devices/test_wrong_devices.py --ignore=tests/devices/test_impostors.py --ignore=tests/mutants --ignore=tests/controls --ignore=tests/isolation --ignore=tests/latitude/test_latitude.py --ignore=tests/field/test_field.py --ignore=tests/packaging --ignore=tests/hostile/test_reports_open.py --ignore-glob='tests/interop/test_package_*' --ignore-glob='tests/interop/test_idle_*' -n $(WORKERS) $(HANG)120

lint: $(READY) ## style, types, and which part may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/zizmor --offline --quiet .github/workflows action.yml

format: $(READY) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

interop: $(READY) ## let clients of Microsoft's and of strangers, unmodified, use the embedded hub
	$(BIN)/pytest $(AGAIN) tests/interop -m 'not outside_ci' $(HANG)900

strangers: $(READY) ## let all strangers' clients use it, Java's and older ones too, and be idle (a quarter of an hour; not in CI)
	$(BIN)/pytest tests/interop $(HANG)900

faults: $(READY) ## prove that each clause turns red on a hub with a fault in it
	$(BIN)/pytest $(AGAIN) tests/faults -n 2 $(HANG)300

kill-matrix: $(READY) ## run the whole suite on each wrong hub: reports/kill-matrix.md (hours; goes on where it stopped)
	PYTHONPATH=tests $(BIN)/python tests/faults/kill_matrix.py --jobs 2

mutants: $(READY) ## hold random mutants of the hub against the suite, drawn by a commit (hours; goes on where it stopped)
	$(BIN)/python tests/mutants --commit $(COMMIT) --number $(N) --kind $(KIND)

mutants-tool: $(READY) ## test what draws and judges them, on five fixed ones
	$(BIN)/pytest $(AGAIN) tests/mutants -n 2 $(HANG)300

isolation: $(READY) ## prove that order, workers and other runs change no verdict
	$(BIN)/pytest tests/isolation $(HANG)900

latitude: $(READY) ## run the whole suite on right hubs that differ, on hubs of public reports, and on one far away: nothing is red (an hour)
	$(BIN)/pytest $(AGAIN) tests/latitude tests/field -n 2 -k '$(RIGHT)' $(HANG)2700

controls: $(READY) ## prove that nothing is green on targets that are no hub
	$(BIN)/pytest $(AGAIN) tests/controls -n 4 $(HANG)1600

hostile: $(READY) ## run the suite on hubs that say too much: each run ends, and its report opens
	$(BIN)/pytest $(AGAIN) tests/hostile/test_reports_open.py -n 2 $(HANG)300

bench: $(READY) ## measure the embedded hub side by side with mosquitto, the page of a report, and reports of hostile hubs
	$(BIN)/python benchmarks/round_trips.py
	$(BIN)/python benchmarks/many_devices.py
	$(BIN)/python benchmarks/service_side.py
	$(BIN)/python benchmarks/tap.py
	$(BIN)/python benchmarks/report_page.py
	$(BIN)/python benchmarks/reports_of_hostile_hubs.py

idle: $(READY) ## let the embedded hub do nothing for an hour and watch its memory
	$(BIN)/python benchmarks/idle.py

dist: $(READY) ## build the wheels, that of the whole and that of the hub alone, with a list of what is in them
	$(BIN)/python distributions/build.py dist

audit: $(AUDIT)/.ready ## ask for known vulnerabilities of what requirements/lock.txt names
	$(AUDIT)/bin/pip-audit --progress-spinner off --disable-pip --require-hashes --requirement requirements/lock.txt $(AUDIT_OPTIONS)

$(AUDIT)/.ready: requirements/audit.txt
	rm -rf $(AUDIT)
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/audit.txt
	@touch $@

wheel: $(READY) ## build the wheel, install it in an empty directory, and run the suite from there
	$(BIN)/pytest tests/packaging -n 2 --dist loadfile $(HANG)900

lock: ## resolve the locked, hashed versions anew
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" \
		--quiet --group dev --output-file requirements/lock.txt pyproject.toml
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" \
		--quiet --no-deps --output-file requirements/profiling.txt requirements/profiling.in
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" \
		--quiet --output-file requirements/audit.txt requirements/audit.in
	for package in azure-iot-hub azure-eventhub azure-iot-device azure-iot-device-2.0 adafruit-circuitpython-azureiot iotc; do \
		$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" \
			--quiet --output-file requirements/interop-$$package.txt requirements/interop-$$package.in || exit 1; \
	done
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.12 --custom-compile-command "make lock" \
		--quiet --output-file requirements/interop-azure-iot-hub-mcp-server.txt requirements/interop-azure-iot-hub-mcp-server.in
	for folder in node node-2019 node-event-hubs-0 node-event-hubs-1 node-event-hubs-2; do \
		(cd tests/interop/$$folder && npm install --package-lock-only --silent) || exit 1; \
	done
	rm -rf .venv-interop/jars && mvn -q -B -f tests/interop/java/pom.xml -DincludeScope=runtime -DoutputDirectory=$(CURDIR)/.venv-interop/jars \
		org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies
	cd .venv-interop/jars && sha256sum *.jar >$(CURDIR)/tests/interop/java/jars.sha256
	cd requirements/allure && npm install --package-lock-only --silent

clean: ## remove what the targets above made
	rm -rf $(VENV) $(ALLURE) $(AUDIT) .venv-interop build dist reports/emulator reports/emulator-current reports/device-only reports/device-paho reports/*.partial \
		reports/*.again reports/allure.html

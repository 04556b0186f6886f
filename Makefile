# Two commands do everything: `make demo` and `make test`. `make help` lists
# the rest.

GO      ?= go
BIN     := bin/whet
LINT    := $(GO) tool -modfile=.ci/tools/go.mod golangci-lint
FUZZTIME ?= 20s

.PHONY: demo
demo: $(BIN) ## analyze a real recording and print what people did in it
	@$(BIN) demo

.PHONY: build
build: $(BIN) ## build bin/whet

.PHONY: $(BIN)
$(BIN):
	@$(GO) build -trimpath -ldflags '-s -w' -o $(BIN) ./cmd/whet

.PHONY: test
test: test-go web-test ## run every test: Go with the race detector, the web app in a browser

.PHONY: test-go
test-go:
	$(GO) vet ./...
	$(GO) test -race -timeout 40m ./...

.PHONY: lint
lint: ## run the linters of .golangci.yml
	$(LINT) run ./...
	cd lab && $(LAB_LINT) run --config ../.golangci.yml $(LAB_LINTED)

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME
	@for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

.PHONY: bench
bench: ## run the benchmarks of every package
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: figures
figures: $(BIN) ## print the figures of docs/accuracy.md
	@for r in day crowd medium v136 short; do for v in audit metadata; do \
		echo "whet evaluate --no-model --truth recordings/$$r recordings/$$r.$$v.jsonl.zst"; \
		$(BIN) evaluate --no-model --truth recordings/$$r recordings/$$r.$$v.jsonl.zst || exit 1; \
	done; done

.PHONY: speed
speed: ## compare whet with jq on a log of 1 GB; needs jq and 4 GB of disk
	$(GO) run ./tools/speed recordings/day.audit.jsonl.zst

.PHONY: golden
golden: ## write the golden files anew; read the diff before you commit it
	$(GO) test ./link ./cmd/whet ./pipeline -update

include lab/Makefile.inc
include live/Makefile.inc
include model/Makefile.inc
include store/Makefile.inc
include web/Makefile.inc

.PHONY: help
help: ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

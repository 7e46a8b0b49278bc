# Streamer's commands. `make` lists them; README.md and CONTRIBUTING.md say when to use which.
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMAGE   ?= streamer:$(VERSION)

# Pinned, and outside go.mod: the linter's 200 modules are none of the product's.
LINT_VERSION := v2.15.0
LINT         := bin/golangci-lint-$(LINT_VERSION)
VULN_VERSION := v1.9.0
VULN         := bin/govulncheck-$(VULN_VERSION)

HELM_VERSION := v4.3.1
HELM         := bin/helm-$(HELM_VERSION)
STRICT       := bin/strict

# The race detector needs a C compiler. Without one the tests still run; CI has one.
RACE := $(shell test "$$($(GO) env CGO_ENABLED)" = 1 && command -v $$($(GO) env CC) >/dev/null 2>&1 && echo -race)

.DEFAULT_GOAL := help
.PHONY: help build demo test test-unit test-integration chaos chaos-long chaos-mutants bench bench-go lint vuln fmt deploy-check docker clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build bin/streamer
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/streamer ./cmd/streamer

# Not by `go run`: it turns the Ctrl-C that ends a demo into an error.
demo: build ## Watch it work: an embedded broker, generated ad events, a live table (Ctrl-C ends it)
	@bin/streamer demo $(DEMO)

test: test-unit test-integration ## Run every test, with the best Kafka found: Docker, else Java and Maven, else embedded

# The simulation once more, without the race detector, which would make ten times as many schedules take minutes. The tag
# makes the Kafka client's locks such that virtual time passes while one is waited for: the classic protocol needs that.
test-unit: ## Run the tests that need no broker
	$(GO) test $(RACE) -timeout 5m ./internal/... ./cmd/... ./bench/... ./deploy/...
	$(GO) test -tags synctests -timeout 5m -run '^TestSimulation$$' ./internal/streamer -seeds 2000

# Without the race detector: it would watch the harness, not the binary, and the cores are wanted for brokers.
test-integration: ## Run the built binary against a broker; STREAMER_TEST_REQUIRE=docker refuses a lesser one
	$(GO) test -timeout 10m ./integration/...

# A broker that may be killed; SEED says which schedule. CHAOS=-short has half of each fault, CHAOS="-run 'TestChaos/.*/kill'" one kind.
CHAOS_TEST = STREAMER_TEST_BROKER=process STREAMER_TEST_REQUIRE=kafka $(GO) test -tags chaos -count=1 -v ./integration/chaos
SEED ?= 1
FOR  ?= 30m

chaos: ## Inject every kind of fault under load and check that nothing is lost (Java, Maven; docs/reliability.md)
	$(CHAOS_TEST) -timeout 30m -run '^TestChaos$$' $(CHAOS) -seed $(SEED)

chaos-long: ## The same for FOR=30m with seeds that are drawn, or from SEED on
	$(CHAOS_TEST) -timeout 0 -run '^TestChaos$$' $(CHAOS) -for $(FOR) -seed $(if $(filter command line,$(origin SEED)),$(SEED),0)

chaos-mutants: ## Prove the checks: services that lose data must be caught
	$(CHAOS_TEST) -timeout 30m -run '^TestMutants$$' $(CHAOS) -seed $(SEED)

bench: bench-go ## Measure: the parts, then the binary beside bench/limit (Java, Maven); docs/benchmarks.md
	$(GO) run ./bench/run $(BENCH)

# One at a time: two packages at once would measure each other. -run '^$$' leaves the tests out.
bench-go: ## Measure the parts alone: Go benchmarks
	$(GO) test -p 1 -run '^$$' -bench . -benchmem ./internal/...

lint: $(LINT) vuln ## Check style, layers, likely bugs and known vulnerabilities
	$(LINT) run --build-tags chaos ./...

# What is found fails. Without a way to the data base nothing is found: that says so and passes, or nobody could work offline.
vuln: $(VULN) ## Look for known vulnerabilities in what the code calls; needs the network
	@out=$$($(VULN) $(VULNFLAGS) ./... 2>&1); code=$$?; \
	case "$$code $$out" in \
	  "0 "*) echo "no known vulnerabilities" ;; \
	  "1 "*"govulncheck: fetching vulnerabilities: "*) \
	    echo "NOTICE: vulnerabilities were NOT looked for, their data base cannot be reached: $$out" ;; \
	  *) printf '%s\n' "$$out"; exit $$code ;; \
	esac

fmt: $(LINT) ## Format every file
	$(LINT) fmt ./...

# promtool, of Debian's package prometheus, and systemd-analyze are used where they are; the CI wants them too.
DEPLOY_TOOLS ?= helm,strict

deploy-check: $(HELM) $(STRICT) ## Check what is in deploy/: chart and manifests, unit, dashboard, alerts
	STREAMER_TEST_TOOLS='$(DEPLOY_TOOLS)' $(GO) test -count=1 ./deploy

$(LINT):
	GOBIN='$(CURDIR)/bin' $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv bin/golangci-lint $@

$(VULN):
	GOBIN='$(CURDIR)/bin' $(GO) install golang.org/x/vuln/cmd/govulncheck@$(VULN_VERSION)
	mv bin/govulncheck $@

$(HELM):
	GOBIN='$(CURDIR)/bin' $(GO) install helm.sh/helm/v4/cmd/helm@$(HELM_VERSION)
	mv bin/helm $@

$(STRICT): $(wildcard deploy/strict/*)
	$(GO) build -C deploy/strict -o '$(CURDIR)/$@' .

docker: ## Build the container image
	docker build --build-arg VERSION='$(VERSION)' -t '$(IMAGE)' .

clean: ## Remove what make built
	rm -rf bin

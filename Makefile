# The habits of this house. `make help` lists them.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
TOOLS   := $(CURDIR)/.tools
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
# Two of these hold a Docker Engine and balancers at once; more would only make them wait for each other.
TESTFLAGS ?= -race -timeout 20m

help: ## list what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## deploy three versions on the embedded engine, one of them broken; needs only Go and git
	$(GO) run ./cmd/slipway demo $(DEMOFLAGS)

build: ## build bin/slipway and bin/ecs-deploy
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/slipway ./cmd/slipway
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ecs-deploy ./cmd/ecs-deploy

test: setup ## everything that proves the product: unit, seams, acceptance, real clients
	test/run $(MAKE) --no-print-directory unit acceptance

unit: ## every room's own tests, seams included; needs a Docker Engine
	$(GO) test $(TESTFLAGS) $$($(GO) list ./... | grep -v /acceptance)

# By itself, because it measures traffic and time: other packages' tests beside it would only be in its way.
acceptance: ## the command line's scripts, deployments under traffic, kill -9; needs a Docker Engine
	$(GO) test $(TESTFLAGS) ./acceptance

setup: ## install what the tests need (Debian packages, when root); start nothing
	test/setup

lint: $(TOOLS)/golangci-lint ## style, as .golangci.yaml explains it
	$(TOOLS)/golangci-lint run ./...
	@test -z "$$($(TOOLS)/gofumpt -l $$(git ls-files '*.go'))" || { $(TOOLS)/gofumpt -l $$(git ls-files '*.go'); echo 'run: make fmt'; exit 1; }

fmt: $(TOOLS)/golangci-lint ## format all Go files
	$(TOOLS)/gofumpt -w $$(git ls-files '*.go')

FUZZTIME ?= 30s
fuzz: ## fuzz every parser for FUZZTIME (30s) each
	@for pkg in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -h --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*' $$pkg/*_test.go | sed 's/func //'); do \
	    echo "== $$pkg $$f"; $(GO) test $$pkg -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME); done; done

bench: ## ratios against a baseline in the same run; needs nginx and wrk, too
	test/setup bench
	test/run $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./bench

soak: ## the long runs: hundreds of deployments under traffic, a million requests; SOAKFLAGS='-soak.rate 500'
	test/run $(GO) test -tags soak -run '^TestSoak' -timeout 3h -v ./acceptance $(SOAKFLAGS)

cross: ## build for every platform that is released
	@for p in linux/amd64 linux/arm64 darwin/arm64; do \
	  for c in slipway ecs-deploy; do \
	    echo $$c $$p; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/$$c-$${p%/*}-$${p#*/} ./cmd/$$c; done; done

$(TOOLS)/golangci-lint: tools/go.mod tools/go.sum
	cd tools && GOBIN=$(TOOLS) $(GO) build -o $(TOOLS)/ tool
	@touch $@

.PHONY: help demo build test unit acceptance setup lint fmt fuzz bench soak cross

# All that it takes is Go, make and git; the rest comes with go.mod.

SHELL    := bash
DATA     ?= data
FUZZTIME ?= 1m
BENCH    ?= .
TIMEOUT  ?= 9m
# The race detector needs a C compiler; where there is none, tests run without it.
RACE     := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)
WASIP1   := GOOS=wasip1 GOARCH=wasm
CORE     := ./core ./core/lww ./core/wire
NODES    := 1 2 3 4

.PHONY: help
help: ## show this
	@echo 'NanoRing: make TARGET, where TARGET is'
	@awk -F':.*## ' '/^[a-z_%]+:.*## / { sub("%", "1..4", $$1); printf "  %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: build ## start four nodes as one ring, and watch them come up (Ctrl-C stops them)
	@bin/nanoring demo --data $(DATA)/demo

.PHONY: build
build: ## build bin/nanoring
	@go build -o bin/ ./cmd/nanoring

.PHONY: multi_start
multi_start: build ## start dev1..dev4, each alone in its ring, each in a terminal of its own
	@if [ -n "$$DISPLAY" ] && command -v xterm >/dev/null; then \
		for n in $(NODES); do xterm -T dev$$n -e $(MAKE) -s start_dev$$n & done; wait; \
	elif command -v tmux >/dev/null && [ -t 0 ] && [ -t 1 ]; then \
		tmux -L nanoring new-session -d -s nanoring '$(MAKE) -s start_dev1'; \
		for n in $(filter-out 1,$(NODES)); do \
			tmux -L nanoring split-window -t nanoring '$(MAKE) -s start_dev'$$n; \
			tmux -L nanoring select-layout -t nanoring tiled >/dev/null; \
		done; \
		tmux -L nanoring set-option -t nanoring mouse on; \
		TMUX= tmux -L nanoring attach-session -t nanoring; \
	else \
		for n in $(NODES); do \
			$(MAKE) -s start_dev$$n 2>&1 | (trap '' INT TERM; exec sed -u "s/^/dev$$n | /") & \
		done; trap : INT TERM; wait; wait; \
	fi

.PHONY: start_dev%
start_dev%: build ## start one of them in the foreground
	@exec bin/nanoring node --name dev$* --listen 127.0.0.1:700$* --data $(DATA)/dev$*

.PHONY: test
test: ## check and test everything, as CI does
	@echo '== gofmt'; out=$$(gofmt -l .); if [ -n "$$out" ]; then echo "not formatted: run gofmt -w" $$out; exit 1; fi
	@echo '== go vet'; go vet ./... && $(WASIP1) go vet $(CORE)
	@echo '== staticcheck'; go build -o bin/ honnef.co/go/tools/cmd/staticcheck && bin/staticcheck ./... && $(WASIP1) bin/staticcheck $(CORE)
	@echo '== go test $(RACE)'; go test $(RACE) -timeout $(TIMEOUT) ./...

.PHONY: bench
bench: ## run the benchmarks (BENCH=regexp picks some)
	@go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 30m $$(grep -rl --include='*_test.go' '^func Benchmark' . | xargs -n 1 dirname | sort -u) \
	| awk '{ print } /^Benchmark/ { sub(/-[0-9]+$$/, "", $$1); ns[$$1] = $$3 } \
		END { for (b in ns) if ((b "Vmihailenco") in ns) printf "%s: %.1f times as fast as vmihailenco/msgpack\n", b, ns[b "Vmihailenco"] / ns[b] }'

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (default 1m) each
	@set -e; grep -rhoE --include='*_test.go' --with-filename '^func Fuzz[A-Za-z0-9_]*' . | sort | while IFS=: read -r file target; do \
		target=$${target#func }; echo "== $$target ($$(dirname $$file)) for $(FUZZTIME)"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$(dirname $$file) </dev/null; \
	done

.PHONY: clean
clean: ## delete what was built, and the data of the dev nodes and of the demo
	@rm -rf bin $(DATA)/dev* $(DATA)/demo

# All that it takes is Go, make and git; the rest comes with go.mod. The tests of the
# page want Chromium, Node.js and npm, at night Firefox, too, those of a real network iproute2
# and nftables: what runs them installs them where apt-get is, and says so where it is not.

SHELL    := bash
DATA     ?= data
FUZZTIME ?= 1m
BENCH    ?= .
N        ?= 64
TIMEOUT  ?= 15m
SEEDS    ?= 5000
SEED     ?= 1
MINUTES  ?= 30
EVERY    ?= 4h
PREFIX   ?= /usr/local
DEBIAN   ?= /tmp/nanoring-debian
SIEGE    ?= 10m
ROUNDS   ?= 10
KEPT     ?= testdata/released
KEEPING   = $(KEPT)/$(shell sed -n 's/^const Version = "\(.*\)"$$/\1/p' version.go)
# The race detector needs a C compiler; where there is none, tests run without it. What
# compiles and compresses modules is not watched: that would make it five and ten times as slow.
# The rest of wazero is: its copies of generic code, as of sync.Map, may be those that all run.
RACE     := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race -gcflags=compress/flate=-race=false \
	$(patsubst %,-gcflags=github.com/tetratelabs/wazero/internal/engine/wazevo/%=-race=false,ssa frontend backend/...))
# The older garbage collector of Go 1.26 is a sixtieth of the module smaller than the
# newer one, and no slower on the one thread that there is. What is checked is compiled alike, and so once.
WASIP1   := GOOS=wasip1 GOARCH=wasm GOEXPERIMENT=nogreenteagc
# What go test vets by itself, go vet has vetted.
GOTEST   := go test -vet=off -timeout $(TIMEOUT)
# What of host has one goroutine: the twins, and modules that are hostile, damaged or large.
ALONE    := '^(Test(Schedules|Stories|Storms|Talks|Recordings|LargeRing|Takeover|MemoryIsFlat|MemoryOfARingOf1000|WindowOfALargeRing|StepsWithoutGarbage|Cache|Traps|CutAndFlipped|Imports|Counts|Refused)|Fuzz.*)$$'
# What of cmd/nanoring is long, and holds once more, by another browser, engine or bundler, what other tests of it hold: make slow.
SLOW     := '^Test(Firefox|OldBrowsers|Bundlers|ScriptsInSandbox)$$|^TestStory[378]/^wasm$$'
MODULE   := wasm/module/nanoring.wasm
NODES    := 1 2 3 4

.PHONY: help
help: ## show this
	@echo 'NanoRing: make TARGET, where TARGET is'
	@awk -F':.*## ' '/^[a-z_%-]+:.*## / { sub("%", "1..4", $$1); printf "  %-14s %s\n", $$1, $$2 }' Makefile

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

.PHONY: module
module: wasm ## build the core as a WebAssembly module, the same bytes everywhere, and compress it: commit both with what changed them
	@go run ./wasm/squeeze $(MODULE)

.PHONY: wasm
wasm:
	@$(WASIP1) GOTOOLCHAIN=$$(awk '$$1 == "toolchain" { print $$2 }' go.mod) go build -trimpath -buildvcs=false -buildmode=c-shared -ldflags='-s -w -buildid=' -o $(MODULE) ./wasm

# $(call get,packages,what needs them) installs Debian's packages, if there are any to install.
get = [ -z "$(1)" ] || { echo "== installing" $(1); command -v apt-get >/dev/null || { echo "$(2) need" $(1)": install it"; exit 1; }; \
	as_root=; [ $$(id -u) = 0 ] || as_root=sudo; $$as_root apt-get update -qq && $$as_root apt-get install -y -qq $(1) >/dev/null; }

.PHONY: browser
browser: # what the tests of the page need
	@missing=; command -v chromium chromium-browser google-chrome >/dev/null || missing=chromium; \
	command -v npm >/dev/null || missing="$$missing npm"; $(call get,$$missing,the tests of the page)
	@command -v chromium-headless-shell chrome-headless-shell >/dev/null || ! apt-cache show chromium-headless-shell >/dev/null 2>&1 || { \
		echo "with chromium-headless-shell the tests of the page take half the time"; $(call get,chromium-headless-shell,they); }

.PHONY: firefox
firefox: # what those of them need that are run at night
	@missing=; command -v firefox firefox-esr >/dev/null || missing=firefox-esr; $(call get,$$missing,the tests of the page)

.PHONY: network
network: # what the tests of a real network need; there are none where there is no Linux
	@[ $$(uname) = Linux ] || exit 0; missing=; PATH=$$PATH:/usr/sbin:/sbin; command -v ip >/dev/null || missing=iproute2; \
	command -v nft >/dev/null || missing="$$missing nftables"; $(call get,$$missing,the tests of a real network)

.PHONY: net
net: network ## have rings live through the faults of a real network, as long as real ones last: a quarter of an hour
	@go test ./cmd/nanoring/network -timeout 2h -v -network.long

.PHONY: soak
soak: network ## have all of that befall a ring at random, for MINUTES (default 30); SEED=1 SECRET=1 ENGINE=wasm
	@go test ./cmd/nanoring/network -timeout 0 -v -run '^TestSoak$$' -network.soak=$(MINUTES)m -network.seed=$(SEED) \
		$(if $(SECRET),-network.secret) $(if $(filter wasm,$(ENGINE)),-network.wasm)

.PHONY: upgrade
upgrade: ## roll a ring from the program FROM to today's and back, ROUNDS (default 10) times under load; without FROM from today's, with the other engine
	@go test ./cmd/nanoring -run '^TestUpgrade$$' -v -count 1 -timeout 0 -upgrade.rounds=$(ROUNDS) $(if $(FROM),-upgrade.from="$$(realpath '$(FROM)')")

.PHONY: siege
siege: ## attack a locked ring by a guest's token, then one by a reader's, for SIEGE (default 10m) each; ARGS='-siege.only relays,syncs' and more
	@go test ./cmd/nanoring/siege -timeout 0 -v -count 1 -siege.for=$(SIEGE) $(ARGS)

.PHONY: test
test: browser network ## check and test, as CI does: a quarter of an hour
	@echo '== gofmt'; out=$$(gofmt -l .); if [ -n "$$out" ]; then echo "not formatted: run gofmt -w" $$out; exit 1; fi
	@echo '== go vet'; go vet ./... && $(WASIP1) go vet ./wasm # the rest of the module is the same files
	@for p in linux/386 windows/amd64; do echo "== go vet, $$p"; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} go vet ./cmd/nanoring ./core ./native/... ./host || exit 1; done
	@echo '== staticcheck'; go build -o bin/ honnef.co/go/tools/cmd/staticcheck && bin/staticcheck ./... && $(WASIP1) bin/staticcheck -checks inherit,-U1000 ./wasm # what is exported to hosts looks unused
	@echo '== bench'; cd bench && go vet ./... && ../bin/staticcheck ./...
	@echo '== tsc'; cd web && npm ci --no-audit --no-fund --silent && npx tsc -p .
	@echo '== module'; $(MAKE) -s wasm MODULE=bin/nanoring.wasm && cmp bin/nanoring.wasm $(MODULE) || { echo "$(MODULE) is not what the source makes: run make module"; exit 1; }
	@echo '== every schedule of a small ring'; $(GOTEST) -v ./core/every -every.long
	@$(MAKE) -s -j 2 test-one test-many # beside each other: the first computes, the second mostly waits
	@NANORING_WATCHED='$(RACE)' $(GOTEST) -skip $(SLOW) ./cmd/nanoring # the command line, the page and the package: the nodes are watched, and not what drives browsers
	@$(GOTEST) ./cmd/nanoring/siege # whose attacker and nodes have processes of their own
	@$(GOTEST) $(RACE) ./cmd/nanoring/network # alone: who has no time for its neighbours looks dead
	@$(GOTEST) $(RACE) -run '^TestAllowed$$' -v ./cmd/nanoring/network | grep '^ *enter_test.go' || true # why no ring was tested on a network

.PHONY: test-one
test-one:
	@echo '== core, and both engines'; $(GOTEST) $$(go list ./... | grep -v -e core/every -e nanoring/cmd -e nanoring/native -e /examples) # one goroutine has each ring and each simulated world: a race detector would only make them slow

.PHONY: test-many
test-many:
	@echo '== go test $(firstword $(RACE))'; $(GOTEST) $(RACE) ./native/... ./examples/...
	@$(GOTEST) $(RACE) -skip $(ALONE) ./host # what runs more than one goroutine
	@$(GOTEST) $(RACE) -run '^Test(Workers|Plan)' ./core/sim # but for worlds of thousands

.PHONY: slow
slow: browser firefox ## what make test leaves to the night: Firefox, older browsers, bundlers, scripts with the sandboxed engine, the benchmarks' own tests
	@cd web && npm ci --no-audit --no-fund --silent
	@NANORING_WATCHED='$(RACE)' $(GOTEST) -run $(SLOW) ./cmd/nanoring
	@cd bench && $(GOTEST) -parallel 8 ./...

.PHONY: race
race: browser firefox network ## run all tests with the race detector, those of one goroutine too, which make test does without: hours
	@go test -race -timeout 0 ./...

.PHONY: manifests
manifests: ## hold deploy/kubernetes against kustomize, Kubernetes' own types, and its strictest security standard
	@cd deploy/kubernetes/check && go vet ./... && go test -count 1 ./...

.PHONY: every
every: ## live every schedule of a small ring, deeper than make test does: two minutes
	@$(GOTEST) -v ./core/every -every.deep

.PHONY: platforms
platforms: ## build the program for all the systems that it is for, and what embeds it for some: minutes, the first time
	@for p in linux/amd64 linux/arm64 linux/arm linux/386 linux/riscv64 darwin/amd64 darwin/arm64 freebsd/amd64 freebsd/arm64 windows/amd64 windows/arm64; do \
		echo "== $$p"; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} go build -o /dev/null ./cmd/nanoring || exit 1; done
	@for p in linux/386 darwin/arm64 freebsd/amd64 windows/amd64; do \
		echo "== $$p, all packages"; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} go build ./... || exit 1; done

.PHONY: twins
twins: ## hold both engines against each other, ten times as long as make test does: ten minutes
	@go test ./host -timeout 0 -run '^Test(Schedules|Storms|Talks|Stories)$$' -rapid.checks=10000 -host.seeds=40 -host.steps=0

.PHONY: sim-long
sim-long: build ## live thousands of random stories and the long plans in the simulator; takes hours (SEEDS=5000 EVERY=4h)
	@go test ./core/sim -timeout 0 -run '^TestSeeds$$' -sim.seeds=$(SEEDS)
	@go test ./core/sim -timeout 0 -sim.long -run '^(TestNoFalseDeath|TestPartitionsHeal|TestMassDeath|TestNoMemberIsLost|TestBigRing|TestSampleIsLikeTheWhole)$$'
	@go test ./host -timeout 0 -run '^TestStories$$' -host.steps=0
	@go test ./core/every -timeout 0 -run '^TestEvery$$' -v -every.deep -every.for=$(EVERY)
	bin/nanoring sim --nodes 1000 --guests 200 --latency 1ms-40ms --loss 2% --kill 30%@20s --partition 50%@30s+60s --churn 5/s --skew 2s --seed 7 --for 3m
	bin/nanoring sim --nodes 3000 --latency 1ms-40ms --power-off 100@10s --for 40s

.PHONY: mutants
mutants: ## break the core in a small way, again and again, and tell what the fast tests do not notice; ARGS='-n 300 -seed 2' and more: ARGS=-h
	@go build -o bin/ ./core/mutant && exec nice bin/mutant -log bin/mutants.log $(ARGS)

.PHONY: faults
faults: network ## put faults back that there once were, one at a time, and tell which search finds each; ARGS='03 w1' picks some
	@go build -o bin/ ./core/mutant && exec nice bin/mutant -faults -patience 10m $(ARGS)

.PHONY: runtimes
runtimes: browser ## run the package in Node.js 20 to 26, Bun and Deno, vitest and jest, which npm installs; on Linux, x64
	@cd web && npm ci --no-audit --no-fund --silent
	@cd cmd/nanoring/testdata/runtimes && npm install --no-save --ignore-scripts --no-audit --no-fund --silent # npm ci of newer versions takes the lock of an optional package amiss
	@go test ./cmd/nanoring -run '^TestRuntimes$$' -v -runtimes

.PHONY: bundlers
bundlers: browser ## test the npm package with every bundler that it works with, in Chromium
	@go test ./cmd/nanoring -run '^Test(Bundlers|Types)$$' -v -timeout 30m -bundlers

.PHONY: bench
bench: ## run the benchmarks (BENCH=regexp picks some)
	@go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 30m $$(grep -rl --include='*_test.go' '^func Benchmark' . | xargs -n 1 dirname | sort -u) \
	| awk '{ print } /^Benchmark/ { sub(/-[0-9]+$$/, "", $$1); ns[$$1] = $$3 } \
		END { for (b in ns) { if ((b "Vmihailenco") in ns) printf "%s: %.1f times as fast as vmihailenco/msgpack\n", b, ns[b "Vmihailenco"] / ns[b]; \
			n = b; if (sub("/wasm$$", "/native", n) && n in ns) printf "%s: %.1f times native\n", b, ns[b] / ns[n] } }'
	@echo "$(MODULE): $$(wc -c <$(MODULE)) bytes, $$(gzip -9 -c $(MODULE) | wc -c) compressed"

.PHONY: bench-peers
bench-peers: ## measure rings of N nodes (default 64) beside memberlist and serf; ARGS='-only crash -o json' and more: ARGS=-h
	@cd bench && go build -o ../bin/bench . && exec ../bin/bench -n $(N) $(ARGS)

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (default 1m) each
	@set -e; grep -rhoE --include='*_test.go' --with-filename '^func Fuzz[A-Za-z0-9_]*' . | sort | while IFS=: read -r file target; do \
		target=$${target#func }; echo "== $$target ($$(dirname $$file)) for $(FUZZTIME)"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$(dirname $$file) </dev/null; \
	done

.PHONY: picture
picture: ## draw docs/architecture.svg of the imports: commit it with what changed them
	@go test . -run '^TestPicture$$' -draw

.PHONY: vuln
vuln: ## look for known vulnerabilities in what the code calls; it asks Go's database, vuln.go.dev
	@go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

# What is installed, below PREFIX (and DESTDIR, for those who make packages). sudo has no Go, mostly, nor is the
# repository its user's: it installs what was built before.
BINDIR   := $(DESTDIR)$(PREFIX)/bin
SHARE    := $(DESTDIR)$(PREFIX)/share
BASH     := $(SHARE)/bash-completion/completions
ZSH      := $(SHARE)/zsh/site-functions
FISH     := $(SHARE)/fish/vendor_completions.d

.PHONY: install
install: ## install the program, its manual pages and completions below PREFIX (default /usr/local); as root: make, then sudo make install
	@[ -n "$$SUDO_USER" ] && [ -x bin/nanoring ] || $(MAKE) -s build
	@rm -rf bin/man && env HOME='~' XDG_STATE_HOME= bin/nanoring man bin/man
	@for shell in bash zsh fish; do env HOME='~' XDG_STATE_HOME= bin/nanoring completion $$shell >bin/completion.$$shell || exit 1; done
	@install -d '$(BINDIR)' '$(SHARE)/man/man1' '$(BASH)' '$(ZSH)' '$(FISH)'
	@install -m 755 bin/nanoring '$(BINDIR)/nanoring'
	@install -m 644 bin/man/*.1 '$(SHARE)/man/man1'
	@install -m 644 bin/completion.bash '$(BASH)/nanoring'
	@install -m 644 bin/completion.zsh '$(ZSH)/_nanoring'
	@install -m 644 bin/completion.fish '$(FISH)/nanoring.fish'
	@echo 'installed $(BINDIR)/nanoring'

.PHONY: uninstall
uninstall: ## take away what make install has put below PREFIX
	@rm -f '$(BINDIR)/nanoring' '$(SHARE)/man/man1/'nanoring{,-*}.1 '$(BASH)/nanoring' '$(ZSH)/_nanoring' '$(FISH)/nanoring.fish'
	@echo 'took away $(BINDIR)/nanoring, and its pages and completions'

.PHONY: packaging
packaging: ## check and test what makes releases: packages and images of a few bytes are made twice, and looked at (a minute of a processor where nothing is compiled)
	@go build -o bin/ honnef.co/go/tools/cmd/staticcheck && cd packaging && go vet . && ../bin/staticcheck . && $(GOTEST) .

.PHONY: release
release: ## make all that is published of a version into dist/, of a commit that has its tag (ONLY=linux/amd64,windows/arm64 for some); it takes npm
	@go -C packaging build -o ../bin/packaging . && exec bin/packaging $(if $(ONLY),-only $(ONLY))

.PHONY: keep
keep: keep-texts ## keep for ever what releases are held to, of the version that is there: vectors, the description of the API, the module, data folders; into testdata/released
	@go test ./cmd/nanoring -count 1 -run '^TestKeepData$$' -keep.data="$$(realpath '$(KEEPING)')/data" && echo "kept $(KEEPING): commit it"

.PHONY: keep-texts
keep-texts: # all of that but data folders, which nodes are run for
	@[ ! -e '$(KEEPING)' ] || { echo '$(KEEPING) is there, and what is kept never changes'; exit 1; }
	@mkdir -p '$(KEEPING)' && cp core/wire/testdata/vectors.json native/openapi.json wasm/module/nanoring.wasm.br '$(KEEPING)'

.PHONY: release-check
release-check: ## look at what make release has made: its checksums, programs, packages, and its image, whose program is run in a chroot
	@cd packaging && go test -count 1 -v -run '^TestDist' -dist ../dist

.PHONY: release-twice
release-twice: ## make the release in two clones, the second time as somebody else with nothing compiled, and compare them (ONLY=linux/amd64 for some)
	@set -e; dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; GOMODCACHE=$$(go env GOMODCACHE); \
	for to in one 'another one'; do git clone -q . "$$dir/$$to"; $(MAKE) -s -C "$$dir/$$to" release; \
		umask 077; mkdir -p "$$dir/home"; export TZ=Asia/Tokyo LC_ALL=C HOME="$$dir/home" GOCACHE="$$dir/compiled" GOMODCACHE; done; \
	diff -r "$$dir/one/dist" "$$dir/another one/dist" && echo "the same bytes: $$(ls "$$dir/one/dist" | wc -l) files"

.PHONY: debian
debian: ## as root: install the .deb of dist/ on fresh Debian hosts, and have them be a ring as the documents say; it takes debootstrap, and keeps what that makes in DEBIAN
	@[ $$(id -u) = 0 ] && command -v debootstrap unshare ip >/dev/null || { echo 'make debian takes root, debootstrap, unshare (util-linux) and ip (iproute2): apt install debootstrap util-linux iproute2'; exit 1; }
	@ls dist/*.deb >/dev/null 2>&1 || $(MAKE) -s release ONLY=linux/$$(go env GOARCH)
	@[ -e $(DEBIAN)/etc/debian_version ] || { rm -rf $(DEBIAN).new; debootstrap --variant=minbase bookworm $(DEBIAN).new && mv $(DEBIAN).new $(DEBIAN); }
	@cd packaging && go test -c -o ../bin/packaging.test . && unshare -n sh -c 'ip link set lo up; for n in 5 6 7; do ip address add 10.0.0.$$n/32 dev lo; done; \
		exec ../bin/packaging.test -test.v -test.timeout 30m -test.run "^TestDebian$$" -debian $(DEBIAN) -dist ../dist'

.PHONY: clean
clean: ## delete what was built, and the data of the dev nodes and of the demo
	@rm -rf bin dist $(DATA)/dev* $(DATA)/demo

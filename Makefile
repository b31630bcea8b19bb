# SPDX-License-Identifier: Apache-2.0
# The verbs, the same here and in CI. Everything is done by Meson, Ninja and the scripts in tools/.
#   make            build planck and the samples      make check    format, layering, banned calls
#   make demo       build and run the pizza shop      make bench    figures, written to build/bench.tsv
#   make test       every test (SAN=1: under AddressSanitizer and UBSan, SAN=thread: under TSan)
#   make sim        the storage engine in a simulated machine (SEEDS=2000 from SEED on)
#   make crash      kill -9 at random moments (ROUNDS=200)
#   make fuzz       libFuzzer on every parser (SECONDS_EACH=60)
#   make install    into PREFIX (/usr/local), below DESTDIR if given
# CC chooses the compiler (gcc and clang-19 are tried); tools/dependencies.sh installs what is missing.
ROUNDS ?= 200
SECONDS_EACH ?= 60
SEEDS ?= 2000
SEED ?=
PREFIX ?= /usr/local
SAN ?=

# A cargo that is new enough comes first in PATH, where Meson and cargo itself look for it and rustc.
export PATH := $(shell directory=$$(tools/cargo_directory.sh) && printf '%s:' "$$directory")$(PATH)
export PYTHONUTF8 := 1

ADDRESS := -Db_sanitize=address,undefined -Db_lundef=false
THREAD := -Db_sanitize=thread -Db_lundef=false
ifeq ($(SAN),)
BUILD := build
SETUP :=
else ifeq ($(SAN),thread)
BUILD := build/thread
SETUP := $(THREAD)
else
BUILD := build/sanitized
SETUP := $(ADDRESS)
endif

# What `make` builds: no tests, no benchmarks.
PRODUCT := src/planck/planck src/planctl/planctl samples/pizza/service.wasm samples/pizza/seed/products.jsonl

# On a terminal Ninja's own line of progress; in a log only what is worth reading there.
NINJA = if [ -t 1 ]; then ninja -C $(1) $(2); else ninja -C $(1) --quiet $(2); fi || \
	{ echo "error: the build failed, see above" >&2; exit 1; }

.PHONY: all build everything demo test check bench sim crash fuzz install clean format
all: build

build:
	@tools/configure.sh $(BUILD) $(SETUP)
	@$(call NINJA,$(BUILD),$(PRODUCT))

everything:
	@tools/configure.sh $(BUILD) $(SETUP)
	@$(call NINJA,$(BUILD))

demo:
	@./demo

test:
	@$(MAKE) --no-print-directory everything || { echo "FAILED: the build"; echo "0 passed, 1 failed"; exit 1; }
	@python3 tools/run_tests.py $(BUILD) "$(SAN)"

check:
	@python3 tools/check.py

bench:
	@tools/dependencies.sh bench
	@$(MAKE) --no-print-directory everything
	@python3 bench/run.py $(BUILD)

sim:
	@tools/configure.sh $(BUILD) $(SETUP)
	@$(call NINJA,$(BUILD),tests/sim/storage_sim)
	@$(BUILD)/tests/sim/storage_sim --seeds $(SEEDS) $(if $(SEED),--seed $(SEED))

crash: everything
	@python3 tests/crash/crash.py $(BUILD) --rounds $(ROUNDS)

fuzz:
	@tools/dependencies.sh test
	@CC=clang-19 tools/configure.sh build/fuzz -Dfuzz=true -Dc_args=-fsanitize=fuzzer-no-link $(ADDRESS)
	@$(call NINJA,build/fuzz)
	@python3 tools/run_fuzz.py build/fuzz $(SECONDS_EACH)

format:
	@git ls-files '*.c' '*.h' | xargs clang-format-19 -i

install:
	@tools/configure.sh $(BUILD) $(SETUP)
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@ninja -C $(BUILD) build.ninja > $(BUILD)/setup.log
	@$(call NINJA,$(BUILD),$(PRODUCT))
	@meson install -C $(BUILD) --quiet --no-rebuild

clean:
	rm -rf build

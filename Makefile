# SPDX-License-Identifier: Apache-2.0
# The verbs, the same here and in CI. Everything is done by Meson, Ninja and the scripts in tools/.
#   make            build planck and the samples      make check    format, layering, banned calls
#   make demo       build and run the pizza shop      make bench    figures, written to build/bench.tsv
#   make test       every test (SAN=1: under AddressSanitizer and UBSan, SAN=thread: under TSan)
#   make crash      kill -9 at random moments (ROUNDS=200)
#   make fuzz       libFuzzer on every parser (SECONDS_EACH=60)
#   make install    into PREFIX (/usr/local), below DESTDIR if given
# CC chooses the compiler (gcc and clang-19 are tried); tools/dependencies.sh installs what is missing.
ROUNDS ?= 200
SECONDS_EACH ?= 60
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

# On a terminal Ninja's own line of progress; in a log only what is worth reading there.
NINJA = if [ -t 1 ]; then ninja -C $(1); else ninja -C $(1) --quiet; fi || \
	{ echo "error: the build failed, see above" >&2; exit 1; }

.PHONY: all build demo test check bench crash fuzz install clean format
all: build

build:
	@tools/configure.sh $(BUILD) $(SETUP)
	@$(call NINJA,$(BUILD))

demo:
	@./demo

test: build
	@python3 tools/run_tests.py $(BUILD) "$(SAN)"

check:
	@python3 tools/check.py

bench:
	@tools/dependencies.sh bench
	@$(MAKE) --no-print-directory build
	@python3 bench/run.py $(BUILD)

crash: build
	@python3 tests/crash/crash.py $(BUILD) --rounds $(ROUNDS)

fuzz:
	@tools/dependencies.sh test
	@CC=clang-19 tools/configure.sh build/fuzz -Dfuzz=true -Dc_args=-fsanitize=fuzzer-no-link $(ADDRESS)
	@$(call NINJA,build/fuzz)
	@python3 tools/run_fuzz.py build/fuzz $(SECONDS_EACH)

format:
	@git ls-files '*.c' '*.h' | xargs clang-format-19 -i

install: build
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@meson install -C $(BUILD) --quiet

clean:
	rm -rf build

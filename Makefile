# SPDX-License-Identifier: Apache-2.0
# The verbs, the same here and in CI. Everything is done by Meson, Ninja and the scripts in tools/.
#   make            build planck and the samples      make check    format, layering, banned calls
#   make demo       build and run the pizza shop      make bench    figures, written to build/bench.tsv
#   make test       every test (SAN=1: under AddressSanitizer and UBSan, SAN=thread: under TSan)
#   make crash      kill -9 at random moments (ROUNDS=200)
#   make fuzz       libFuzzer on every parser (SECONDS_EACH=60)
#   make install    into PREFIX (/usr/local)
ROUNDS ?= 200
SECONDS_EACH ?= 60
PREFIX ?= /usr/local
CC ?= gcc
SAN ?=
export PATH := $(PATH):$(HOME)/.cargo/bin

ifeq ($(SAN),)
BUILD = build
SETUP =
else ifeq ($(SAN),thread)
BUILD = build/thread
SETUP = -Db_sanitize=thread -Db_lundef=false
else
BUILD = build/sanitized
SETUP = -Db_sanitize=address,undefined -Db_lundef=false
endif

.PHONY: all build demo test check bench crash fuzz install clean format
all: build

$(BUILD)/build.ninja:
	@mkdir -p $(BUILD)
	@meson setup $(BUILD) -Dwasmrt_target=$(CURDIR)/build/cargo --prefix=$(PREFIX) $(SETUP) > $(BUILD)/setup.log || { cat $(BUILD)/setup.log; exit 1; }

build: $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

demo:
	@./demo

test: build
	@python3 tools/run_tests.py $(BUILD) "$(SAN)"

check:
	@python3 tools/check.py

bench: build
	@tools/dependencies.sh bench
	@python3 bench/run.py $(BUILD)

crash: build
	@python3 tests/crash/crash.py $(BUILD) --rounds $(ROUNDS)

fuzz:
	@tools/dependencies.sh test
	@test -e build/fuzz/build.ninja || CC=clang-19 meson setup build/fuzz -Dwasmrt_target=$(CURDIR)/build/cargo -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false > /dev/null
	@ninja -C build/fuzz --quiet
	@python3 tools/run_fuzz.py build/fuzz $(SECONDS_EACH)

format:
	@git ls-files '*.c' '*.h' | xargs clang-format-19 -i

install: build
	@meson install -C $(BUILD)

clean:
	rm -rf build

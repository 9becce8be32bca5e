# SPDX-License-Identifier: GPL-2.0-only
# A thin front over meson. `make` builds, `make demo` shows, `make check` tests.
BUILD ?= build
KERNELS ?= 7.3 6.16
SUITE ?=
# On a terminal ninja shows in one line how far it is.
QUIET := $(shell [ -t 2 ] || echo --quiet)

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD) $(QUIET)

$(BUILD)/build.ninja: | setup
	@echo "building in $(BUILD)/: this takes some minutes the first time"
	@meson setup $(BUILD) >/dev/null || { tail -n 30 $(BUILD)/meson-logs/meson-log.txt; exit 1; }

setup:
	@tools/setup

kernels: all
	@for kernel in $(KERNELS); do $(BUILD)/ktstr kernel get $$kernel || exit 1; done

# Fetches a kernel, then runs the fixture scheduler through the smoke scenarios.
demo: all
	@$(BUILD)/ktstr kernel get $(firstword $(KERNELS))
	@$(BUILD)/ktstr run --kernel $(firstword $(KERNELS)) --scheduler $(BUILD)/scx_ktstr --duration 3s

# Everything but the slow suites; `make check SUITE=slow` runs only those, SUITE=unit no VM.
check: kernels
	@tests/run $(BUILD) $(SUITE)

# The readers of guest memory against guests that lie; FUZZ_SECONDS=60 for less than an hour of it.
FUZZ_SECONDS ?= 3600
fuzz: kernels
	@ninja -C $(BUILD) --quiet tests
	@tests/fuzz/run $(BUILD) build-fuzz/findings $(FUZZ_SECONDS)

clean:
	@rm -rf $(BUILD)

.PHONY: fuzz all setup kernels demo check clean

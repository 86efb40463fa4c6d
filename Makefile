# The default target lists the others. `make demo` and `make test` need nothing but Debian.

# Elixir warns under a locale that is not UTF-8.
export LC_ALL := C.UTF-8

MAKEFLAGS += --no-print-directory
JOBS := $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
# `make test DEPS=` takes the machine as it is: what is missing on a system that is not Debian is installed by hand.
DEPS := tools/deps.sh
ONLY ?=
export ONLY
MINUTES ?= 2
# `make test CXX=clang++` builds with Clang, into a folder of its own.
PRESET := $(if $(findstring clang,$(CXX)),clang,dev)
# `make exunit CONFIGURE='-DCMAKE_CXX_STANDARD=26'` builds with arguments to CMake, into a folder of its own.
CONFIGURE ?=
BUILD := build/$(PRESET)$(if $(CONFIGURE),-configured)
EXUNIT = UPCALL_NATIVE_DIR=$(CURDIR)/$(BUILD)/native tools/mix_test.sh
SUITE ?= trixie forky
ARCH ?=
ifdef ARCH
RUN ?= build/$(ARCH)/test/upcall_cpp_tests && UPCALL_NATIVE_DIR=/upcall/build/$(ARCH)/native tools/mix_test.sh
endif
RUN ?= make test$(if $(filter-out default,$(origin CXX)), CXX=$(CXX))$(if $(CONFIGURE), CONFIGURE='$(CONFIGURE)')
export RUN

.DEFAULT_GOAL := help
.PHONY: help deps build test check exunit platforms soak demo sanitize lint bench docs clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
	  printf '  make %-10s %s\n' "$$target" "$$text"; done

deps: ## install the Debian packages that are missing
	@$(DEPS)

build: deps ## build the test NIFs and the C++ unit tests into build/dev; CXX=clang++: into build/clang
	$(if $(CONFIGURE),rm -f $(BUILD)/CMakeCache.txt)
	cmake --preset $(PRESET) -B $(BUILD) $(CONFIGURE)
	cmake --build $(BUILD) -j$(JOBS)

test: build ## run the C++ unit tests, the ExUnit suite and the examples' tests
	ctest --test-dir $(BUILD) --output-on-failure -j$(JOBS)
	$(EXUNIT)
	$(MAKE) -C examples/sqlite test
	cd examples/watcher && CXXFLAGS="-O2 -g -Werror" mix test --warnings-as-errors
	$(MAKE) -C examples/pipeline test
	cd examples/quickstart && mix test --warnings-as-errors

check: build ## what a change needs before a commit: linters on what has changed, and the tests that are not slow
	tools/check.sh

exunit: build ## run the ExUnit suite alone
	$(EXUNIT)

platforms: ## run the tests on newer Debian systems; SUITE=forky, CXX=clang++, ARCH=arm64, RUN='make bench ONLY=callback'
	@$(if $(filter-out arm64,$(ARCH)),$(error expected ARCH=arm64 or none, got: $(ARCH)))
	@for suite in $(SUITE); do tools/platforms.sh run "$$suite$(ARCH:%=-%)" "$$RUN" || exit; done

soak: build ## call executors while they are killed; MINUTES=10 goes on for ten minutes
	UPCALL_NATIVE_DIR=$(CURDIR)/$(BUILD)/native MIX_ENV=test mix run --no-start test/soak/run.exs $(MINUTES)

demo: deps ## run the SQLite and the pipeline example on the Unicode Character Database
	$(MAKE) -C examples/sqlite demo
	$(MAKE) -C examples/pipeline demo

sanitize: deps ## run the tests under TSan (C++) and under ASan and UBSan (C++ and ExUnit)
	cmake --preset tsan
	cmake --build --preset tsan -j$(JOBS)
	ctest --preset tsan -j$(JOBS)
	cmake --preset asan
	cmake --build --preset asan -j$(JOBS)
	ctest --preset asan -j$(JOBS) -E '^(refused|allowed|coroutines_need|exported_symbols|greedy|package)' # what only compiles was tested
	tools/mix_test.sh --sanitized

lint: build ## check format and common mistakes, in C++ and Elixir
	tools/lint.sh

bench: ## measure all; ONLY=classic, callback, blocking, runtimes, growth, errors, floor or build: one question
	@tools/deps.sh bench
	bench/run.sh

docs: deps ## build the documentation with ex_doc, which needs Hex
	MIX_ENV=docs mix do deps.get, docs

clean: ## remove everything that was built
	@if [ -d build/roots ]; then tools/platforms.sh clean; fi
	rm -rf _build doc
	if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name roots -exec rm -rf {} +; fi

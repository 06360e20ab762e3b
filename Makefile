# providerd - build, run, test. `make help` lists the targets.
#
#   V=1            show the commands
#   SAN=LIST       build with sanitizers: address,undefined or thread
#   CC=clang       another compiler
#   LTO=           without link-time optimisation: a change is linked in a second, not in six
#   PREFIX, DESTDIR for install

CC ?= gcc
PREFIX ?= /usr/local
BUILD ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
comma := ,

# Debian packages, by what needs them.
BUILD_PACKAGES := gcc libc6-dev pkg-config liblua5.4-dev libcivetweb-dev libcurl4-openssl-dev libcurl4 libssl3 libsqlite3-dev libpq-dev libssl-dev libjansson-dev \
                  zlib1g-dev ca-certificates
TEST_PACKAGES := lua5.4 lua-cjson lua-socket lua-busted curl strace sqlite3 postgresql
# Of the specs in a browser; a machine that cannot have them does without (spec/support/webdriver.lua).
BROWSER_PACKAGES := chromium chromium-driver fonts-dejavu-core
SCRIPT_PACKAGES := lua5.4 lua-cjson lua-socket
LINT_PACKAGES := clang-format lua-check
FUZZ_PACKAGES := clang libclang-rt-14-dev
BENCH_PACKAGES := lua5.4 lua-cjson lua-socket wrk postgresql

LIBRARIES := lua5.4 sqlite3 jansson zlib
# Debian's static Lua: calls into it need no table. Loaded at run time are libcurl (src/net/curl.h), libcrypto (src/base/crypto.h) and libpq
# (src/database/postgres_library.h).
LIBS = -l:liblua5.4.a $$(pkg-config --libs $(filter-out lua5.4,$(LIBRARIES))) -lcivetweb -lpthread -lm

CFLAGS ?= -O2 -g
CPPFLAGS += -Isrc -D_GNU_SOURCE -D_FORTIFY_SOURCE=2
WARNINGS := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wundef -Wvla
HARDENING := -fstack-protector-strong -fPIE
# Of the host alone (LTO= turns it off); the test programs are linked from the same objects without it.
LTO ?= $(if $(SAN)$(findstring clang,$(CC)),,-flto=auto)
FAT_OBJECTS := $(if $(LTO),$(LTO) -ffat-lto-objects)
LDFLAGS += -pie -Wl,-z,relro,-z,now -rdynamic
ifneq ($(SAN),)
SANITIZE := -fsanitize=$(SAN) -fno-omit-frame-pointer
CPPFLAGS := $(filter-out -D_FORTIFY_SOURCE=2,$(CPPFLAGS))
endif

SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
VERSION := $(shell sed -n 's/^## \[\([0-9.]*\)\].*/\1/p' CHANGELOG.md 2>/dev/null | head -n 1)

Q := $(if $(V),,@)

.PHONY: run build deps test demo soak storm kills twice fuzz fuzz-build fuzz-programs lint bench install clean help
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

# Installs those of a list of packages that are missing. One dpkg-query, so it costs nothing when none is.
define ensure_packages
@installed=" $$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(1) 2>/dev/null | sed -n 's/ installed$$//p' | tr '\n' ' ')"; \
missing=; for package in $(1); do case "$$installed" in *" $$package "*) ;; *) missing="$$missing $$package";; esac; done; \
if [ -n "$$missing" ]; then \
  echo "installing:$$missing"; \
  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
  $$sudo apt-get update -qq && \
  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
fi
endef

# Debian's package makes a cluster and starts its server, unless it is told not to: the suite makes its own (spec/support/postgres.lua). Only where
# there is none yet.
define no_main_cluster
@dpkg -s postgresql-common >/dev/null 2>&1 || { \
  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
  $$sudo mkdir -p /etc/postgresql-common/createcluster.d && \
  echo 'create_main_cluster = false' | $$sudo tee /etc/postgresql-common/createcluster.d/providerd.conf >/dev/null; \
}
endef

deps: ## install the Debian packages that are missing
	$(call ensure_packages,$(BUILD_PACKAGES))

build: deps ## build build/providerd
	@$(MAKE) --no-print-directory -j$$(nproc) $(BUILD)/providerd

$(BUILD)/providerd: $(OBJECTS)
	$(if $(V),,@echo '  LD  $@')
	$(Q)$(CC) $(CFLAGS) $(LTO) $(SANITIZE) $(LDFLAGS) -o $@ $^ $(LIBS)

# The version is the changelog's newest.
$(patsubst src/%.c,$(BUILD)/obj/%.o,$(shell grep -ls PROVIDERD_VERSION $(SOURCES))): CHANGELOG.md

$(BUILD)/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo '  CC  $<')
	$(Q)$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(FAT_OBJECTS) $(WARNINGS) $(HARDENING) $(SANITIZE) -DPROVIDERD_VERSION='"$(VERSION)"' -DPROVIDERD_PREFIX='"$(PREFIX)"' \
	  $$(pkg-config --cflags $(LIBRARIES) libpq) -MMD -MP -c -o $@ $<

run: build ## build and start the host on 127.0.0.1:8001
	@exec $(BUILD)/providerd serve --home .

# Sanitizers: the suite runs against the instrumented host; LeakSanitizer and stacks as big as instrumented frames need.
TEST_ENV := PROVIDERD=$(abspath $(BUILD)/providerd) VERIFY_WEBHOOK=$(abspath $(BUILD)/verify-webhook) \
            CLOCK_SHIFT_LIBRARY=$(abspath $(BUILD)/clock-shift.so) OUT_OF_MEMORY_LIBRARY=$(abspath $(BUILD)/out-of-memory.so) \
            LIST_FUNCTIONS=$(abspath $(BUILD)/list-functions) TRANSFER_PROBE=$(abspath $(BUILD)/transfer-probe) MEDIA_PROBE=$(abspath $(BUILD)/media-probe) \
            S3_SIGN=$(abspath $(BUILD)/s3-sign) \
            DISK_FAULT_LIBRARY=$(abspath $(BUILD)/disk-fault.so) \
            ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=99 \
            UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 TSAN_OPTIONS=halt_on_error=1:exitcode=99 \
            $(if $(SAN),SPEC_SLOW=1)
SPEC ?= spec
TEST_PROGRAMS := $(addprefix $(BUILD)/,verify-webhook s3-sign transfer-probe media-probe list-functions clock-shift.so out-of-memory.so disk-fault.so)

test: build ## build and run the whole suite (SPEC=spec/api for a part, JOBS=files at once, SAN=... for sanitizers)
	$(call no_main_cluster)
	$(call ensure_packages,$(TEST_PACKAGES))
	$(if $(filter spec spec/studio% spec/media%,$(SPEC)),$(call ensure_packages,$(BROWSER_PACKAGES)) || echo 'no browser: the specs that have one are pending')
	@$(MAKE) --no-print-directory $(TEST_PROGRAMS)
	@$(if $(filter spec spec/fuzz%,$(SPEC)),$(MAKE) --no-print-directory fuzz-build || echo 'the fuzz targets cannot be built: they are not run')
	@$(TEST_ENV) SPEC_TIMES=$(BUILD)/spec-times V=$(V) $(if $(JOBS),JOBS=$(JOBS)) lua5.4 spec/run.lua $(SPEC)

demo: build ## nine live jobs against a simulator: what they take and cost (no key, no network; KEEP=1: stays up for the page)
	$(call ensure_packages,$(SCRIPT_PACKAGES))
	@PROVIDERD=$(abspath $(BUILD)/providerd) KEEP=$(KEEP) lua5.4 spec/demo.lua

soak: build ## 10,000 live jobs under faults and kills (SOAK_JOBS, SOAK_SEED, SOAK_SECONDS, SOAK_KILLS); HOSTS=3: on one PostgreSQL
	$(if $(HOSTS),$(call no_main_cluster))
	$(call ensure_packages,$(SCRIPT_PACKAGES) $(if $(HOSTS),postgresql))
	@$(if $(HOSTS),$(MAKE) --no-print-directory $(BUILD)/clock-shift.so)
	@$(TEST_ENV) HOSTS=$(HOSTS) lua5.4 spec/soak.lua

storm: build $(BUILD)/clock-shift.so ## 10 minutes of clients, operators, edits and kills at random (STORM_SECONDS, STORM_SEED, STORM_KILLS)
	$(call ensure_packages,$(SCRIPT_PACKAGES))
	@$(TEST_ENV) lua5.4 spec/storm.lua

kills: build ## 1,000 kill -9 under dry runs: each that was answered is there once (KILLS, KILLS_CLIENTS, KILLS_MS, KILLS_SEED)
	$(call ensure_packages,$(SCRIPT_PACKAGES))
	@$(TEST_ENV) lua5.4 spec/kills.lua

twice: build ## 10,000 creates by OpenAI's SDK, cut at random, under faults and kills (OPENAI_CREATES, OPENAI_SEED, OPENAI_KILLS, OPENAI_AT_ONCE)
	$(call ensure_packages,$(SCRIPT_PACKAGES))
	@$(TEST_ENV) lua5.4 spec/twice.lua

# A folder of its own: all of the host, instrumented. -O1 is what libFuzzer advises.
FUZZ_MAKE = $(MAKE) --no-print-directory -j$$(nproc) CC=clang BUILD=build/fuzz SAN=fuzzer-no-link,address,undefined CFLAGS='-O1 -g' fuzz-programs
FUZZ_SECONDS ?= 60

fuzz: fuzz-build ## libFuzzer, one target after the other (FUZZ_SECONDS for each, FUZZ=mask for one)
	@spec/fuzz/run $(FUZZ_SECONDS) $(FUZZ)

fuzz-build: deps
	$(call ensure_packages,$(FUZZ_PACKAGES))
	@$(FUZZ_MAKE)

FUZZ_PROGRAMS := $(patsubst spec/fuzz/%.c,$(BUILD)/fuzz-%,$(wildcard spec/fuzz/*.c))

fuzz-programs: $(FUZZ_PROGRAMS)

# Only its build with sanitizers has what the targets need.
$(BUILD)/fuzz-%: spec/fuzz/%.c spec/fuzz/fuzz.h $(BUILD)/libhost.a
	$(if $(V),,@echo '  LD  $@')
	$(Q)$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -Wno-gnu-statement-expression $(subst fuzzer-no-link,fuzzer,$(SANITIZE)) \
	  $$(pkg-config --cflags $(LIBRARIES)) -o $@ $< $(BUILD)/libhost.a -lcurl $(LIBS)

$(BUILD)/libhost.a: $(filter-out $(BUILD)/obj/main.o,$(OBJECTS))
	$(Q)rm -f $@ && ar rcs $@ $^

lint: build ## clang-format, luacheck, and the scripts as the host would load them
	$(call ensure_packages,$(LINT_PACKAGES))
	clang-format --dry-run --Werror $$(git ls-files '*.c' '*.h')
	luacheck -q --std lua54+busted --max-line-length 130 --no-color $$(git ls-files '*.lua')
	$(BUILD)/providerd lint providers/*.lua

# Is this part of the bench wanted?
bench_has = $(filter $(1),$(or $(subst $(comma), ,$(BENCH)),$(1)))

bench: build ## measure, beside a bare civetweb handler and peers (BENCH="speed live": only these parts of spec/bench/run.lua)
	$(call no_main_cluster)
	$(call ensure_packages,$(BENCH_PACKAGES))
	$(if $(call bench_has,studio),$(call ensure_packages,$(BROWSER_PACKAGES)) || echo 'no browser: Studio is not measured')
	$(if $(call bench_has,speed),@spec/bench/fetch-peers $(BUILD)/bench-peers)
	@$(MAKE) --no-print-directory $(BUILD)/bench-baseline $(BUILD)/bench-subscribers
	@PROVIDERD=$(abspath $(BUILD)/providerd) BENCH="$(BENCH)" BASELINE=$(abspath $(BUILD)/bench-baseline) \
	  SUBSCRIBERS=$(abspath $(BUILD)/bench-subscribers) PEERS=$(abspath $(BUILD)/bench-peers) lua5.4 spec/bench/run.lua

install: build ## install under PREFIX (default /usr/local)
	install -D -m 755 $(BUILD)/providerd $(DESTDIR)$(PREFIX)/bin/providerd
	@for file in providers/*.lua providers/*/*.lua lua/*.lua lua/*/*.lua config/*.json openapi/*.json $$(find studio -type f); do \
	  install -D -m 644 $$file $(DESTDIR)$(PREFIX)/share/providerd/$$file || exit 1; done
	rm -f $(DESTDIR)$(PREFIX)/share/providerd/providers/gpu_hf_endpoints.lua # of 0.2: one id cannot be in two files

$(BUILD)/bench-baseline: spec/bench/baseline.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -o $@ $< -lcivetweb -lpthread

# What a running host cannot be asked: recorded signatures, whose time has passed.
$(BUILD)/verify-webhook: spec/support/verify_webhook.c $(addprefix $(BUILD)/obj/,webhook_in/signature.o $(patsubst src/%.c,%.o,$(wildcard src/base/*.c)))
	$(Q)$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDENING) $(SANITIZE) $$(pkg-config --cflags $(LIBRARIES)) -fno-lto $(LDFLAGS) -o $@ $^ \
	  $$(pkg-config --libs jansson) -lpthread -lm

# The same of requests to a bucket.
$(BUILD)/s3-sign: spec/support/s3_sign.c $(addprefix $(BUILD)/obj/,s3/s3_signature.o $(patsubst src/%.c,%.o,$(wildcard src/base/*.c)))
	$(Q)$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDENING) $(SANITIZE) $$(pkg-config --cflags $(LIBRARIES)) -fno-lto $(LDFLAGS) -o $@ $^ \
	  $$(pkg-config --libs jansson) -lpthread -lm

# Placeholder files of any size and text: hosts make only what a request asks for.
$(BUILD)/media-probe: spec/support/media_probe.c $(patsubst src/%.c,$(BUILD)/obj/%.o,$(wildcard src/media/*.c src/base/*.c))
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDENING) $(SANITIZE) $$(pkg-config --cflags $(LIBRARIES)) -fno-lto $(LDFLAGS) -o $@ $^ \
	  $$(pkg-config --libs jansson zlib) -lpthread -lm

# What the host's transfers say of a request, with a rule of its own for which addresses may be reached.
$(BUILD)/transfer-probe: spec/support/transfer_probe.c $(filter-out $(BUILD)/obj/main.o $(BUILD)/obj/base/network.o,$(OBJECTS))
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDENING) $(SANITIZE) $$(pkg-config --cflags $(LIBRARIES)) -fno-lto $(LDFLAGS) -o $@ $^ \
	  $(LIBS)

# Which C functions a script can reach.
$(BUILD)/list-functions: spec/support/list_functions.c $(filter-out $(BUILD)/obj/main.o,$(OBJECTS))
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDENING) $(SANITIZE) $$(pkg-config --cflags $(LIBRARIES)) -fno-lto $(LDFLAGS) -o $@ $^ \
	  $(LIBS)

$(BUILD)/bench-subscribers: spec/bench/subscribers.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) -o $@ $<

# A clock that a spec can move: what happens after a day.
$(BUILD)/clock-shift.so: spec/support/clock_shift.c
	$(Q)$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(filter-out -Wmissing-prototypes,$(WARNINGS)) -fPIC -shared -o $@ $< -ldl

# An allocator that a spec can let fail.
$(BUILD)/out-of-memory.so: spec/support/out_of_memory.c
	$(Q)$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(filter-out -Wmissing-prototypes,$(WARNINGS)) -fPIC -shared -o $@ $<

# A disk that a spec can let fail.
$(BUILD)/disk-fault.so: spec/support/disk_fault.c
	$(Q)$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(filter-out -Wmissing-prototypes,$(WARNINGS)) -fPIC -shared -o $@ $< -ldl

clean: ## remove build/
	rm -rf build

-include $(OBJECTS:.o=.d)

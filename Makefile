# providerd - build, run, test. `make help` lists the targets.
#
#   V=1            show the commands
#   SAN=LIST       build with sanitizers: address,undefined or thread
#   CC=clang       another compiler
#   PREFIX, DESTDIR for install

CC ?= gcc
PREFIX ?= /usr/local
BUILD ?= build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
comma := ,

PACKAGES := gcc make pkg-config liblua5.4-dev lua5.4 lua-cjson lua-socket lua-busted lua-check libcivetweb-dev \
            libcurl4-openssl-dev libsqlite3-dev libssl-dev libjansson-dev curl
LIBRARIES := lua5.4 libcurl sqlite3 libcrypto jansson

CFLAGS ?= -O2 -g
CPPFLAGS += -Isrc -D_GNU_SOURCE -D_FORTIFY_SOURCE=2
WARNINGS := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wundef -Wvla
HARDENING := -fstack-protector-strong -fPIE
LDFLAGS += -pie -Wl,-z,relro,-z,now -rdynamic
ifneq ($(SAN),)
SANITIZE := -fsanitize=$(SAN) -fno-omit-frame-pointer
CPPFLAGS := $(filter-out -D_FORTIFY_SOURCE=2,$(CPPFLAGS))
endif

SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
VERSION := $(shell sed -n 's/^## \[\([0-9.]*\)\].*/\1/p' CHANGELOG.md 2>/dev/null | head -n 1)

quiet = $(if $(V),,@echo '  $(1)  $(2)';)$(if $(V),,@)
Q := $(if $(V),,@)

.PHONY: run build deps test lint bench install clean help
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

deps: ## install what is missing (Debian packages, by apt-get)
	@missing=; for package in $(PACKAGES); do \
	  [ "$$(dpkg-query -W -f '$${db:Status-Status}' $$package 2>/dev/null)" = installed ] || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing:$$missing"; \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

build: deps ## build build/providerd
	@$(MAKE) --no-print-directory -j$$(nproc) $(BUILD)/providerd

$(BUILD)/providerd: $(OBJECTS)
	$(if $(V),,@echo '  LD  $@')
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -o $@ $^ $$(pkg-config --libs $(LIBRARIES)) -lcivetweb -lpthread -lm

$(BUILD)/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo '  CC  $<')
	$(Q)$(CC) -std=c17 $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(HARDENING) $(SANITIZE) -DPROVIDERD_VERSION='"$(VERSION)"' -DPROVIDERD_PREFIX='"$(PREFIX)"' \
	  $$(pkg-config --cflags $(LIBRARIES)) -MMD -MP -c -o $@ $<

clean: ## remove build/
	rm -rf build

-include $(OBJECTS:.o=.d)

# Measurements.

# Against Lua-cURL and lua-cjson: RIVAL_PATH, RIVAL_CPATH find Lua-cURLv3, else the system's lua-curl for Lua 5.1.
.PHONY: bench-http
$(BUILD)/download: bench/download.c
	$(CC) $(STD) $(CFLAGS) $(WARNINGS) $(CURL_CFLAGS) $< $(CURL_LIBS) -o $@
bench-http: all $(BUILD)/download ## requests and listings against Lua-cURL
	@DOWNLOAD=$(BUILD)/download $(RUN_ENV) $(LUA) bench/http.lua

# How cost grows up to GROWTH installations.
.PHONY: bench-growth
bench-growth: all ## how cost grows up to GROWTH installations
	@$(RUN_ENV) $(LUA) bench/growth.lua

.PHONY: bench-scale
bench-scale: all ## how encoding, compressed lists and edits grow up to MOST installations
	@$(RUN_ENV) $(LUA) bench/scale.lua

.PHONY: bench-cli
bench-cli: all ## what the command costs
	@$(RUN_ENV) $(LUA) bench/cli.lua

.PHONY: bench-hosts
bench-hosts: all ## how long a frame is held while installations arrive
	@$(RUN_ENV) $(LUA) bench/hosts.lua

# JSON of two commits, in turns.
.PHONY: bench-compare
bench-compare: all ## compare with the commit BASE
	@test -n "$(BASE)" || { echo "name the commit to compare with: make bench-compare BASE=v0.1.0" >&2; exit 2; }
	@rm -rf build/compare/$(BASE) && mkdir -p build/compare/$(BASE)
	@git archive $(BASE) | tar -x -C build/compare/$(BASE)
	@$(RUN_ENV) $(LUA) bench/compare.lua build/compare/$(BASE) $(LUA_VERSION)

.PHONY: bench-nginx
bench-nginx: ## inside nginx
	@$(MAKE) --no-print-directory -s all LUA_VERSION=jit
	@LUA_PATH="lua/?.lua;spec/?.lua;;" LUA_CPATH="build/jit/?.so;;" luajit bench/nginx.lua $(PART)

# RIVALS=module,... races more libraries: bench/support/rivals.lua.
BENCH_COUNT ?= 20000
BENCH_PART  ?= all
PORTABLE    := build/$(LUA_VERSION)-portable
.PHONY: bench bench-json report
# Everything, one after the other, and bench/report/ out of it, in about ten minutes on a quiet machine. For an hour of
# larger numbers: make bench BENCH_COUNT=100000 GROWTH=1000000
BENCHED := build/bench
bench: export BENCH_ROUNDS ?= 2
bench: export GROWTH ?= 100000
bench: deps-bench ## measure everything and write bench/report (ten minutes)
	@mkdir -p $(BENCHED) && rm -f $(BENCHED)/*.json
	BENCH_ROWS=$(BENCHED)/decode-5.4.json $(MAKE) --no-print-directory bench-json LUA_VERSION=5.4
	BENCH_ROWS=$(BENCHED)/decode-jit.json $(MAKE) --no-print-directory bench-json LUA_VERSION=jit
	BENCH_ROWS=$(BENCHED)/growth.json $(MAKE) --no-print-directory bench-growth
	BENCH_ROWS=$(BENCHED)/scale.json $(MAKE) --no-print-directory bench-scale
	BENCH_ROWS=$(BENCHED)/http.json $(MAKE) --no-print-directory bench-http
	BENCH_ROWS=$(BENCHED)/hosts.json $(MAKE) --no-print-directory bench-hosts
	BENCH_ROWS=$(BENCHED)/cli.json $(MAKE) --no-print-directory bench-cli
	BENCH_ROWS=$(BENCHED)/nginx.json $(MAKE) --no-print-directory bench-nginx
	@$(MAKE) --no-print-directory report
report: all ## write bench/report again from what was measured
	@mkdir -p bench/report
	@$(RUN_ENV) $(LUA) bench/report.lua $(BENCHED) bench/report
$(BUILD)/floor.so: bench/floor.c $(filter %/lua_build.o %/lua_shape.o %/json_scan.o %/json_number.o %/memory.o,$(CORE_OBJ))
	$(CC) $(STD) $(CFLAGS) $(WARNINGS) $(PIC) $(MODULE_LDFLAGS) -Isrc $(LUA_INC) $^ -o $@
bench-json: all $(BUILD)/floor.so ## decoding and encoding against other libraries
	@$(MAKE) --no-print-directory -s all VARIANT=-portable CFLAGS="$(CFLAGS) -DAMP_NO_SIMD"
	@PORTABLE_CPATH="$(PORTABLE)/?.so;;" $(RUN_ENV) $(LUA) bench/decode.lua $(BENCH_PART) $(BENCH_COUNT)

# The dashboard: `make dashboard INSTALLATIONS=10000`, or with AMP_API_KEY and AMPERSAND_PROJECT_ID set `make dashboard API=real`.
INSTALLATIONS ?= 250
API           ?= mock
PORT          ?= 8080
JIT_ENV       := LUA_PATH="lua/?.lua;spec/?.lua;;" LUA_CPATH="build/jit/?.so;;" LUA=luajit LUA_VERSION=jit
.PHONY: dashboard test-dashboard
dashboard: deps-dashboard ## serve the dashboard (PORT, INSTALLATIONS; API=real)
	@$(MAKE) --no-print-directory -s all LUA_VERSION=jit
	@$(JIT_ENV) exec luajit examples/openresty/dashboard/start.lua --port $(PORT) $(if $(filter real,$(API)),--real,--installations $(INSTALLATIONS))

# In a browser; screenshots go to build/dashboard.
BROWSER_DRIVER := build/node/node_modules/playwright-core/package.json build/node/node_modules/axe-core/package.json
$(BROWSER_DRIVER):
	npm install --silent --no-audit --no-fund --prefix build/node playwright-core@1 axe-core@4
test-dashboard: deps-test-dashboard ## test the dashboard in a browser, with axe-core
	@$(MAKE) --no-print-directory -s $(BROWSER_DRIVER)
	@AMP_BROWSER=1 $(MAKE) --no-print-directory specs LUA_VERSION=jit SPECS=spec/nginx/dashboard_spec.lua

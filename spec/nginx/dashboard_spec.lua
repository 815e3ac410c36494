-- The dashboard (examples/openresty/dashboard), started as `make dashboard` starts it and tested in a browser.
-- `make test-dashboard` runs it: it needs Chromium, and two packages for node below build/.

local machine = require "support.machine"
local nginx = require "support.openresty"

if nginx.unable(pending) then return end
if os.getenv "AMP_BROWSER" ~= "1" then pending(machine.absent("a browser", "make test-dashboard")) return end

local mock = require "support.mock"

local LUA = os.getenv "LUA" or "luajit"
local SHOTS = "build/dashboard"
local STEP_SECONDS = 120 -- of each step of spec/support/browser.js, on a loaded machine

local STEPS = {}
for name in nginx.read("spec/support/browser.js"):gmatch '\n  async "([^"]+)"%(' do STEPS[#STEPS + 1] = name end

-- Starts the dashboard with variables of its own; answers its pipe, process id and address.
local function start(variables, options)
  local command = "echo $$; exec env %s %s examples/openresty/dashboard/start.lua --port 0 %s 2>&1"
  local pipe = assert(io.popen(command:format(variables, LUA, options)))
  local pid = pipe:read "*n"
  local line
  repeat line = pipe:read "*l" until not line or line:find "^dashboard"
  return pipe, pid, assert(line and line:match "^dashboard (http://%S+)/$", line or "the dashboard did not start")
end

local function ask(url)
  local body, status = require("socket.http").request(url)
  return status, body
end

local function gone(url)
  return nginx.await(30, function() return not ask(url) or type(ask(url)) ~= "number" end)
end

describe("the dashboard", function()
  it("starts its own fleet, and leaves nothing running when it is killed", function()
    local pipe, pid, url = start("DASHBOARD_REFRESH=1", "--installations 30")
    finally(function() -- luacheck: ignore
      os.execute(("kill -9 %d 2>/dev/null"):format(pid))
      pipe:close()
    end)
    local page
    assert.is_true(nginx.await(30, function()
      page = select(2, ask(url .. "/"))
      return page:find("30 of 30", 1, true) ~= nil
    end), page)
    os.execute(("kill -9 %d"):format(pid))
    assert.is_true(gone(url))
  end)

  it("needs a key for the real API", function()
    local pipe = assert(io.popen("env -u AMP_API_KEY " .. LUA .. " examples/openresty/dashboard/start.lua --real 2>&1"))
    finally(function() pipe:close() end) -- luacheck: ignore
    assert.equal("dashboard: --real needs AMP_API_KEY\n", pipe:read "*a")
  end)
end)

describe("the dashboard in a browser", function()
  local api, pipe, pid, url
  local results = {}

  lazy_setup(function()
    api = mock.start { installations = 10000 }
    pipe, pid, url = start(("AMP_API_URL=%s AMP_API_KEY=%s AMPERSAND_PROJECT_ID=%s AMPERSAND_INTEGRATION_ID=%s DASHBOARD_REFRESH=1.5")
      :format(api.url:gsub("/v1$", ""), api.key, api.project, api.integration), "--real")
    os.execute("mkdir -p " .. SHOTS)
    local browser = assert(io.popen(("NODE_PATH=build/node/node_modules timeout %d node spec/support/browser.js %s %s %s %s %d 2>&1")
      :format((#STEPS + 1) * STEP_SECONDS, url, (api.url:gsub("/v1$", "")), api.key, SHOTS, STEP_SECONDS)))
    for line in browser:lines() do
      local bad, name, why = line:match "^(n?o?t? ?)ok ([^:]+):? ?(.*)$"
      if bad then results[name] = bad == "" or why end
      if not bad or bad ~= "" then print(line) end
    end
    browser:close()
  end)
  lazy_teardown(function()
    if pid then os.execute(("kill %d 2>/dev/null"):format(pid)) end
    if pipe then pipe:close() end
    if api then api:stop() end
  end)

  for _, name in ipairs(STEPS) do
    it(name, function()
      assert.is_true(results[name])
    end)
  end

  it("writes nothing to nginx's log", function()
    os.execute(("kill -INT %d"):format(pid))
    local log = pipe:read "*a"
    assert.is_nil(log:find "%[%l+%] ", log)
  end)
end)

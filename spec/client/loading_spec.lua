-- What is loaded when: most of a short program's time is spent on compiling what it requires.

local core = require "ampersand.core"

-- Takes our modules out of those that are loaded.
local function take_modules()
  local taken = {}
  for name, module in pairs(package.loaded) do
    if name:find "^ampersand" then taken[name] = module end
  end
  for name in pairs(taken) do package.loaded[name] = nil end
  return taken
end

-- The modules that a script loads where none of ours is loaded, without our prefix.
local function loaded_by(script)
  local before, names = take_modules(), {}
  local ok, why = pcall(assert((loadstring or load)(script))) -- luacheck: ignore
  for name in pairs(take_modules()) do names[#names + 1] = name:match "^ampersand%.(.*)$" end
  for name, module in pairs(before) do package.loaded[name] = module end
  assert(ok, why)
  table.sort(names)
  return table.concat(names, " ")
end

-- The beginning of a script: a client whose server answers so.
local function client(answer)
  return ([[local client = require "ampersand".new { api_key = "k", project = "p", integration = "i",
    transport = function() return { headers = {}, %s } end } ]]):format(answer)
end

-- What a list needs must not grow by accident: the fleet, a command or an iterator are not part of it.
local LATER = { "client.iterator", "client.value", "client.query", "client.proxy", "client.bearer", "fleet", "gate", "webhook", "cli",
  "mock", "json", "record", "cancel", "crypto" }

describe("loading", function()
  it("is as good as nothing for require", function()
    assert.equal("core util.require version", loaded_by [[require "ampersand"]])
  end)

  it("of a first list leaves out iterator, query, fleet, gate, webhook and cli", function()
    local names = loaded_by(client 'status = 200, body = "[]"' .. "assert(client.installations:list())")
    assert.truthy(names:find("client.list", 1, true), names)
    for _, name in ipairs(LATER) do
      assert.is_nil((" " .. names .. " "):find("%s" .. name:gsub("%.", "%%.") .. "[%s.]"), name .. " in " .. names)
    end
  end)

  it("of a first list through libcurl stays thin", function()
    local names = loaded_by [[require "ampersand".new { api_key = "k", base_url = "http://127.0.0.1:9", project = "p",
      integration = "i", retry = false }.installations:list()]]
    assert.truthy(names:find("transport.curl", 1, true), names)
    local count = 0
    for _ in io.lines "lua/ampersand.lua" do count = count + 1 end
    for name in names:gmatch "%S+" do
      local file = io.open("lua/ampersand/" .. name:gsub("%.", "/") .. ".lua") -- there is none of a module in C
      for _ in file and file:lines() or function() end do count = count + 1 end
      if file then file:close() end
    end
    assert.is_true(count <= 2940, count .. " lines")
  end)

  it("brings what handles failure with the client", function()
    local before = loaded_by(client "" .. "")
    for _, name in ipairs { "client.error", "client.retry", "util.redact", "util.argcheck" } do
      assert.truthy(before:find(name, 1, true), before)
    end
    local failing = [[
      assert(not client.installations:list())
      assert(not pcall(client.installations.list, client.installations, { timout = 1 }))
      assert(not pcall(function() return client.instalations end))
      assert(not pcall(client.call, client, "listInstalations"))]]
    assert.equal(before, loaded_by(client 'status = 404, body = ""' .. failing))
  end)

  it("of libcurl binds its functions as they are called", function()
    assert.is_false(core.bind_lazily "/nowhere/at/all.so")
    assert.has_error(function() core.bind_lazily() end)
  end)
end)

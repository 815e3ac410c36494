-- What is missing: the files of the library after a first call, the global `require`, parts of the host's Lua, an HTTP
-- engine. What handles failure is there with the client, the rest says what to do.

-- What a program of its own writes; it fails where the program does.
local function run(script)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(script)
  file:close()
  local pipe = assert(io.popen(("%s %s 2>&1; echo \"exit $?\""):format(os.getenv "LUA" or "lua", name)))
  local text = pipe:read "*a"
  pipe:close()
  os.remove(name)
  return text
end

-- Runs a script after the other, each without the modules and with the globals of the beginning.
local EACH = [[
  local globals, getenv, path, cpath = {}, os.getenv, package.path, package.cpath
  for name, value in pairs(_G) do globals[name] = value end
  local function run(script)
    assert((loadstring or load)(script))()
    for name, value in next, globals do _G[name] = value end
    os.getenv, package.path, package.cpath = getenv, path, cpath
    for name in pairs(package.loaded) do
      if name:find "^ampersand" then package.loaded[name] = nil end
    end
  end
]]

local function succeeds(...)
  local script = EACH
  for _, each in ipairs { ... } do script = script .. ("run(%q)\n"):format(each) end
  local text = run(script)
  assert.truthy(text:find("exit 0\n$"), text)
  return text
end

local CLIENT = [[
  local answer = { status = 200, headers = {}, body = '[{"id":"1","n":1},{"id":"2","n":2}]' }
  local ampersand = require "ampersand"
  local client = ampersand.new { api_key = "key-123456", project = "p", integration = "i", retry = false,
    transport = function() return { status = answer.status, headers = answer.headers, body = answer.body } end }
  assert(#client.installations:list() == 2)
]]

local FAILURES = [[
  answer.status, answer.body = 429, '{"title":"slow down","detail":"key-123456"}'
  answer.headers = { ["retry-after"] = "Sun, 06 Nov 1994 08:49:37 GMT" }
  local value, err = client.installations:list()
  assert(value == nil and err.status == 429 and err.retry_after == 0, tostring(err))
  assert(not tostring(err):find "key%-123456")
  answer.status, answer.body = 200, "[1,"
  value, err = client.installations:list()
  assert(value == nil and err.kind == "decode", tostring(err))
  for _, invalid_call in ipairs {
    function() client.installations:list({}, { timout = 1 }) end, function() return client.instalations end,
    function() client.installations:lst() end, function() client:call "listInstalations" end,
    function() client.installations:where(nil) end, function() ampersand.new { projct = "p" } end,
    function() client:with { base_url = "x" } end,
  } do
    local ok, message = pcall(invalid_call)
    assert(not ok and not tostring(message):find "module", tostring(message))
  end
  assert(ampersand.is_error(err))
  answer.headers = {}
]]

local EVERYTHING = [[
  answer.status, answer.body = 200, '[{"id":"1","n":1},{"id":"2","n":2}]'
  assert(client.installations:count() == 2)
  assert(client.installations:where({ n = 2 }):first().id == "2")
  local seen = 0
  for _ in client.installations:where(function(i) return i.n > 1 end):select({ "id" }):each() do seen = seen + 1 end
  assert(seen == 1)
  assert(ampersand.json.decode "[1]"[1] == 1 and ampersand.cancel.token() and ampersand.get({ a = { 1 } }, "a.1") == 1)
  for _ in client.installations:watch { polls = 1 } do end
]]

local GONE = 'package.path, package.cpath = "", ""\n'

describe("without", function()
  it("the files of the library failures and messages about typos still work", function()
    succeeds(CLIENT .. GONE .. FAILURES)
  end)

  it("the files what is loaded later says what to do, and after ampersand.load() works", function()
    local text = succeeds(CLIENT .. GONE .. "print(pcall(client.installations.count, client.installations))",
      CLIENT .. "ampersand.load()\n" .. GONE .. EVERYTHING .. FAILURES .. [[
      for name in ("json time webhook jwt cancel cache gate receiver metrics record replay"):gmatch "%S+" do
        assert(ampersand[name], name)
      end]])
    assert.truthy(text:find("ampersand.load()", 1, true), text)
  end)

  it("a global require everything works", function()
    succeeds(CLIENT .. "require = nil\n" .. EVERYTHING .. FAILURES .. "assert(require == nil)")
  end)

  it("optional parts of the host's Lua a client works, and typos are named", function()
    local scripts = { "os = nil", "os.getenv = nil", "io = nil", "debug = nil", "newproxy = nil", "os, io, debug = nil, nil, nil" }
    for i, lacks in ipairs(scripts) do
      scripts[i] = lacks .. "\n" .. CLIENT .. EVERYTHING .. FAILURES .. [[
        print(select(2, pcall(ampersand.new, { projct = "p" })))]]
    end
    local text = succeeds((table.unpack or unpack)(scripts)) -- luacheck: ignore
    assert.equal(#scripts, select(2, text:gsub('did you mean "project"', "")), text)
  end)

  it("an HTTP engine a call is nil, err", function()
    local text = succeeds [[
      package.preload["ampersand.http"] = function() error("libcurl is not there", 0) end
      local ampersand = require "ampersand"
      local client = ampersand.new { api_key = "k", project = "p", integration = "i" }
      for _, call in ipairs {
        function() return client.installations:list() end, function() return client.installations:count() end,
        function() return client.installations:first() end, function() return client.installations:get "x" end,
        function() return client.installations:stream():next() end,
        function() return client:request("GET", "/x") end, function() return client:proxy("GET", "/", { group = "g" }) end,
        function() return client:parallel(2, { function() return 1 end }) end, function() return client:poll(0) end,
        function() return client.operations:wait "x" end,
      } do
        local value, err = call()
        assert(value == nil and ampersand.is_error(err) and err.kind == "config" and err.sent ~= true, tostring(err))
        print(err)
      end]]
    assert.truthy(text:find("libcurl is not there", 1, true), text)
  end)

  it("an engine that can be opened a call is nil, err, in parallel, too", function()
    local text = succeeds [[
      package.preload["ampersand.http"] = function()
        return { engine = function() return nil, "no HTTP engine: out of memory or descriptors" end, now = os.time }
      end
      local client = require "ampersand".new { api_key = "k", project = "p", integration = "i" }
      local value, err = client.installations:list()
      assert(value == nil and err.kind == "limit", tostring(err))
      value, err = client:parallel(2, { function() return 1 end })
      assert(value == nil and err.kind == "limit", tostring(err))
      print(err)]]
    assert.truthy(text:find("out of memory or descriptors", 1, true), text)
  end)
end)

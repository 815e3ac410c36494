-- Streams that hold connections and descriptors: nobody waits for itself, and abandoned ones are found.

local ampersand = require "ampersand"
local build = require "support.build"
local fault = require "support.fault"

describe("streams that were not closed", function()
  local server, client
  setup(function() server = fault.start() end)
  teardown(function() server:stop() end)
  after_each(function()
    if client then client:close() end
    client = nil
  end)

  local function new(most)
    client = ampersand.new {
      api_key = "k", project = "p", integration = "i", base_url = server:url "endless", max_connections = most,
      http_proxy = "", timeout = 5, retry = false,
    }
    return client.installations
  end

  -- What a client with this setting does with as many abandoned iterators, in a process with few descriptors.
  local function abandons(settings, times)
    local output, code = build.run([[
      local ampersand = require "ampersand"
      local client = ampersand.new {
        api_key = "k", project = "p", integration = "i", base_url = arg[1], http_proxy = "", timeout = 20, retry = false,
        ]] .. settings .. [[
      }
      collectgarbage "stop" -- nobody is collected by chance
      for n = 1, ]] .. times .. [[ do
        local ok, why = pcall(function()
          for _ in client.installations:each() do break end
        end)
        if not ok then error(n .. ": " .. tostring(why)) end
      end
      assert(client:request("GET", "/x", { query = { finite = "yes" } }))
    ]], server.directory, { wrap = "ulimit -n 64; %s", arguments = "'" .. server:url "endless" .. "'" })
    assert.equal(0, code, output)
  end

  it("give their descriptors back when none is left", function() abandons("", 200) end)

  it("give their connections back when max_connections are held", function() abandons("max_connections = 2", 50) end)

  it("give their engines back, with clients that were abandoned, too", function()
    for descriptors = 32, 35 do -- whichever is the one that is missing: an engine's or a connection's
      local output, code = build.run([[
        local ampersand = require "ampersand"
        collectgarbage "stop"
        for _ = 1, 30 do
          local client = ampersand.new { api_key = "k", base_url = arg[1], http_proxy = "", timeout = 20, retry = false }
          assert(client:request("GET", "/x", { query = { finite = "yes" } }))
        end
      ]], server.directory, { wrap = "ulimit -n " .. descriptors .. "; %s", arguments = "'" .. server:url "endless" .. "'" })
      assert.equal(0, code, output)
    end
  end)

  it("are counted in the error when none of them can be given back", function()
    local output, code = build.run([[
      local curl, held = require "ampersand.transport.curl", {}
      local transport = curl.new { http_proxy = "" }
      local res, message, kind, sent
      repeat
        res, message, kind, sent = transport:request { method = "GET", url = arg[1], timeout = 5, stream = true }
        held[#held + 1] = res
      until not res
      print(#held, kind, sent, message)
      held[1].close()
      assert(transport:request { method = "GET", url = arg[1], timeout = 5, stream = true })
      print(curl.new {}:request { method = "GET", url = arg[1], timeout = 5 })
      print(curl.new {}:parallel(2, {}))
    ]], server.directory, { wrap = "ulimit -n 32; %s", arguments = "'" .. server:url "endless" .. "'" })
    assert.equal(0, code, output)
    local held, kind, sent, message = output:match "^(%d+)\t(%a+)\t(%a+)\t([^\n]*)"
    assert.same({ "limit", "false" }, { kind, sent })
    assert.equal(("no file descriptor is left (open streams of this client: %d; close() them, or read them to their end)")
      :format(held), message)
    assert.matches("nil\tno HTTP engine can be made[^\n]*\tlimit\tfalse\nnil\tno HTTP engine", output)
  end)

  it("do not make their own coroutine wait for itself", function()
    for most = 1, 2 do
      local installations, open = new(most), {}
      for i = 1, most do
        open[i] = installations:stream()
        assert(open[i]:next())
      end
      for _, call in ipairs { "get", "list", "count", "first" } do
        local start = os.time()
        local value, err
        if call == "get" then value, err = installations:get "x" else value, err = installations[call](installations) end
        assert.is_nil(value)
        assert.same({ "limit", false }, { err.kind, err.sent })
        assert.matches("can become free .*open streams of this client: " .. most, err.message)
        assert.is_true(os.time() - start < 4)
      end
      open[1]:close()
      assert(installations:first())
      for i = 2, most do open[i]:close() end
    end
  end)

  it("do not make a call wait for coroutines that cannot run meanwhile", function()
    local installations, stream = new(1), nil
    local generator = coroutine.wrap(function()
      stream = installations:stream()
      coroutine.yield(assert(stream:next()))
    end)
    generator()
    local start = os.time()
    local _, err = installations:get "x"
    assert.same({ "limit", false }, { err.kind, err.sent })
    assert.is_true(os.time() - start < 4)
    stream:close()
    assert(installations:first())
  end)

  it("are found when they were abandoned after a call had failed because of them", function()
    local installations = new(1)
    collectgarbage "stop"
    local function fail_inside(leave)
      for _ in installations:each() do
        assert.equal("limit", select(2, installations:get "x").kind)
        leave()
      end
    end
    for _ = 1, 2 do
      coroutine.wrap(fail_inside)(coroutine.yield)
      pcall(fail_inside, function() error "leave" end)
    end
    assert(client:request("GET", "/x", { query = { finite = "yes" } }))
    collectgarbage "restart"
  end)

  it("make other coroutines wait until they are closed", function()
    local installations = new(1)
    local values, errors = client:parallel(2, {
      function()
        local stream = installations:stream()
        assert(stream:next())
        client._config.transport():sleep(0.2)
        stream:close()
        return true
      end,
      function()
        client._config.transport():sleep(0.05)
        return installations:first()
      end,
    })
    assert.is_nil(errors[2] and tostring(errors[2]))
    assert.is_true(values[1])
  end)
end)

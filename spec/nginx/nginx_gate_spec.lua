local nginx = require "support.openresty"
local socket = require "socket"

if nginx.unable(pending) then return end

local NO_REDIS = nginx.missing_redis()

-- The API's place: answers the list of installations as `mode` says, slowly enough to be caught in the middle.
local ORIGIN = [[
  location = /mode { content_by_lua_block { ngx.shared.notes:set("mode", ngx.var.args) } }
  location = /calls { content_by_lua_block { ngx.print(ngx.shared.notes:get(ngx.var.args) or 0) } }
  location /v1/ {
    content_by_lua_block {
      local notes, group = ngx.shared.notes, ngx.var.arg_groupRef
      notes:incr(group, 1, 0)
      ngx.sleep(0.1)
      local mode = notes:get "mode" or "healthy"
      if mode == "gone" then return ngx.exit(444) end
      if mode == "down" then return ngx.exit(500) end
      ngx.header["Content-Type"] = "application/json"
      if mode == "absent" then return ngx.print "[]" end
      local one = '{"id":"i-1","healthStatus":"' .. mode .. '","group":{"groupRef":"' .. group .. '"}}'
      ngx.print("[", one, group == "twins" and "," .. one or "", "]")
    }
  }
]]

local GATES = [[
  lua_shared_dict notes 1m;
  lua_shared_dict ampersand 1m;
  init_by_lua_block {
    local client = require("ampersand").new {
      base_url = "http://127.0.0.1:{{api}}/v1", api_key = "secret-key", project = "p", integration = "i",
    }
    local cache = require "ampersand.cache"
    local store = cache.shared "ampersand"
    {{store}}
    gate = require("ampersand.gate").new { client = client, store = store, ttl = {{ttl}}, stale = 20 }
  }
]]

local LOCATIONS = [[
  location = /gated {
    access_by_lua_block { gate { group = ngx.var.args } }
    content_by_lua_block { ngx.print "passed" }
  }
  location = /strict {
    access_by_lua_block { gate { group = ngx.var.args, on_unknown = "closed", ttl = 30 } }
    content_by_lua_block { ngx.print "passed" }
  }
  location = /all {
    access_by_lua_block { gate { group = ngx.var.args, several = "all" } }
    content_by_lua_block { ngx.print "passed" }
  }
  location = /filter {
    content_by_lua_block { ngx.print "x" }
    header_filter_by_lua_block { ngx.header["X-State"] = gate:health({ group = ngx.var.args, ttl = 30 }).state }
  }
  location = /options { content_by_lua_block { ngx.print(tostring(select(2, pcall(gate, { group = "alpha", ttl = "30" })))) } }
  location = /fill {
    content_by_lua_block {
      local dict = ngx.shared.ampersand
      for i = 1, 30000 do dict:set("filler" .. i, ("x"):rep(50)) end
    }
  }
  location = /long {
    access_by_lua_block { gate { group = ("x"):rep(70000) } }
    content_by_lua_block { ngx.print "passed" }
  }
  location = /changed { content_by_lua_block { gate:invalidate(ngx.var.args) } }
]]

local function new_server(more)
  local options = {
    workers = 2, listen = "reuseport", http = GATES, server = LOCATIONS, origin = ORIGIN, store = "", ttl = 0.4,
  }
  for name, value in pairs(more or {}) do options[name] = value end
  options.api = options.api or "{{upstream}}"
  return nginx.start(options)
end

local function calls(server, group)
  return tonumber((select(2, server:ask("/calls?" .. group, { port = server.upstream }))))
end

local function set_mode(server, mode)
  server:ask("/mode?" .. mode, { port = server.upstream })
end

-- Asks `count` times at once; how many were answered with `expected`.
local function many(server, path, count, expected)
  local sent, good = {}, 0
  for i = 1, count do sent[i] = server:send(path) end
  for i = 1, count do
    if (server:finish(sent[i])) == expected then good = good + 1 end
  end
  return good
end

describe("the gate inside nginx", function()
  local server

  lazy_setup(function() server = new_server() end)
  lazy_teardown(function()
    if server then server:stop() end
  end)
  before_each(function() set_mode(server, "healthy") end)

  it("lets a group pass after one call, whichever request comes first", function()
    assert.equal(40, many(server, "/strict?alpha", 40, 200))
    assert.equal(1, calls(server, "alpha"))
    assert.equal(40, many(server, "/strict?alpha", 40, 200))
    assert.equal(1, calls(server, "alpha"))
  end)

  it("answers 503 with a problem", function()
    set_mode(server, "unhealthy")
    local status, body, headers = server:ask "/strict?beta"
    assert.equal(503, status)
    assert.equal("application/problem+json", headers["content-type"])
    assert.truthy(tonumber(headers["retry-after"]))
    local problem = require("ampersand.core").decode(body)
    assert.same({ 503, "unhealthy" }, { problem.status, problem.state })
    assert.truthy(problem.detail:find "unhealthy")
  end)

  it("remembers absence", function()
    set_mode(server, "absent")
    assert.equal(10, many(server, "/strict?nobody", 10, 503))
    assert.equal(1, calls(server, "nobody"))
  end)

  it("refuses to choose among several, unless told how", function()
    local status, body = server:ask "/gated?twins"
    assert.equal(503, status)
    assert.truthy(body:find '"state":"several"', 1, true)
    assert.equal(200, (server:ask "/all?twins"))
  end)

  it("serves the old answer while the new one is fetched", function()
    assert.equal(200, (server:ask "/gated?gamma"))
    socket.sleep(0.45)
    set_mode(server, "unhealthy")
    assert.equal(20, many(server, "/gated?gamma", 20, 200))
    assert.is_true(nginx.await(2, function() return (server:ask "/gated?gamma") == 503 end))
    assert.is_true(calls(server, "gamma") <= 3)
  end)

  it("passes during an outage with what it knew, and learns of its end", function()
    assert.equal(200, (server:ask "/gated?delta"))
    set_mode(server, "gone")
    local before = calls(server, "delta")
    for _ = 1, 4 do
      socket.sleep(0.25)
      assert.equal(10, many(server, "/gated?delta", 10, 200))
    end
    -- at most one question per ttl; a pooled connection that ends unanswered is replaced once
    assert.is_true(calls(server, "delta") - before <= 6)
    set_mode(server, "unhealthy")
    assert.is_true(nginx.await(2, function() return (server:ask "/gated?delta") == 503 end))
  end)

  it("is open or closed for the unknown, as told", function()
    set_mode(server, "down")
    assert.equal(200, (server:ask "/gated?epsilon"))
    assert.equal(503, (server:ask "/strict?zeta"))
    assert.equal(10, many(server, "/strict?zeta", 10, 503))
    assert.equal(1, calls(server, "zeta"))
    assert.falsy(server:log():find("secret-key", 1, true))
  end)

  it("asks anew when something changed", function()
    assert.equal(200, (server:ask "/strict?eta"))
    set_mode(server, "unhealthy")
    assert.equal(200, (server:ask "/strict?eta"))
    server:ask "/changed?eta"
    assert.equal(503, (server:ask "/strict?eta"))
    assert.equal(2, calls(server, "eta"))
  end)

  it("refuses a request that names no group, and names an option that is wrong, whatever it knows", function()
    for _, path in ipairs { "/gated", "/gated?" } do
      local status, body = server:ask(path)
      assert.equal(503, status)
      assert.truthy(body:find("The request names no group.", 1, true), body)
    end
    assert.equal(200, (server:ask "/gated?alpha"))
    assert.truthy(select(2, server:ask "/options"):find 'option "ttl" must be')
  end)

  it("fetches later where nginx cannot wait", function()
    local _, _, headers = server:ask "/filter?theta"
    assert.equal("unknown", headers["x-state"])
    assert.is_true(nginx.await(2, function()
      return select(3, server:ask "/filter?theta")["x-state"] == "healthy"
    end))
    assert.equal(1, calls(server, "theta"))
  end)
end)

-- What every store promises, run inside nginx; `store` is one.
local CONTRACT = [[
  location = /contract {
    content_by_lua_block {
      local cache = require "ampersand.cache"
      local stores = { shared = cache.shared "ampersand", redis = cache.redis { port = {{redis}} } }
      local store, seen = stores[ngx.var.args], {}
      local function note(value) seen[#seen + 1] = tostring(value) end
      note((store:get "a"))
      note(store:set("a", "1", 10))
      note(store:get "a")
      note((store:set("a", nil, 10)))
      note(store:get "a")
      note(store:delete "a")
      note((store:get "a"))
      store:set("a", "2", 0.05)
      local late = store:lock("a", 0.05)
      note((store:lock("a", 10)))
      ngx.sleep(0.1)
      note((store:get "a"))
      local token = store:lock("a", 10)
      note(token ~= nil and token ~= late)
      note(store:unlock("a", late))
      note((store:lock("a", 10)))
      note(store:unlock("a", token))
      note(store:lock("a", 0.01) ~= nil)
      ngx.print(table.concat(seen, " "))
    }
  }
  location = /secured {
    content_by_lua_block {
      local cache, values = require "ampersand.cache", {}
      for i, given in ipairs { { password = "wrong-password" }, {}, { password = "open-sesame" },
                               { username = "default", password = "open-sesame" },
                               { password = "wrong-password" }, {} } do
        given.port = {{secured}}
        local store = cache.redis(given)
        store:set("k" .. i, "v" .. i)
        local value, why = store:get("k" .. i)
        values[i] = tostring(value or why)
      end
      ngx.print(table.concat(values, "\n"))
    }
  }
  location = /away {
    content_by_lua_block {
      local store = require("ampersand.cache").redis { port = {{spare}}, password = "hidden-password" }
      local _, why = store:get "a"
      ngx.say(why)
      _, why = store:lock("a", 1)
      ngx.say(why)
      _, why = store:delete "a"
      ngx.say(why)
    }
  }
]]

describe("stores inside nginx", function()
  if NO_REDIS then pending(NO_REDIS) return end
  local server, redis, secured

  lazy_setup(function()
    redis, secured = nginx.redis(), nginx.redis "open-sesame"
    server = new_server { server = CONTRACT, redis = redis.port, secured = secured.port }
  end)
  lazy_teardown(function()
    for _, running in pairs { server, redis, secured } do running:stop() end
  end)

  for _, name in ipairs { "shared", "redis" } do
    it("keep the contract: " .. name, function()
      local _, body = server:ask("/contract?" .. name)
      assert.equal("nil true 1 nil 1 true nil nil nil true false nil true true", body)
    end)
  end

  it("log in, and tell a refusal without the password", function()
    local _, body = server:ask "/secured"
    local seen = {}
    for line in body:gmatch "[^\n]+" do seen[#seen + 1] = line end
    for _, i in ipairs { 1, 5 } do -- also beside connections that have logged in
      assert.truthy(seen[i]:find "^redis: WRONGPASS" or seen[i]:find "^redis: ERR invalid password", body)
      assert.truthy(seen[i + 1]:find "^redis: NOAUTH", body)
    end
    assert.same({ "v3", "v4" }, { seen[3], seen[4] }, body)
    assert.is_nil(body:find("wrong-password", 1, true))
  end)

  it("say when they are away", function()
    local _, body = server:ask "/away"
    assert.equal(("redis: connection refused\n"):rep(3), body)
  end)
end)

describe("the gate over a fleet", function()
  if NO_REDIS then pending(NO_REDIS) return end
  local server, other, redis

  lazy_setup(function()
    redis = nginx.redis()
    local store = ("store = cache.layered(store, cache.redis { port = %d }, 0.1)"):format(redis.port)
    server = new_server { store = store, ttl = 20 }
    other = new_server { store = store, ttl = 20, api = server.upstream }
  end)
  lazy_teardown(function()
    if server then server:stop() end
    if other then other:stop() end
    if redis then redis:stop() end
  end)

  it("asks once for all machines", function()
    local sent = {}
    for i = 1, 40 do sent[i] = { i % 2 == 0 and server or other } end
    for _, each in ipairs(sent) do each[2] = each[1]:send "/gated?alpha" end
    for _, each in ipairs(sent) do assert.equal(200, (each[1]:finish(each[2]))) end
    assert.equal(1, calls(server, "alpha"))
  end)

  it("makes a change known to all machines", function()
    assert.equal(200, (other:ask "/gated?beta"))
    set_mode(server, "unhealthy")
    server:ask "/changed?beta"
    assert.equal(503, (server:ask "/gated?beta"))
    assert.is_true(nginx.await(2, function() return (other:ask "/gated?beta") == 503 end))
    set_mode(server, "healthy")
    assert.equal(2, calls(server, "beta"))
  end)

  it("goes on without Redis", function()
    assert.equal(200, (other:ask "/strict?gamma"))
    redis:stop()
    socket.sleep(0.15)
    assert.equal(20, many(other, "/strict?gamma", 20, 200))
    assert.equal(1, calls(server, "gamma"))
    assert.equal(20, many(other, "/strict?delta", 20, 200))
    assert.equal(1, calls(server, "delta"))
  end)
end)

-- A server that takes connections and never answers: nobody accepts them, and how many came can be counted.
local function hanging()
  local listener = assert(socket.bind("127.0.0.1", 0, 64))
  local function count()
    local taken = 0
    listener:settimeout(0)
    while listener:accept() do taken = taken + 1 end
    return taken
  end
  return select(2, listener:getsockname()), count, listener
end

describe("a gate whose store or API fails", function()
  local running

  after_each(function()
    for _, each in ipairs(running) do each:stop() end
  end)

  local function start(options)
    local server = new_server(options)
    running[#running + 1] = server
    return server
  end

  local function warnings(server)
    local lines = {}
    for line in server:log():gmatch "[^\n]*ampersand%.[^\n]*" do lines[#lines + 1] = line end
    return lines
  end

  -- Many requests over two workers pass; what the log says of it, once.
  local function check(server, path, words)
    for _ = 1, 4 do assert.equal(10, many(server, path, 10, 200)) end
    local lines = warnings(server)
    assert.equal(1, #lines, server:log())
    assert.truthy(lines[1]:find(words), lines[1])
  end

  before_each(function() running = {} end)

  for name, template in pairs {
    alone = "store = cache.redis { port = %s, password = 'wrong-password' }",
    ["behind shared memory"] = "store = cache.layered(store, cache.redis { port = %s, password = 'wrong-password' })",
  } do
    it("warns once of a wrong password: Redis " .. name, function()
      if NO_REDIS then pending(NO_REDIS) end
      local redis = nginx.redis "open-sesame"
      local server = start { store = template:format(redis.port) }
      running[2] = redis
      check(server, "/gated?alpha", "redis: .*password")
      assert.falsy(server:log():find("wrong-password", 1, true))
    end)
  end

  it("waits for a Redis that hangs once, and then no more", function()
    if NO_REDIS then pending(NO_REDIS) end
    local port, count, listener = hanging()
    local server = start { store = ("store = cache.layered(store, cache.redis { port = %d })"):format(port), ttl = 0.01 }
    check(server, "/gated?alpha", "goes on alone: redis: timeout")
    for _ = 1, 3 do assert.equal(10, many(server, "/gated?alpha", 10, 200)) end
    -- the requests that were there when it began, in two workers, and the probes
    local connections = count()
    assert.is_true(connections <= 24, connections .. " connections")
    assert.equal(10, many(server, "/gated?beta", 10, 200))
    assert.is_true(count() <= 4)
    listener:close()
  end)

  it("warns once of full shared memory", function()
    local server = start()
    server:ask "/fill"
    check(server, "/gated?alpha", "the store is full")
  end)

  it("warns once of a group that cannot be a key", function()
    check(start(), "/long", 'on_unknown is "open": key too long')
  end)

  it("warns once of an API that fails, however many groups ask", function()
    local server = start()
    set_mode(server, "down")
    for i = 1, 5 do assert.equal(200, (server:ask("/gated?g" .. i))) end
    check(server, "/gated?alpha", 'on_unknown is "open": GET .* 500')
  end)
end)

-- A store that counts how often a lock is asked for.
local COUNTING = [[
  local inner = store
  store = setmetatable({
    lock = function(_, ...)
      ngx.shared.notes:incr("locks", 1, 0)
      return inner:lock(...)
    end,
  }, { __index = function(_, name) return function(_, ...) return inner[name](inner, ...) end end })
]]

describe("the requests of one worker", function()
  it("ask for the lock of a group once, whether they wait for the answer or not", function()
    local server = new_server {
      store = COUNTING, workers = 1, ttl = 0.2,
      server = LOCATIONS .. [[ location = /locks { content_by_lua_block { ngx.print(ngx.shared.notes:get "locks" or 0) } } ]],
    }
    finally(function() server:stop() end) -- luacheck: ignore 113
    local function locks() return tonumber((select(2, server:ask "/locks"))) end
    assert.equal(30, many(server, "/gated?alpha", 30, 200))
    assert.equal(1, locks())
    socket.sleep(0.3)
    assert.equal(30, many(server, "/gated?alpha", 30, 200))
    assert.is_true(nginx.await(2, function() return locks() == 2 end))
    assert.equal(2, calls(server, "alpha"))
  end)
end)

describe("the gate in nginx's other phases", function()
  local server

  lazy_setup(function()
    local prefix = os.tmpname()
    os.remove(prefix)
    os.execute("mkdir " .. prefix)
    nginx.certificate(prefix)
    server = nginx.start {
      prefix = prefix,
      http = [[
        lua_shared_dict notes 1m;
        lua_shared_dict ampersand 1m;
        init_by_lua_block {
          local client = require("ampersand").new {
            base_url = "http://127.0.0.1:{{upstream}}/v1", api_key = "k", project = "p", integration = "i" }
          gate = require("ampersand.gate").new { client = client }
          function note(phase)
            local ok, verdict = pcall(gate.health, gate, { group = phase })
            local words = ok and ("%s %s %s"):format(verdict.state, tostring(verdict.kind), verdict.reason) or verdict
            ngx.shared.notes:set(phase, words)
            if phase == "exit_worker" then ngx.log(ngx.ERR, "exit_worker: ", words) end
          end
          note "init"
        }
        init_worker_by_lua_block { note "init_worker" }
        exit_worker_by_lua_block { note "exit_worker" }
        server {
          listen 127.0.0.1:{{spare}} ssl;
          ssl_certificate {{prefix}}/cert.pem;
          ssl_certificate_key {{prefix}}/key.pem;
          ssl_certificate_by_lua_block { note "ssl_certificate" }
        }
      ]],
      server = "location = /note { content_by_lua_block { ngx.print(ngx.shared.notes:get(ngx.var.args)) } }",
      origin = ORIGIN,
    }
  end)
  lazy_teardown(function()
    if server then server:stop() end
  end)

  it("answers kind `phase` where no request can be made", function()
    for _, phase in ipairs { "init", "init_worker" } do
      local _, words = server:ask("/note?" .. phase)
      local expected = "unknown phase no request can be made in nginx's phase " .. phase
      assert.equal(expected, words:sub(1, #expected))
    end
    server:reload()
    assert.is_true(nginx.await(5, function()
      return server:log():find("exit_worker: unknown phase no request can be made", 1, true) ~= nil
    end), server:log())
  end)

  it("waits in ssl_certificate", function()
    os.execute(("curl -sk https://127.0.0.1:%d/ >/dev/null"):format(server.values.spare))
    assert.truthy(select(2, server:ask "/note?ssl_certificate"):find "^healthy")
  end)
end)

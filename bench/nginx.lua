-- What the nginx modules cost: `make bench-nginx`. Needs nginx with its Lua module, redis-server, wrk and LuaSocket.
-- Rounds of the things compared are interleaved; a row shows the median of the rounds, the lowest and the highest,
-- and the ratio of medians. Where lua-resty-http is installed, or RESTY_HTTP names its lib folder, it is measured too
-- (it needs lua-resty-string). BENCH_ROWS names a file for the rows as one JSON document.
package.path = "bench/?.lua;" .. package.path

local nginx = require "support.openresty"
local rows = require "support.rows"
local socket = require "socket"

local ROUNDS = tonumber(os.getenv "ROUNDS") or 5
local SECONDS = tonumber(os.getenv "SECONDS") or 2
local RESTY = os.getenv "RESTY_HTTP"

local function output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function read(path)
  local file = io.open(path)
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

-- --- measuring -----------------------------------------------------------------------------------------------------

local UNITS = { us = 1e-6, ms = 1e-3, s = 1 }

local function start_wrk(server, path, connections, seconds)
  return assert(io.popen(("wrk -t1 -c%d -d%ds --latency --timeout 10s http://127.0.0.1:%d%s 2>&1")
    :format(connections, seconds or SECONDS, server.port, path)))
end

local function finish_wrk(pipe)
  local text = pipe:read "*a"
  pipe:close()
  local p99, unit = text:match "99%%%s+([%d.]+)(%a+)"
  if not p99 then error("wrk says:\n" .. text, 0) end
  return {
    rate = tonumber(text:match "Requests/sec:%s+([%d.]+)"), requests = tonumber(text:match "(%d+) requests in"),
    p99 = tonumber(p99) * UNITS[unit],
    failed = tonumber(text:match "Non%-2xx or 3xx responses: (%d+)" or 0)
      + (text:find "Socket errors" and 1 or 0),
  }
end

local function wrk(...)
  return finish_wrk(start_wrk(...))
end

local TICKS = tonumber((output "getconf CLK_TCK"))

-- Seconds of CPU a server's workers have used.
local function cpu(server)
  local total = 0
  for _, pid in ipairs(server:workers()) do
    local user, system = read("/proc/" .. pid .. "/stat"):match("%)" .. (" %S+"):rep(11) .. " (%d+) (%d+)")
    total = total + (user + system) / TICKS
  end
  return total
end

local function cpu_per_call(server, path, connections)
  local before = cpu(server)
  local result = wrk(server, path, connections)
  assert(result.failed == 0, path)
  return (cpu(server) - before) / result.requests
end

local function median(values)
  table.sort(values)
  return values[math.ceil(#values / 2)]
end

-- Runs every contender in every round; the order turns.
local function rounds(contenders)
  local values = {}
  for i = 1, #contenders do values[i] = {} end
  for round = 1, ROUNDS do
    for k = 1, #contenders do
      local i = (k + round - 2) % #contenders + 1
      values[i][round] = contenders[i].run()
    end
  end
  return values
end

local function row(name, values, scale, unit, note)
  local middle = median(values)
  print(("  %-42s %9.2f %s   (%.2f to %.2f)%s"):format(name, middle * scale, unit, values[1] * scale,
    values[#values] * scale, note or ""))
  return middle
end

local verdicts = {}

local function note_row(work, library, figure, unit, more)
  local one = { bench = "nginx", work = work, library = library, lua = "LuaJIT", figure = figure, unit = unit }
  for name, value in pairs(more or {}) do one[name] = value end
  rows.add(one)
end

-- A figure that was promised. Ratios have no unit.
local function promise(name, value, bound, at_least, unit)
  note_row("promise: " .. name, "ampersand", value, unit or "x", { bound = bound, at_least = at_least })
  local kept = at_least and value >= bound or not at_least and value <= bound
  local words = ("%s: %.3g (%s %.3g)"):format(name, value, at_least and "at least" or "at most", bound)
  verdicts[#verdicts + 1] = (kept and "kept    " or "BROKEN  ") .. words
end

-- Measures contenders and prints them; gives the medians and, per contender, the sorted values of the rounds.
local function compare(title, contenders, scale, unit)
  print(title)
  local values, medians = rounds(contenders), {}
  for i, contender in ipairs(contenders) do
    local note = i > 1 and not contender.alone and ("   x%.2f"):format(median(values[i]) / medians[1]) or ""
    medians[i] = row(contender.name, values[i], scale, unit, note)
    note_row(title, contender.name, medians[i] * scale, unit, {
      ratio = not contender.alone and medians[i] / medians[1] or nil,
      low = values[i][1] * scale, high = values[i][#values[i]] * scale,
    })
  end
  return medians, values
end

-- --- servers -------------------------------------------------------------------------------------------------------

-- Slow answers take 200 ms give or take a tenth, or a hundred calls that began together would stay in step forever.
local UPSTREAM = [[
  location = /kb { content_by_lua_block { ngx.header.content_length = #kb ngx.print(kb) } }
  location = /large { content_by_lua_block { ngx.header.content_length = #large ngx.print(large) } }
  location = /slow {
    content_by_lua_block {
      ngx.sleep(0.18 + 0.04 * math.random())
      ngx.header.content_length = 2
      ngx.print "ok"
    }
  }
  location = /mode { content_by_lua_block { ngx.shared.notes:set("mode", ngx.var.args) } }
  location = /calls { content_by_lua_block { ngx.print(ngx.shared.notes:get "calls" or 0) } }
  location = /v1/projects/p/integrations/list/installations {
    content_by_lua_block { ngx.header["Content-Type"] = "application/json" ngx.print(list) }
  }
  location /v1/ {
    content_by_lua_block {
      ngx.shared.notes:incr("calls", 1, 0)
      if ngx.shared.notes:get "mode" == "down" then return ngx.exit(444) end
      ngx.header["Content-Type"] = "application/json"
      local group = ngx.var.arg_groupRef
      ngx.print('[{"id":"i","healthStatus":"healthy","group":{"groupRef":"', group, '"}}]')
    }
  }
]]

local function start_upstream()
  return nginx.start {
    http = [[
      lua_shared_dict notes 1m;
      keepalive_requests 10000000;
      init_by_lua_block {
        local mock, core = require "ampersand.mock", require "ampersand.core"
        local one = core.encode(mock.installation(1))
        kb, large = ("x"):rep(1024), ("x"):rep(260 * 1024)
        local all = {}
        for i = 1, math.ceil(10 * 2 ^ 20 / #one) do all[i] = one end
        list = "[" .. table.concat(all, ",") .. "]"
      }
    ]],
    server = UPSTREAM,
  }
end

local FRONT = [[
  lua_shared_dict ampersand 10m;
  upstream pool { server 127.0.0.1:{{up}}; keepalive 200; keepalive_requests 10000000; }
  keepalive_requests 10000000;
  init_by_lua_block {
    transport = require("ampersand.transport.nginx").new()
    function relay(path, take)
      local res, message = transport:request {
        method = "GET", url = "http://127.0.0.1:{{up}}" .. path, headers = {}, timeout = 10, read_timeout = 5,
        connect_timeout = 5, resend = true,
      }
      if not res then error(message) end
      if not take then ngx.header.content_length = res.headers["content-length"] end
      while true do
        local piece, why = res.read()
        if not piece then
          res.close(not why)
          return why and error(why)
        end
        (take or ngx.print)(piece)
      end
    end
    local found, http = pcall(require, "resty.http")
    function resty(path)
      local client = http.new()
      client:set_timeouts(5000, 5000, 5000)
      assert(client:connect { scheme = "http", host = "127.0.0.1", port = {{up}} })
      local res = assert(client:request { method = "GET", path = path, headers = { Host = "127.0.0.1" } })
      ngx.header.content_length = res.headers["Content-Length"]
      local reader = res.body_reader
      while true do
        local piece, why = reader(65536)
        if not piece then
          assert(not why, why)
          break
        end
        ngx.print(piece)
      end
      client:set_keepalive(60000, 200)
    end
    has_resty = found
    local options = {
      base_url = "http://127.0.0.1:{{up}}/v1", api_key = "bench-key", project = "p", integration = "i",
    }
    client = require("ampersand").new(options)
    -- A client that notes how much CPU the worker used between two turns of the event loop.
    watched, turns = require("ampersand.transport.nginx").new(), { 0 }
    local began
    function watched:breathe()
      local clock = os.clock()
      if not getmetatable(self).breathe(self) then return end
      if began then turns[#turns + 1] = clock - began end
      began = os.clock()
    end
    function new_list()
      began, turns = nil, { 0 }
      options.transport, options.integration = watched, "list"
      return assert(require("ampersand").new(options).installations:list())
    end
    local cache = require "ampersand.cache"
    local store = cache.shared "ampersand"
    {{store}}
    gate = require("ampersand.gate").new { client = client, store = store, ttl = 1, stale = 600 }
  }
]]

local LOCATIONS = [[
  location = /static { alias {{prefix}}/page; }
  location = /gated {
    access_by_lua_block { gate { group = "acme" } }
    alias {{prefix}}/page;
  }
  location = /lua { access_by_lua_block { local _ = nothing } alias {{prefix}}/page; }
  location = /has_resty { content_by_lua_block { ngx.print(tostring(has_resty)) } }
  location /proxy/ { proxy_pass http://pool/; proxy_http_version 1.1; proxy_set_header Connection ""; }
  location = /own/kb { content_by_lua_block { relay "/kb" } }
  location = /own/large { content_by_lua_block { relay "/large" } }
  location = /own/slow { content_by_lua_block { relay "/slow" } }
  location = /resty/kb { content_by_lua_block { resty "/kb" } }
  location = /resty/large { content_by_lua_block { resty "/large" } }
  location = /client {
    content_by_lua_block { ngx.print(#assert(client.installations:list({ groupRef = "acme" }))) }
  }
  location = /turns {
    content_by_lua_block {
      local now, over, gaps = require("ampersand.core").now, false, {}
      local ticker = ngx.thread.spawn(function()
        local last = now()
        while not over do
          ngx.sleep(0.001)
          local at = now()
          gaps[#gaps + 1], last = at - last, at
        end
      end)
      local started = now()
      if ngx.var.args == "idle" then ngx.sleep(0.2) end
      if ngx.var.args == "bytes" then relay("/v1/projects/p/integrations/list/installations", function() end) end
      if ngx.var.args == "list" then new_list() end
      local took = now() - started
      over = true
      ngx.thread.wait(ticker)
      table.sort(gaps)
      table.sort(turns)
      ngx.print(("%.6f %.6f %.6f %.6f %.6f"):format(gaps[#gaps], gaps[math.ceil(#gaps * 0.99)], took,
        turns[math.ceil(#turns * 0.5)], turns[#turns]))
    }
  }
]]

local function start_front(upstream, more)
  local options = {
    http = FRONT, server = LOCATIONS, up = upstream.port, store = "", files = { page = ("x"):rep(1024) },
    lua_path = RESTY and ";" .. RESTY .. "/?.lua" or "",
  }
  for name, value in pairs(more or {}) do options[name] = value end
  return nginx.start(options)
end

local upstream, front, servers = nil, nil, {}

local function keep(server)
  servers[#servers + 1] = server
  return server
end

-- --- what is measured ----------------------------------------------------------------------------------------------

local function latency()
  local function during(path)
    return function()
      local slow = start_wrk(front, path, 100, SECONDS + 1)
      socket.sleep(0.5)
      local result = wrk(front, "/static", 4)
      local other = finish_wrk(slow)
      assert(result.failed + other.failed == 0)
      return result.p99
    end
  end
  local medians = compare("p99 of a static page during 100 calls of 200 ms", {
    { name = "proxy_pass", run = during "/proxy/slow" },
    { name = "own transport", run = during "/own/slow" },
    { name = "no load", run = function() return wrk(front, "/static", 4).p99 end },
  }, 1e3, "ms")
  promise("p99 during slow calls / with proxy_pass", medians[2] / medians[1], 1.25)
end

local function cost()
  local has_resty = select(2, front:ask "/has_resty") == "true"
  for _, case in ipairs { { "kb", "1 KB" }, { "large", "260 KB" } } do
    local path, words = case[1], case[2]
    local contenders = {
      { name = "proxy_pass", run = function() return cpu_per_call(front, "/proxy/" .. path, 20) end },
      { name = "own transport", run = function() return cpu_per_call(front, "/own/" .. path, 20) end },
    }
    if has_resty then
      contenders[3] =
        { name = "lua-resty-http", run = function() return cpu_per_call(front, "/resty/" .. path, 20) end }
    end
    if path == "kb" then
      contenders[#contenders + 1] =
        { name = "client: list, decoded", run = function() return cpu_per_call(front, "/client", 20) end }
    end
    local medians = compare("CPU of the worker per proxied call, " .. words, contenders, 1e6, "us")
    if path == "kb" then promise("CPU, 1 KB / proxy_pass", medians[2] / medians[1], 1.5) end
    if has_resty then
      promise("CPU, " .. words .. " / lua-resty-http", medians[2] / medians[3], path == "kb" and 0.8 or 1)
    end
  end
end

local function turns()
  local function gap(what, which)
    return function()
      local _, body = front:ask("/turns?" .. what)
      local numbers = {}
      for number in body:gmatch "%S+" do numbers[#numbers + 1] = tonumber(number) end
      return numbers[which]
    end
  end
  local _, values = compare("how late a timer of 1 ms is while a list of 10 MB is decoded in the same worker", {
    { name = "its bytes read, not decoded: longest", run = gap("bytes", 1) },
    { name = "list: longest", run = gap("list", 1) },
    { name = "no load: p99", run = gap("idle", 2) },
    { name = "its bytes read, not decoded: p99", run = gap("bytes", 2) },
    { name = "list: p99", run = gap("list", 2) },
    { name = "how long the list took", run = gap("list", 3), alone = true },
    { name = "list: CPU between two turns, median", run = gap("list", 4) },
    { name = "list: CPU between two turns, most", run = gap("list", 5) },
  }, 1e3, "ms")
  local most = values[8]
  promise("ms of CPU between two turns of the event loop, most of all rounds", most[#most] * 1e3, 2, false, "ms")
end

local function reload()
  local lost, slowest, ROUND_CALLS = 0, 0, 100
  for _ = 1, ROUNDS do
    local calls, old = {}, front:workers()
    for i = 1, ROUND_CALLS do calls[i] = front:send "/own/slow" end
    socket.sleep(0.05)
    local started = socket.gettime()
    front:reload()
    for i = 1, ROUND_CALLS do
      local status, body = front:finish(calls[i])
      if status ~= 200 or body ~= "ok" then lost = lost + 1 end
    end
    nginx.await(5, function()
      for _, pid in ipairs(old) do
        if nginx.alive(pid) then return false end
      end
      return true
    end)
    slowest = math.max(slowest, socket.gettime() - started)
  end
  print(("reload with %d calls in flight, %d times\n  lost %d; old worker gone after at most %.3f s")
    :format(ROUND_CALLS, ROUNDS, lost, slowest))
  promise("calls lost in a reload", lost, 0, false, "calls")
  promise("seconds until the old worker is gone", slowest, 0.5, false, "s")
end

local function calls_so_far()
  return tonumber((select(2, upstream:ask "/calls")))
end

local function gates()
  local medians = compare("requests/s of a page", {
    { name = "without a gate", run = function() return wrk(front, "/static", 20).rate end },
    { name = "with the gate", run = function() return wrk(front, "/gated", 20).rate end },
    { name = "with access_by_lua that does nothing", run = function() return wrk(front, "/lua", 20).rate end },
  }, 1, "/s")
  promise("requests/s with the gate / without", medians[2] / medians[1], 0.8, true)
  compare("CPU of the worker per request of a page", {
    { name = "without a gate", run = function() return cpu_per_call(front, "/static", 20) end },
    { name = "with the gate", run = function() return cpu_per_call(front, "/gated", 20) end },
  }, 1e6, "us")

  local redis = keep(nginx.redis())
  local store = ("store = cache.layered(store, cache.redis { port = %d }, 0.2)"):format(redis.port)
  local fleet = { keep(start_front(upstream, { store = store, workers = 2 })),
    keep(start_front(upstream, { store = store, workers = 2 })) }
  local before, started, failed, requests = calls_so_far(), socket.gettime(), 0, 0
  local pipes = { start_wrk(fleet[1], "/gated", 20, 8), start_wrk(fleet[2], "/gated", 20, 8) }
  for _, pipe in ipairs(pipes) do
    local result = finish_wrk(pipe)
    failed, requests = failed + result.failed, requests + result.requests
  end
  local calls, ttls = calls_so_far() - before, math.floor(socket.gettime() - started) + 1
  print(("a fleet of two machines with two workers each, ttl 1 s\n  %d requests, %d calls in %d ttls, %d failed")
    :format(requests, calls, ttls, failed))
  promise("calls per key and ttl over the fleet", calls / ttls, 1, false, "calls")

  upstream:ask "/mode?down"
  before = calls_so_far()
  local result = wrk(fleet[1], "/gated", 20, 5)
  print(("the API away for 5 s\n  %d requests, %d tries to reach it, %d failed"):format(result.requests,
    calls_so_far() - before, result.failed))
  promise("failed requests while the API is away", result.failed, 0, false, "requests")
  upstream:ask "/mode?up"
end

local ok, why = pcall(function()
  assert(require("support.machine").has "wrk", "wrk is not installed")
  upstream = keep(start_upstream())
  front = keep(start_front(upstream))
  local wanted = arg and arg[1]
  for _, part in ipairs {
    { "latency", latency }, { "cost", cost }, { "turns", turns }, { "reload", reload }, { "gates", gates },
  } do
    if not wanted or wanted == part[1] then part[2]() end
  end
end)
for _, server in ipairs(servers) do server:stop() end
if not ok then error(why, 0) end
print("\n" .. table.concat(verdicts, "\n"))
rows.write()

-- How the cost of one installation grows with their number when they are encoded, listed from compressed answers and
-- edited, and what pieces of a text of 1 GB hold: `make bench-scale`. MOST bounds the number; edits stop at a tenth.
package.path = "bench/?.lua;" .. package.path

local ampersand = require "ampersand"
local core = require "ampersand.core"
local json = require "ampersand.json"
local mock = require "support.mock"
local nginx = require "support.nginx"
local rows = require "support.rows"
local texts = require "support.texts"

local MOST = tonumber(os.getenv "MOST") or 10000
local PAGE = texts.sets[2]

local function show(work, unit, n, figure)
  print(("%-24s %9d %10.2f %s"):format(work, n, figure, unit))
  io.stdout:flush()
  rows.add { bench = "scale", work = work, library = "ampersand", n = n, figure = figure, unit = unit }
end

--- Microseconds for one of n; the best of some runs, since noise only adds.
local function best_of(times, n, run)
  local best = math.huge
  for _ = 1, times do
    collectgarbage()
    local start = core.now()
    run()
    best = math.min(best, core.now() - start)
  end
  return best * 1e6 / n
end

local function memory(name)
  local file = assert(io.open "/proc/self/status")
  local kib = file:read("*a"):match(name .. ":%s*(%d+)")
  file:close()
  return tonumber(kib) / 1024
end

--- Forgets the peak of this process so far; returns what it holds now.
local function forget_peak()
  collectgarbage()
  local file = assert(io.open("/proc/self/clear_refs", "w"))
  file:write "5"
  file:close()
  return memory "VmRSS"
end

local function encode(n)
  local value = core.decode(texts.installations(PAGE, n))
  show("encode", "µs", n, best_of(3, n, function() core.encode(value) end))
end

local function pieces_of(value)
  local encoder, bytes = json.encoder(value), 0
  for piece in function() return encoder:next() end do bytes = bytes + #piece end
  return bytes
end

--- A list of a thousand installations that comes again and again makes 1 GB of text.
local function pieces()
  local list = json.array(core.decode(texts.installations(PAGE, 1000)))
  local times = math.ceil(1e9 / #core.encode(list))
  for i = #list + 1, times * 1000 do list[i] = list[i - 1000] end
  local before = forget_peak()
  show("1 GB in pieces", "µs", #list, best_of(1, #list, function() assert(pieces_of(list) >= 1e9) end))
  show("1 GB in pieces, peak with garbage", "MB", #list, math.max(memory "VmHWM" - before, 0))
end

local function gzip(n, server)
  local folder = server.directory .. "/www/v1/projects/p/integrations/" .. n
  assert(os.execute("mkdir -p " .. folder))
  texts.write(PAGE, n, folder .. "/installations")
  local client = ampersand.new {
    base_url = server:url("v1", "plain"), api_key = "key", project = "p", integration = tostring(n), http_proxy = "",
  }
  show("each, gzip", "µs", n, best_of(3, n, function()
    local count = 0
    for _ in client.installations:each() do count = count + 1 end
    assert(count == n)
  end))
  client:close()
end

local function edit(n)
  local server, turn = mock.start { installations = n }, 0
  local client = ampersand.new {
    base_url = server.url, api_key = server.key, project = server.project, integration = server.integration,
  }
  show("edit", "µs", n, best_of(2, n, function()
    turn = turn + 1
    local report = ampersand.assert(client.installations:edit(function(config)
      config.content.proxy = { enabled = turn % 2 == 0 }
    end, { journal = false }))
    assert(report:complete())
  end))
  client:close()
  server:stop()
end

local function each_number(most, run, ...)
  local n = 10
  while n <= most do
    run(n, ...)
    n = n * 10
  end
end

each_number(MOST, encode)
pieces()
local server = nginx.start { gzip = true }
each_number(MOST, gzip, server)
server:stop()
each_number(MOST / 10, edit)
rows.write()

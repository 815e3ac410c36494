-- How long a frame is held while 10,000 installations arrive, by client:poll with a budget of 2 ms. Usage: hosts.lua
package.path = "bench/?.lua;" .. package.path

local ampersand = require "ampersand"
local core = require "ampersand.core"
local frame = require "ampersand.loop.frame"
local mock = require "support.mock"
local rows = require "support.rows"

local INSTALLATIONS, BUDGET = 10000, 0.002

local WAYS = {
  list = function(view) return #ampersand.assert(view:list()) end,
  count = function(view) return ampersand.assert(view:count()) end,
  each = function(view)
    local n, stream = 0, ampersand.assert(view:stream())
    local installation, err = stream:next()
    while installation do n, installation, err = n + 1, stream:next() end
    return err and error(tostring(err)) or n
  end,
}

-- Milliseconds of wall time and of CPU that each poll took.
local function frames_of(server, way)
  local client = ampersand.new {
    base_url = server.url, api_key = server.key, project = server.project, integration = server.integration,
    loop = frame.new(),
  }
  client:poll()
  local total
  assert(coroutine.resume(coroutine.create(function() total = way(client.installations) end)))
  local wall, cpu = {}, {}
  while not total do
    local start, busy = core.now(), os.clock()
    client:poll(BUDGET)
    wall[#wall + 1], cpu[#cpu + 1] = (core.now() - start) * 1000, (os.clock() - busy) * 1000
    os.execute "sleep 0.005" -- drawing
  end
  client:close()
  assert(total == INSTALLATIONS)
  table.sort(wall)
  table.sort(cpu)
  return wall, cpu
end

local server = mock.start { installations = INSTALLATIONS }
print(("%-8s %7s %26s %26s"):format("", "frames", "wall: p50, p99, most, ms", "CPU: p50, p99, most, ms"))
for _, name in ipairs { "list", "each", "count" } do
  local wall, cpu = frames_of(server, WAYS[name])
  local function three(values)
    local n = #values
    return ("%.1f %.1f %.1f"):format(values[math.ceil(n * 0.5)], values[math.ceil(n * 0.99)], values[n])
  end
  print(("%-8s %7d %26s %26s"):format(name, #wall, three(wall), three(cpu)))
  rows.add {
    bench = "hosts", work = "poll " .. name, library = "ampersand", unit = "s", n = INSTALLATIONS,
    figure = wall[math.ceil(#wall * 0.99)] / 1000,
  }
end
server:stop()
rows.write()

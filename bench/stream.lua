-- One way to go through a file of installations, as a program of its own: read, decode, loop.
-- Usage: stream.lua ampersand|cjson WAY SET FILE; prints elements, CPU seconds and peak KiB. Started by decode.lua.
package.path = "bench/?.lua;" .. package.path

local who, way, set_name, path = arg[1], arg[2], arg[3], arg[4]

-- What comes last in a record, by set; the condition meets one record in twenty.
local LATE = {
  ["mock server"] = { path = "zz.last", wanted = 10, get = function(element) return element.zz.last end },
  page = { path = "config.content.proxy.enabled", wanted = false,
    get = function(element) return element.config.content.proxy.enabled end },
}
local late = assert(LATE[set_name])

local function id_of(element) return element.id end

local WAYS = {
  iterate = { use = id_of },
  select = { options = { select = { "id", "group.groupRef", "connection.provider" } }, use = id_of },
  where = { options = { where = { healthStatus = "unhealthy" } }, use = id_of,
    filter = function(element) return element.healthStatus == "unhealthy" end },
  ["select-late"] = { options = { select = { late.path } }, use = late.get },
  ["where-late"] = { options = { where = { [late.path] = late.wanted } }, use = id_of,
    filter = function(element) return late.get(element) == late.wanted end },
}
way = assert(WAYS[way])

local run = {}

function run.ampersand()
  local json = require "ampersand.json"
  local file, count, use = assert(io.open(path, "rb")), 0, way.use
  for element in json.each(file, way.options) do -- reads 16 KiB at a time
    count = count + 1
    use(element)
  end
  file:close()
  return count
end

function run.cjson()
  local cjson = require "cjson"
  local file, count, use, filter = assert(io.open(path, "rb")), 0, way.use, way.filter
  local list = cjson.decode((file:read "*a"))
  file:close()
  for _, element in ipairs(list) do
    if not filter or filter(element) then
      count = count + 1
      use(element)
    end
  end
  return count
end

local count = run[who]()
local seconds = os.clock()
local peak = io.open("/proc/self/status"):read "*a":match "VmHWM:%s*(%d+)"
print(count, seconds, peak)

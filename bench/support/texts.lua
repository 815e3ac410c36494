-- What the benchmarks read: installations as the stand-in invents them, one in twenty unhealthy; coordinates.
local core = require "ampersand.core"
local standin = require "ampersand.standin"

local texts = {}

function texts.installation(i)
  local installation = standin.installation(i)
  installation.healthStatus = i % 20 == 0 and "unhealthy" or "healthy"
  installation.zz = { last = i } -- a field that comes last where keys are sorted
  return assert(core.encode(installation, { sort_keys = true }))
end

function texts.installations(count)
  local list = {}
  for i = 1, count do list[i] = texts.installation(i) end
  return "[" .. table.concat(list, ",") .. "]"
end

--- Writes an array of installations to a file under build/, once. A thousand different ones are repeated.
---@return string path
function texts.file(count)
  local path = "build/bench-" .. count .. ".json"
  local file = io.open(path, "rb")
  if file then
    file:close()
    return path
  end
  local different = {}
  for i = 1, math.min(count, 1000) do different[i] = texts.installation(i) end
  file = assert(io.open(path, "wb"))
  file:write("[")
  for i = 1, count do file:write(i > 1 and "," or "", different[(i - 1) % #different + 1]) end
  file:write("]")
  file:close()
  return path
end

--- Polygons of coordinates with fifteen decimals, as in a map of Canada.
function texts.coordinates(polygons)
  local list, x, y = {}, -65.613616999999977, 43.420273000000009
  for i = 1, polygons do
    local points = {}
    for j = 1, 100 do
      x, y = x + math.sin(i * j) / 7, y + math.cos(i + j) / 9
      points[j] = ("[%.15f,%.15f]"):format(x, y)
    end
    list[i] = "[" .. table.concat(points, ",") .. "]"
  end
  return '{"type":"MultiPolygon","coordinates":[' .. table.concat(list, ",") .. "]}"
end

return texts

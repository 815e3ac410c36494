-- Several ways to do one thing, measured in turns, shown side by side, and kept as rows.
local rows = require "support.rows"

local race = {}

--- Times all ways in rotated order. The collector runs as it likes, and each pays for its own garbage: a full
--- collection ends its turn.
---@param ways (fun():any)[]
---@param rounds integer
---@param repeats integer calls in each round
---@param stopped boolean? the collector runs between the turns only, and no way pays for it
---@return number[][] samples for each way its seconds a call, one of each round
function race.run(ways, rounds, repeats, stopped)
  local samples = {}
  for i = 1, #ways do samples[i] = {} end
  for round = 1, rounds do
    for turn = 0, #ways - 1 do
      local which = (round + turn) % #ways + 1
      local way = ways[which]
      collectgarbage()
      if stopped then collectgarbage "stop" end
      local start = os.clock()
      for _ = 1, repeats do way() end
      if not stopped then collectgarbage() end
      samples[which][round] = (os.clock() - start) / repeats
      collectgarbage "restart"
    end
  end
  return samples
end

--- Whether two decoded values are equal, arrays and objects alike.
---@param a any
---@param b any
---@param null any? what may stand for anything but a table in the other one
function race.equal(a, b, null)
  if type(a) ~= "table" then return a == b or (null ~= nil and a == null) end
  if type(b) ~= "table" then return false end
  for key, value in pairs(a) do
    if not race.equal(value, b[key], null) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function figure(value, unit)
  if unit ~= "s" then return ("%.1f %s"):format(value, unit) end
  if value >= 1 then return ("%.2f s"):format(value) end
  if value >= 1e-3 then return ("%.2f ms"):format(value * 1e3) end
  return ("%.2f us"):format(value * 1e6)
end

--- Shows one library's figure and, where there is a base, how many times better it is: the median of the rounds and
--- the quartiles. Samples of the same round belong together.
---@param row { library: string, work: string, data: string, unit: string }
---@param samples number[]
---@param base number[]? samples of what it is compared with
function race.show(row, samples, base)
  row.bench, row.figure = "decode", (rows.middle(samples))
  local line = ("%-44s %-10s %-24s %10s"):format(row.work, row.data, row.library, figure(row.figure, row.unit))
  if base then
    local ratios = {}
    for round, value in ipairs(samples) do ratios[round] = base[round] / value end
    row.ratio, row.low, row.high = rows.middle(ratios)
    line = line .. ("  %6.2f (%.2f-%.2f)"):format(row.ratio, row.low, row.high)
  end
  print(line)
  io.stdout:flush()
  rows.add(row)
end

return race

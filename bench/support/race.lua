-- Two ways to do one thing, timed in turns.
local race = {}

--- Runs both in rotated order and compares. The collector runs as it likes, and each pays for its own garbage:
--- a full collection ends its turn.
---@param ours fun():any
---@param theirs fun():any
---@param rounds integer
---@param repeats integer calls in each round
---@return table result ours and theirs (best seconds a call), best and median ratio
function race.run(ours, theirs, rounds, repeats)
  local ways, best, ratios = { ours, theirs }, { math.huge, math.huge }, {}
  for round = 1, rounds do
    local seconds = {}
    for turn = 0, 1 do
      local which = (round + turn) % 2 + 1
      local way = ways[which]
      collectgarbage()
      local start = os.clock()
      for _ = 1, repeats do way() end
      collectgarbage()
      seconds[which] = (os.clock() - start) / repeats
      best[which] = math.min(best[which], seconds[which])
    end
    ratios[round] = seconds[2] / seconds[1]
  end
  table.sort(ratios)
  return { ours = best[1], theirs = best[2], best = best[2] / best[1], median = ratios[math.floor(rounds / 2) + 1] }
end

--- Whether two decoded values are equal, arrays and objects alike.
function race.equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not race.equal(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function time(seconds)
  if seconds >= 1 then return ("%.2f s"):format(seconds) end
  if seconds >= 1e-3 then return ("%.2f ms"):format(seconds * 1e3) end
  return ("%.2f us"):format(seconds * 1e6)
end

function race.show(name, result)
  print(("%-52s %10s %10s   best %6.2f   median %6.2f"):format(name, time(result.ours), time(result.theirs),
    result.best, result.median))
  io.stdout:flush()
end

return race

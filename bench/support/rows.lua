-- What a benchmark measured, as data for the report: a JSON array in the file that BENCH_ROWS names.
local json = require "ampersand.json"

local rows = {}

local VERSION = rawget(_G, "jit") and "LuaJIT" or _VERSION
local all = json.array {}

local function at(sorted, part)
  return sorted[1 + math.floor((#sorted - 1) * part + 0.5)]
end

--- The median of some runs, and their quartiles.
---@param values number[]
---@return number? median, number? low, number? high
function rows.middle(values)
  local sorted = {}
  for i, value in ipairs(values) do sorted[i] = value end
  table.sort(sorted)
  return at(sorted, 0.5), at(sorted, 0.25), at(sorted, 0.75)
end

--- Keeps a row.
---@param row table bench, work (what was done), library (who did it), figure with unit; where it applies n (how many
--- installations), ratio (to the one compared with), low and high (quartiles), data, lua when it is not this one
function rows.add(row)
  row.lua = row.lua or VERSION
  all[#all + 1] = row
end

--- Writes the document, if one is asked for; to be called once, at the end.
function rows.write()
  local path = os.getenv "BENCH_ROWS"
  if not path or path == "" then return end
  local file = assert(io.open(path, "w"))
  file:write(assert(json.encode(all, { sort_keys = true })), "\n")
  file:close()
end

return rows

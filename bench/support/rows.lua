-- The rows a benchmark measured, as one JSON document: an array, in the file that BENCH_JSON names. Without that
-- variable nothing is written.
local core = require "ampersand.core"

local rows = {}

local PATH = os.getenv "BENCH_JSON"
local VERSION = rawget(_G, "jit") and "LuaJIT" or _VERSION

local held = core.array {}

--- Keeps one row: bench, work (what was done), library (who did it), figure (the median) with unit, ratio (to the
--- control of its table; the control's is 1), low and high (the rounds' extremes); lua where it is not this Lua.
---@param row table
function rows.add(row)
  row.lua = row.lua or VERSION
  held[#held + 1] = row
end

--- Writes the document; call it once, at the end.
function rows.write()
  if not PATH then return end
  local file = assert(io.open(PATH, "w"))
  assert(file:write(assert(core.encode(held, { sort_keys = true })), "\n"))
  assert(file:close())
end

return rows

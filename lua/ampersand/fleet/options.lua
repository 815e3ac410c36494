--- The options of `edit` and `undo`.

local argcheck = require "ampersand.util.argcheck"

local options = {}

local RUN = {
  parallel = "count", settle = "wait", max_failures = "count", skip_sampling = "boolean", dry_run = "boolean",
  out = "function", on_progress = "function",
}
local EDIT = { journal = "string|boolean", canary = "number|table|boolean", irreversible = "boolean" }
for name, kind in pairs(RUN) do EDIT[name] = kind end
local CANARY = { share = "number", count = "count", wait = "wait", check = "function" }
local DEFAULTS = { settle = 10, parallel = 4, max_failures = 10, out = print }

local function settled(given, schema, what)
  local settings = {}
  for name, value in pairs(DEFAULTS) do settings[name] = value end
  for name, value in pairs(argcheck.check(given, schema, what)) do settings[name] = value end
  return settings
end

local function canary_of(canary, what)
  if not canary then return nil end
  if type(canary) == "number" then canary = canary < 1 and { share = canary } or { count = canary } end
  if type(canary) ~= "table" then argcheck.raise(what .. ": `canary` is a share below 1, a number or a table") end
  argcheck.check(canary, CANARY, what .. ": canary")
  local share = canary.share
  if (share == nil) == (canary.count == nil) or (share and not (share > 0 and share <= 1)) then
    argcheck.raise(what .. ": `canary` needs a share above 0 and up to 1, or a count")
  end
  return canary
end

--- The options of an edit, checked, with their defaults.
---@param given table?
---@param what string for messages
---@return table settings
function options.of_edit(given, what)
  local settings = settled(given, EDIT, what)
  if not settings.dry_run and type(settings.journal) ~= "string" and settings.journal ~= false then
    argcheck.raise(what .. ": give `journal`, a file to resume and undo from; `journal = false` does without")
  end
  settings.canary = canary_of(settings.canary, what)
  return settings
end

--- The options of an undo.
---@param given table?
---@param what string for messages
---@return table settings
function options.of_undo(given, what)
  return settled(given, RUN, what)
end

return options

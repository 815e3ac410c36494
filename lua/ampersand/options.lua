--- Checks tables that callers hand in: known names, right types. The words for what is wrong are ampersand.misuse's.

local later = require "ampersand.later"

local options = later "ampersand.misuse"

local function type_fits(value, expected)
  local actual = type(value)
  if actual == expected then return true end
  for wanted in expected:gmatch("%w+") do
    if actual == wanted then return true end
    if wanted == "seconds" and actual == "number" and value > 0 then return true end
    if wanted == "wait" and actual == "number" and value >= 0 then return true end
    if wanted == "count" and actual == "number" and value >= 1 and value == math.floor(value) then return true end
  end
  return false
end

--- Raises unless `given` is a table (or nil) whose names are in `schema` and whose values have its types.
---@param given table?
---@param schema table<string, string> name -> "string", "seconds", "wait", "count", "table|function" …
---@param what string for the message, such as "ampersand.new"
---@return table given
function options.check(given, schema, what)
  if given == nil then return {} end
  if type(given) ~= "table" then options.refuse_table(given, what) end
  for name, value in pairs(given) do
    local expected = schema[name]
    if not expected or not type_fits(value, expected) then options.refuse(name, value, schema, what) end
  end
  return given
end

return options

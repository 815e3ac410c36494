--- The text of a cell.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local json = require "ampersand.cli.output.json"

local function scalar_text(value)
  if value == nil or value == core.null then return "" end
  return type(value) == "string" and value or json.line(value)
end

-- The values at a path in which `*` stands for every member, in the order of the keys.
local function gather(value, keys, at, found)
  if at > #keys then
    if value ~= nil and value ~= core.null then found[#found + 1] = scalar_text(value) end
  elseif keys[at] ~= "*" then
    gather(deep.get(value, { keys[at] }), keys, at + 1, found)
  elseif type(value) == "table" then
    for _, name in ipairs(json.keys(value)) do gather(value[name], keys, at + 1, found) end
  end
  return found
end

--- The text at a path: texts as they are, numbers, booleans and tables as JSON, several values joined by commas; ""
--- where nothing, or null, is there.
---@param value any
---@param path string
---@return string
return function(value, path)
  if not path:find("*", 1, true) then return scalar_text(deep.get(value, path)) end
  return table.concat(gather(value, deep.split(path) or {}, 1, {}), ",")
end

--- JSON and lines of JSON, with sorted keys.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local exit = require "ampersand.cli.exit"

local json = {}

--- The keys of a table: 1 … n of an array, else sorted.
---@param value table
---@return any[]
function json.keys(value)
  local keys = {}
  if deep.is_list(value) then
    for i = 1, #value do keys[i] = i end
    return keys
  end
  for name in pairs(value) do keys[#keys + 1] = name end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

-- What a terminal would act on though JSON may hold it as it is: C1 controls, marks that turn the direction.
-- First byte, the last one, and what a last byte of 128 stands for.
local ESCAPED = {
  { "\194", "([\128-\159])", 0x0080 }, { "\216", "(\156)", 0x0600 }, { "\226", "\128([\142\143\170-\174])", 0x2000 },
  { "\226", "\129([\166-\169])", 0x2040 },
}
local SORTED = { sort_keys = true }

--- A value as JSON on one line, its keys sorted; the same data for a reader, harmless for a terminal.
---@param value any
---@return string
function json.line(value)
  local text, why = core.encode(value, SORTED)
  if not text then exit.with(exit.FAILURE, "this answer has no JSON: " .. why) end -- a text that is not UTF-8
  for _, each in ipairs(ESCAPED) do
    if text:find(each[1], 1, true) then -- far quicker than a pattern
      local base = each[3] - 0x80
      text = text:gsub(each[1] .. each[2], function(last) return ("\\u%04x"):format(base + last:byte()) end)
    end
  end
  return text
end

local function pretty(value, indent)
  if type(value) ~= "table" or next(value) == nil then return json.line(value) end
  local array, inner, parts = deep.is_list(value), indent .. "  ", {}
  for i, key in ipairs(json.keys(value)) do
    local text = pretty(value[key], inner)
    parts[i] = inner .. (array and text or json.line(tostring(key)) .. ": " .. text)
  end
  local open, close = "{", "}"
  if array then open, close = "[", "]" end
  return open .. "\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. close
end

--- A value as indented JSON.
---@param value any
---@return string
function json.text(value)
  return pretty(value, "")
end

--- An element of an array as indented JSON.
function json.element(value)
  return pretty(value, "  ")
end

return json

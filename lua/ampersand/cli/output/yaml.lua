--- YAML.

local deep = require "ampersand.util.deep"
local json = require "ampersand.cli.output.json"

local yaml = {}

local YAML_WORDS = {}
for word in ("true false null yes no on off y n ~"):gmatch "%S+" do YAML_WORDS[word] = true end

-- Plain only where no reader of YAML could take the text for anything else.
local function yaml_scalar(value)
  if type(value) ~= "string" then return json.line(value) end
  local plain = value:match "^[%a_][%w_ ./@+()-]*$" and not value:find "%s$" and not YAML_WORDS[value:lower()]
  return plain and value or json.line(value)
end

local function lines_of(value, indent, lines)
  local array = deep.is_list(value)
  for _, key in ipairs(json.keys(value)) do
    local member, head = value[key], array and indent .. "-" or indent .. yaml_scalar(tostring(key)) .. ":"
    if type(member) ~= "table" or next(member) == nil then
      lines[#lines + 1] = head .. " " .. yaml_scalar(member)
    else
      lines[#lines + 1] = head
      local at = #lines + 1
      lines_of(member, indent .. "  ", lines)
      -- "- " takes the first line of its member up
      if array then
        lines[at - 1] = head .. " " .. lines[at]:sub(#indent + 3)
        table.remove(lines, at)
      end
    end
  end
  return lines
end

--- A value as YAML.
---@param value any
---@return string
function yaml.text(value)
  if type(value) ~= "table" or next(value) == nil then return yaml_scalar(value) end
  return table.concat(lines_of(value, "", {}), "\n")
end

return yaml

--- Templates: text with paths in braces.

local cell = require "ampersand.cli.output.cell"
local width = require "ampersand.cli.output.width"

local template = {}

local ESCAPES = { n = "\n", t = "\t", ["\\"] = "\\", ["{"] = "{", ["}"] = "}" }

--- Reads a template: "{id}: {group.groupName}\n". `\n`, `\t`, `\\`, `\{` and `\}` are understood; a line break is added
-- where none ends it.
---@param text string
---@return table? parts texts, and tables { path }
---@return string? message
function template.parse(text)
  if text == "" then return nil, "--template: it is empty; expected paths in braces, such as '{id} {healthStatus}'" end
  local parts, literal = {}, ""
  local i = 1
  while i <= #text do
    local c = text:sub(i, i)
    if c == "\\" and ESCAPES[text:sub(i + 1, i + 1)] then
      literal, i = literal .. ESCAPES[text:sub(i + 1, i + 1)], i + 2
    elseif c == "{" then
      local path = text:match("^{([^{}%s]+)}", i)
      if not path then return nil, ("--template: at column %d: expected {path}, or \\{ for a brace"):format(i) end
      parts[#parts + 1], parts[#parts + 2] = literal, { path }
      literal, i = "", i + #path + 2
    else
      literal, i = literal .. c, i + 1
    end
  end
  if literal:sub(-1) ~= "\n" then literal = literal .. "\n" end
  parts[#parts + 1] = literal
  return parts
end

--- The paths a template names.
function template.paths(parts)
  local paths = {}
  for _, part in ipairs(parts) do
    if type(part) == "table" then paths[#paths + 1] = part[1] end
  end
  return paths
end

--- A filled template.
function template.fill(value, settings)
  local texts = {}
  for i, part in ipairs(settings.template) do
    local text = part
    if type(part) == "table" then
      text = cell(value, part[1])
      if settings.terminal then text = width.clean(text) end
    end
    texts[i] = text
  end
  return table.concat(texts)
end

return template

--- Values as text for pipes: JSON, NDJSON, CSV, TSV, YAML, templates. Tables for people are in cli/table.lua.
--
-- A sink takes one value after the other and writes as early as it can: `add(value)`, then `finish()`.

local core = require "ampersand.core"
local printable = require "ampersand.util.terminal_text"
local width = require "ampersand.cli.width"

local format = {}

local null = core.null

--- The value at a dotted path; nil where something is absent or null.
---@param value any
---@param path string
function format.get(value, path)
  for key in path:gmatch "[^.]+" do
    if type(value) ~= "table" then return nil end
    local found = value[key]
    if found == nil then found = value[tonumber(key)] end
    value = found
  end
  if value ~= null then return value end
end

-- The values at a path in which `*` stands for every member.
local function gather(value, path, found)
  local key, rest = path:match "^([^.]+)%.?(.*)$"
  if not key then
    if value ~= nil and value ~= null then found[#found + 1] = value end
  elseif type(value) == "table" then
    if key == "*" then
      for _, name in ipairs(format.keys(value)) do gather(value[name], rest, found) end
    else
      gather(format.get(value, key), rest, found)
    end
  end
  return found
end

--- The keys of a table: 1 … n of an array, else sorted, those people look for first.
---@param value table
---@return any[]
function format.keys(value)
  local keys = {}
  if format.is_array(value) then
    for i = 1, #value do keys[i] = i end
    return keys
  end
  for name in pairs(value) do keys[#keys + 1] = name end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

--- Whether a table is a JSON array.
function format.is_array(value)
  return getmetatable(value) == core.array_mt or (value[1] ~= nil and #value > 0)
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
function format.line(value)
  local text = assert(core.encode(value, SORTED))
  for _, each in ipairs(ESCAPED) do
    if text:find(each[1], 1, true) then -- far quicker than a pattern
      local base = each[3] - 0x80
      text = text:gsub(each[1] .. each[2], function(last) return ("\\u%04x"):format(base + last:byte()) end)
    end
  end
  return text
end

local encode = format.line

local function scalar_text(value)
  if type(value) == "string" then return value end
  return encode(value)
end

--- The text of a cell: texts as they are, numbers and booleans as JSON, several values and tables as JSON too.
---@param value any
---@param path string
---@return string
function format.cell(value, path)
  if not path:find("*", 1, true) then
    local found = format.get(value, path)
    if found == nil then return "" end
    return scalar_text(found)
  end
  local found = gather(value, path, {})
  for i, each in ipairs(found) do found[i] = scalar_text(each) end
  return table.concat(found, ",")
end

-- JSON ------------------------------------------------------------------------------------------------------------

local function pretty(value, indent)
  if type(value) ~= "table" or next(value) == nil then return encode(value) end
  local array, inner, parts = format.is_array(value), indent .. "  ", {}
  for i, key in ipairs(format.keys(value)) do
    local text = pretty(value[key], inner)
    parts[i] = inner .. (array and text or encode(tostring(key)) .. ": " .. text)
  end
  local open, close = "{", "}"
  if array then open, close = "[", "]" end
  return open .. "\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. close
end

--- A value as indented JSON with sorted keys.
---@param value any
---@return string
function format.json(value)
  return pretty(value, "")
end

local sinks = {}

function sinks.json(write)
  local opened = false
  return {
    add = function(value)
      write((opened and ",\n  " or "[\n  ") .. pretty(value, "  "))
      opened = true
    end,
    finish = function() write(opened and "\n]\n" or "[]\n") end,
  }
end

local nothing = function() end

function sinks.ndjson(write)
  return {
    add = function(value) write(encode(value) .. "\n") end,
    finish = nothing,
  }
end

-- CSV and TSV -----------------------------------------------------------------------------------------------------

local function csv_cell(text)
  if text:find '[",\r\n]' or text:find "^%s" or text:find "%s$" then return '"' .. text:gsub('"', '""') .. '"' end
  return text
end

local TSV_ESCAPES = { ["\t"] = "\\t", ["\n"] = "\\n", ["\r"] = "\\r", ["\\"] = "\\\\" }

local function tsv_cell(text)
  return (text:gsub("[\t\r\n\\]", TSV_ESCAPES))
end

local function separated(separator, quote)
  return function(write, settings)
    local columns = settings.columns
    local function line(text_of)
      local cells = {}
      for i, column in ipairs(columns) do
        local text = text_of(column)
        cells[i] = quote(settings.terminal and text:gsub("[^\t\n]+", printable) or text)
      end
      write(table.concat(cells, separator) .. "\n")
    end
    if settings.header ~= false then line(function(column) return column.path end) end
    return {
      add = function(value) line(function(column) return format.cell(value, column.path) end) end,
      finish = nothing,
    }
  end
end

sinks.csv = separated(",", csv_cell)
sinks.tsv = separated("\t", tsv_cell)

-- YAML ------------------------------------------------------------------------------------------------------------

local YAML_WORDS = {}
for word in ("true false null yes no on off y n ~"):gmatch "%S+" do YAML_WORDS[word] = true end

-- Plain only where no reader of YAML could take the text for anything else.
local function yaml_scalar(value)
  if type(value) ~= "string" then return encode(value) end
  local plain = value:match "^[%a_][%w_ ./@+()-]*$" and not value:find "%s$" and not YAML_WORDS[value:lower()]
  return plain and value or encode(value)
end

local function yaml(value, indent, lines)
  local array = format.is_array(value)
  for _, key in ipairs(format.keys(value)) do
    local member, head = value[key], array and indent .. "-" or indent .. yaml_scalar(tostring(key)) .. ":"
    if type(member) ~= "table" or next(member) == nil then
      lines[#lines + 1] = head .. " " .. yaml_scalar(member)
    else
      lines[#lines + 1] = head
      local at = #lines + 1
      yaml(member, indent .. "  ", lines)
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
function format.yaml(value)
  if type(value) ~= "table" or next(value) == nil then return yaml_scalar(value) end
  return table.concat(yaml(value, "", {}), "\n")
end

function sinks.yaml(write)
  local any = false
  return {
    add = function(value)
      any = true
      write(format.yaml({ value }) .. "\n")
    end,
    finish = function() if not any then write "[]\n" end end,
  }
end

-- Templates -------------------------------------------------------------------------------------------------------

local ESCAPES = { n = "\n", t = "\t", ["\\"] = "\\", ["{"] = "{", ["}"] = "}" }

--- Reads a template: "{id}: {group.groupName}\n". `\n`, `\t`, `\\`, `\{` and `\}` are understood; a line break is added
-- where none ends it.
---@param text string
---@return table? parts texts, and tables { path }
---@return string? message
function format.template(text)
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
function format.template_paths(parts)
  local paths = {}
  for _, part in ipairs(parts) do
    if type(part) == "table" then paths[#paths + 1] = part[1] end
  end
  return paths
end

function sinks.template(write, settings)
  local parts = settings.template
  return {
    add = function(value)
      local texts = {}
      for i, part in ipairs(parts) do
        local text = part
        if type(part) == "table" then
          text = format.cell(value, part[1])
          if settings.terminal then text = width.clean(text) end
        end
        texts[i] = text
      end
      write(table.concat(texts))
    end,
    finish = nothing,
  }
end

-- One value that is no element of a list.
local single = {
  json = function(write, value) write(pretty(value, "") .. "\n") end,
  yaml = function(write, value) write(format.yaml(value) .. "\n") end,
}

--- Writes one value in a format.
function format.one(kind, write, value, settings)
  if single[kind] then return single[kind](write, value) end
  local sink = sinks[kind](write, settings)
  sink.add(value)
  sink.finish()
end

--- A sink for a list.
---@param kind string "json", "ndjson", "csv", "tsv", "yaml" or "template"
---@param write fun(text: string)
---@param settings table columns ({ path }), header, template (parts), terminal
---@return table sink add, finish
function format.sink(kind, write, settings)
  return sinks[kind](write, settings)
end

return format

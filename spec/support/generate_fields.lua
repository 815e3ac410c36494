-- Writes the table of field names in lua/ampersand/client/fields.lua from the annotations in lua/ampersand/types.lua:
--   lua spec/support/generate_fields.lua > fields.new && mv fields.new lua/ampersand/client/fields.lua
package.path = "lua/?.lua;spec/?.lua;" .. package.path
local operations = require "ampersand.client.operations"

local generator = {}

local TYPES, FIELDS = "lua/ampersand/types.lua", "lua/ampersand/client/fields.lua"

local read = require "support.read_file"

-- Class or alias -> { members = { { name, type }, … }, any = type of further members, alias = type }.
local function parse(text)
  local classes, class = {}, nil
  for line in text:gmatch "[^\n]+" do
    local name = line:match "^%-%-%-@class ([%w_%.]+)"
    local alias, target = line:match "^%-%-%-@alias ([%w_%.]+) (.+)$"
    local key, kind = line:match '^%-%-%-@field %[?"?([%w_%-]+)"?%]?%?? (.+)$'
    if alias then
      classes[alias] = { alias = target, members = {} }
    elseif name then
      class = { members = {} }
      classes[name] = class
    elseif line:match "^%-%-%-@field %[string%]" then
      class.any = line:match "^%-%-%-@field %[string%] (.+)$"
    elseif key then
      class.members[#class.members + 1] = { key, kind }
    end
  end
  return classes
end

-- The type at the front of an annotation, which words may follow.
local function type_of(annotation)
  local depth, quoted = 0, false
  for i = 1, #annotation do
    local c = annotation:sub(i, i)
    if c == '"' then quoted = not quoted end
    if not quoted and (c == "<" or c == "(") then depth = depth + 1 end
    if not quoted and (c == ">" or c == ")") then depth = depth - 1 end
    if not quoted and depth == 0 and c == " " then return annotation:sub(1, i - 1) end
  end
  return annotation
end

-- Classes that a type leads to, and whether through an array or a map.
local function leads_to(annotation, classes, found, each)
  annotation = type_of(annotation)
  local element = annotation:match "^%((.+)%)%[%]$" or annotation:match "^([^|]+)%[%]$"
    or annotation:match "^table<string, (.+)>$"
  if element then
    if element == "any" then found.open = true end
    return leads_to(element, classes, found, true)
  end
  for name in annotation:gmatch "[%w_%.]+" do
    local class = classes[name]
    if class and class.alias then
      leads_to(class.alias, classes, found, each)
    elseif class then
      found[#found + 1], found.each = name, found.each or each
    elseif name == "any" then
      found.open = true
    end
  end
  return found
end

-- Words in lines of at most 119 columns.
local function filled(entries)
  local lines, line = {}, ""
  for word in (table.concat(entries, "; ") .. ";"):gmatch "%S+" do
    if line ~= "" and #line + #word + 1 > 119 then
      lines[#lines + 1] = line
      line = ""
    end
    line = line == "" and word or line .. " " .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

-- Numbered classes that are alike become one, until no two are; what is left is numbered from 1.
local function merge(lines)
  local changed = true
  while changed do
    local first, same, kept = {}, {}, {}
    changed = false
    for _, line in ipairs(lines) do
      local other = tonumber(line.key) and first[line.text]
      if other then same[line.key], changed = other, true else kept[#kept + 1] = line end
      if tonumber(line.key) then first[line.text] = first[line.text] or line.key end
    end
    for _, line in ipairs(kept) do line.text = line.text:gsub("%f[%w]%d+%f[%W]", same) end
    lines = kept
  end
  local numbers, count, entries = {}, 0, {}
  for _, line in ipairs(lines) do
    if tonumber(line.key) then
      count = count + 1
      numbers[line.key] = tostring(count)
    end
  end
  for i, line in ipairs(lines) do
    entries[i] = (numbers[line.key] or line.key) .. " " .. line.text:gsub("%f[%w]%d+%f[%W]", numbers)
  end
  return entries
end

--- The table: of each class its key, then `name` or `name:key` (`name:*key` through an array or a map); `*:key` and `*`
--- stand for members of any name.
---@return string
function generator.table()
  local classes, keys, lines, queue = parse(read(TYPES)), {}, {}, {}
  local function key_of(name)
    if not keys[name] then
      keys[name] = tostring(#queue + 1)
      queue[#queue + 1] = name
    end
    return keys[name]
  end
  local function reference(annotation)
    local found = leads_to(annotation, classes, {})
    if found.open or #found == 0 then return nil end
    local list = {}
    for i, name in ipairs(found) do list[i] = key_of(name) end
    return (found.each and "*" or "") .. table.concat(list, "|")
  end
  for _, op in ipairs(operations.all()) do
    for element in (op.element or ""):gmatch "[^|]+" do
      local class = classes[element]
      if class and not class.alias and not keys[element] then
        keys[element] = element
        queue[#queue + 1] = element
      end
    end
    local fields = op.id:sub(1, 1):upper() .. op.id:sub(2) .. "Fields"
    if op.body and classes[fields] then
      keys[fields] = op.id
      queue[#queue + 1] = fields
    end
  end
  local i = 1
  while queue[i] do
    local class, parts = classes[queue[i]], { keys[queue[i]] }
    for _, member in ipairs(class.members) do
      local target = reference(member[2])
      parts[#parts + 1] = member[1] .. (target and ":" .. target or "")
    end
    if class.any then
      local target = reference(class.any)
      parts[#parts + 1] = "*" .. (target and ":" .. target or "")
    end
    lines[i] = { key = parts[1], text = table.concat(parts, " ", 2) }
    i = i + 1
  end
  return filled(merge(lines))
end

--- The file with the table anew.
---@return string
function generator.file()
  local text = read(FIELDS)
  local from = select(2, text:find("local TABLE = [[\n", 1, true))
  local to = text:find("\n]]", from, true)
  return text:sub(1, from) .. generator.table() .. text:sub(to)
end

if arg and arg[0] and arg[0]:match "generate_fields%.lua$" then io.write(generator.file()) end

return generator

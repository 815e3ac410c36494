-- The manifest of a project's integrations (amp.yaml): read with line numbers, and checked against the vendor's schema.
-- YAML is parsed by lyaml, which is needed here alone.

local argcheck = require "ampersand.util.argcheck"
local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local schema = require "ampersand.fleet.manifest_schema"

local manifest = {}

local MAX_DEPTH, MAX_NODES = 50, 100000

-- Reading ---------------------------------------------------------------------------------------------------------
-- A node is { kind = "object" | "list" | "scalar", line, column, members? = name -> node, names? = name -> its own
-- position, items?, value? }. Problems of the text are raised as { line, column, message }.

local function fail(line, column, message)
  error({ line = line, column = column, message = message }, 0)
end

local CONSTANTS = { ["true"] = true, ["false"] = false, ["null"] = core.null, ["~"] = core.null, [""] = core.null }

-- The value of a scalar by YAML 1.2's core schema; quoted ones are strings.
local function scalar_value(event)
  local text = event.value
  if event.style ~= "PLAIN" or event.tag == "tag:yaml.org,2002:str" then return text end
  local constant = CONSTANTS[text]
  if constant == nil and (text:find "^%u%l+$" or text:find "^%u+$") then constant = CONSTANTS[text:lower()] end
  if constant ~= nil then return constant end
  local is_number = text:find "^[+-]?%d+$" or text:find "^[+-]?%d*%.?%d+[eE]?[+-]?%d*$" or text:find "^0x%x+$"
  return is_number and tonumber(text) or text
end

local Reader = {}
Reader.__index = Reader

function Reader:next()
  local ok, event = pcall(self.events)
  if not ok then
    local message = tostring(event):gsub("\n.*", "")
    local line, column = message:match "line: (%d+), column: (%d+)"
    fail(tonumber(line) or self.line, tonumber(column) or 1, "not YAML: " .. message:gsub(" at document: .*", ""))
  end
  if event and event.start_mark then self.line = event.start_mark.line + 1 end
  return event
end

-- `<<: *base` stands for the members of another object that are not given here.
local function merge(node)
  local base = node.members["<<"]
  if not base or base.kind ~= "object" then return end
  node.members["<<"] = nil
  for name, member in pairs(base.members) do
    if not node.members[name] then node.members[name], node.names[name] = member, base.names[name] end
  end
end

function Reader:object(node, depth)
  node.kind, node.members, node.names = "object", {}, {}
  for event in self.next, self do
    if event.type == "MAPPING_END" then return merge(node) end
    local key = self:node(event, depth)
    local name = key.kind == "scalar" and tostring(key.text)
    if not name then fail(key.line, key.column, "a name must be a text") end
    local value = self:node(self:next(), depth)
    if node.members[name] then
      fail(key.line, key.column, ("%q is given twice here, first in line %d"):format(name, node.names[name].line))
    end
    node.members[name], node.names[name] = value, key
  end
end

function Reader:list(node, depth)
  node.kind, node.items = "list", {}
  for event in self.next, self do
    if event.type == "SEQUENCE_END" then return end
    node.items[#node.items + 1] = self:node(event, depth)
  end
end

-- The node that an event begins. An alias counts as much as what it stands for.
function Reader:node(event, depth)
  local mark = event.start_mark
  local line, column = mark.line + 1, mark.column + 1
  local known = event.type == "ALIAS" and self.anchors[event.anchor]
  self.count = self.count + (known and known.size or 1)
  if depth > MAX_DEPTH then fail(line, column, "nested too deeply") end
  if self.count > MAX_NODES then fail(line, column, "too large for a manifest") end
  if known then return known end
  if event.type == "ALIAS" then fail(line, column, ("the alias *%s has no anchor"):format(event.anchor)) end
  local node, before = { line = line, column = column }, self.count
  if event.type == "SCALAR" then
    node.kind, node.value, node.text = "scalar", scalar_value(event), event.value
  else
    self[event.type == "MAPPING_START" and "object" or "list"](self, node, depth + 1)
  end
  node.size = self.count - before + 1
  if event.anchor then self.anchors[event.anchor] = node end
  return node
end

-- The one document of a text.
local function parse(parser, text)
  local self = setmetatable({ events = parser(text), anchors = {}, count = 0, line = 1 }, Reader)
  local root
  for event in self.next, self do
    if event.type == "DOCUMENT_START" then
      if root then fail(event.start_mark.line + 1, 1, "a manifest is one document, and here a second begins") end
      root = self:node(self:next(), 0)
    end
  end
  return root or fail(1, 1, "the manifest is empty")
end

-- Checking --------------------------------------------------------------------------------------------------------

local check -- forward

local function add(problems, node, path, message, warning)
  problems[#problems + 1] = {
    line = node.line, column = node.column, path = path, message = message, warning = warning or nil,
  }
end

local function is_absent(node)
  return node == nil or node.kind == "scalar" and node.value == core.null
end

local function below(path, name)
  return path == "" and name or path .. "." .. name
end

-- Names the schema does not know: near misses are mistakes, others may be newer than the schema.
local function check_names(problems, node, members, path)
  local missed = {}
  for name in pairs(node.members) do
    if not members[name] then
      local nearest = argcheck.nearest(name, argcheck.names(members))
      if nearest and not node.members[nearest] then missed[nearest] = true end
      local hint = nearest and ("; did you mean %q?"):format(nearest) or ""
      add(problems, node.names[name], below(path, name), ("unknown name %q%s"):format(name, hint), not nearest)
    end
  end
  return missed
end

local function check_object(problems, node, members, path)
  if node.kind ~= "object" then return add(problems, node, path, "must be an object") end
  local missed = check_names(problems, node, members, path)
  for name, kind in pairs(members) do
    local member = node.members[name]
    if not is_absent(member) then
      check(problems, member, kind:gsub("!$", ""), below(path, name))
    elseif kind:find "!$" and not missed[name] then
      add(problems, node, path, ("%q is required here"):format(name))
    end
  end
end

-- Objects of a list are known by their name, and no two have the same.
local function key_of(node)
  local members = node.kind == "object" and node.members or {}
  for _, name in ipairs { "objectName", "fieldName", "mapToName", "name" } do
    local member = members[name]
    if member and member.kind == "scalar" and type(member.value) == "string" then return member.value, member end
  end
end

local function check_list(problems, node, kind, path)
  if node.kind ~= "list" then return add(problems, node, path, "must be a list") end
  local seen = {}
  for i, item in ipairs(node.items) do
    local key, at = key_of(item)
    if key and seen[key] then
      add(problems, at, path, ("%q is given twice in this list, first in line %d"):format(key, seen[key]))
    elseif key then
      seen[key] = at.line
    end
    check(problems, item, kind, ("%s[%s]"):format(path, key or i))
  end
end

local function check_words(problems, node, kind, path)
  local words = {}
  for word in kind:gmatch "[^=|]+" do
    words[#words + 1] = word
    if node.value == word then return end
  end
  add(problems, node, path, ("must be %s"):format(table.concat(words, " or ")))
end

local NOUNS = { string = "a text", boolean = "true or false", integer = "a whole number" }

local function check_scalar(problems, node, kind, path)
  local name, low, high = kind:match "^(%l+) ?(%d*)%.?%.?(%d*)$"
  local value = node.value
  local wanted = name == "integer" and "number" or name
  local fits = node.kind == "scalar" and type(value) == wanted and (name ~= "integer" or value % 1 == 0)
  if not fits then
    local hint = name == "string" and node.kind == "scalar" and " (put it in quotes)" or ""
    add(problems, node, path, ("must be %s%s"):format(NOUNS[name], hint))
  elseif (low ~= "" and value < tonumber(low)) or (high ~= "" and value > tonumber(high)) then
    local bounds = high == "" and "at least " .. low or ("from %s to %s"):format(low, high)
    add(problems, node, path, ("must be %s"):format(bounds))
  elseif name == "string" and value == "" then
    add(problems, node, path, "must not be empty")
  end
end

-- One of several kinds of object: the one that has the fewest problems, the first of them.
local function check_union(problems, node, kinds, path)
  local best
  for kind in kinds:gmatch "%w+" do
    local found = {}
    check(found, node, kind, path)
    if not best or #found < #best then best = found end
  end
  for _, problem in ipairs(best) do problems[#problems + 1] = problem end
end

local function check_period(problems, node, path)
  if node.kind == "object" and is_absent(node.members.days) and is_absent(node.members.fullHistory) then
    add(problems, node, path, '"days" or "fullHistory" is required here')
  end
end

function check(problems, node, kind, path)
  if kind:find "^%[" then return check_list(problems, node, kind:match "^%[(.*)%]$", path) end
  if kind:find "^=" then return check_words(problems, node, kind, path) end
  if kind:find "^%l" then return check_scalar(problems, node, kind, path) end
  if kind:find("|", 1, true) then return check_union(problems, node, kind, path) end
  local definition = schema[kind]
  if type(definition) == "string" then return check(problems, node, definition, path) end
  check_object(problems, node, definition, path)
  if kind == "DefaultPeriod" then check_period(problems, node, path) end
end

-- The face ----------------------------------------------------------------------------------------------------------

-- A node as the value that JSON has for it; absent members are left out.
local function value_of(node)
  if node.kind == "scalar" then return node.value end
  local value = node.kind == "list" and core.array() or {}
  for i, item in ipairs(node.items or {}) do value[i] = value_of(item) end
  for name, member in pairs(node.members or {}) do
    if not is_absent(member) then value[name] = value_of(member) end
  end
  return value
end

--- Reads and checks a manifest.
---@param text string YAML
---@return table|nil value `{ specVersion, integrations }`; nil where the text is not YAML, or lyaml is absent
---@return table[]|string problems `{ line, column, path, message, warning? }` in the order of the text; a message where
---   lyaml is absent
function manifest.read(text)
  local found, yaml = pcall(require, "yaml")
  if not found or type(yaml) ~= "table" or not yaml.parser then
    return nil, "reading amp.yaml needs lyaml (Debian: apt install lua-yaml; else: luarocks install lyaml)"
  end
  local ok, root = pcall(parse, yaml.parser, text)
  if not ok then
    if type(root) ~= "table" or not root.line then error(root, 0) end
    root.path = ""
    return nil, { root }
  end
  local problems = {}
  check(problems, root, "Manifest", "")
  table.sort(problems, function(a, b)
    if a.line ~= b.line then return a.line < b.line end
    if a.column ~= b.column then return a.column < b.column end
    return a.message < b.message
  end)
  return value_of(root), problems
end

--- One problem as a line that editors understand: "amp.yaml:7:5: read.objects: must be a list".
---@param name string of the file
---@param problem table
---@return string
function manifest.line(name, problem)
  local path = problem.path ~= "" and problem.path .. ": " or ""
  return ("%s:%d:%d: %s%s%s"):format(name, problem.line, problem.column, problem.warning and "warning: " or "", path,
    problem.message)
end

local KEYS = { "objectName", "fieldName", "mapToName" }

--- The content of an integration as it is compared: lists of named objects become objects by name, and what is empty,
-- null or false counts as absent.
---@param value any
---@return any
function manifest.normal(value)
  if type(value) ~= "table" then
    if value ~= "" and value ~= core.null and value ~= false then return value end
    return nil
  end
  local copy, is_list = {}, deep.is_list(value)
  for key, member in pairs(value) do
    local name = key
    if is_list and type(member) == "table" then
      for _, field in ipairs(KEYS) do
        if type(member[field]) == "string" then name = member[field] break end
      end
    end
    copy[name] = manifest.normal(member)
  end
  if next(copy) == nil then return nil end
  return is_list and copy[1] ~= nil and core.array(copy) or copy
end

return manifest

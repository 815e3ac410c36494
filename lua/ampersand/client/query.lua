--- Filters and projections: `where` and `select` arguments, compiled once for the C core.
--
-- The core takes a plan: two trees of names (what to look at, what to keep), the conditions, and a postfix program
-- that joins them. Lua functions see the whole elements that C has let through; what they keep is reduced afterwards.

local argcheck = require "ampersand.util.argcheck"
local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local fields = require "ampersand.client.fields"

local is_list = deep.is_list

local query = {}

local ORDERED = { lt = true, lte = true, gt = true, gte = true }
local OPERATORS = "eq, ne, in, lt, lte, gt, gte, prefix, present"

local function fail(...)
  error({ query = string.format(...) }, 0)
end

local function show(value)
  if type(value) == "string" then return string.format("%q", value) end
  if type(value) == "table" then return #value > 0 and "a list" or "a table" end
  return tostring(value)
end

-- Paths ---------------------------------------------------------------------------------------

local function to_path(path)
  if type(path) == "string" then path = deep.split(path) or fail("path %s has an empty name", show(path)) end
  if type(path) ~= "table" or #path == 0 then
    fail("expected a path such as \"group.groupRef\" or { \"group\", \"groupRef\" }, got %s", show(path))
  end
  for _, name in ipairs(path) do
    if type(name) ~= "string" then fail("a path's names are strings, got %s", show(name)) end
  end
  if #path > 60 then fail("a path of %d names is too long", #path) end
  return path
end

--- Whether one of the names of a path, or of its first ones, is `*`.
local function has_star(path, count)
  for i = 1, count or #path do
    if path[i] == "*" then return true end
  end
  return false
end

--- Entries (a path and what to do at its end) become a tree. A named child holds what `*` asks for, too.
local function tree(entries, depth)
  local node, stars, groups, order = { names = {}, tests = {}, resets = {} }, {}, {}, {}
  for _, entry in ipairs(entries) do
    local name = entry.path[depth]
    if entry.test and not has_star(entry.path, depth - 1) then table.insert(node.resets, entry.test) end
    if not name then
      if entry.test then table.insert(node.tests, entry.test) else node.keep = true end
    elseif name == "*" then
      table.insert(stars, entry)
    else
      if not groups[name] then
        groups[name] = {}
        table.insert(order, name)
      end
      table.insert(groups[name], entry)
    end
  end
  if stars[1] then node.star = tree(stars, depth + 1) end
  for _, name in ipairs(order) do
    for _, entry in ipairs(stars) do table.insert(groups[name], entry) end
    table.insert(node.names, name)
    table.insert(node.names, tree(groups[name], depth + 1))
  end
  return node
end

-- Conditions ----------------------------------------------------------------------------------

local Compiler = {}
Compiler.__index = Compiler

local function check_scalar(value, what)
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" and value ~= core.null then
    fail("%s: expected a string, a number, a boolean or null, got %s", what, kind)
  elseif value ~= value then
    fail("%s: nan equals nothing", what)
  end
  return value
end

function Compiler:test(path, test)
  table.insert(self.tests, test)
  test.any = has_star(path)
  table.insert(self.entries, { path = path, test = #self.tests })
  table.insert(self.program, #self.tests)
end

-- `{ "a", prefix = "b" }` would lose its operator.
local function only_elements(list, name)
  for key in pairs(list) do
    if type(key) ~= "number" then
      fail("%s: a list of values and %s in one table; give them as two conditions, with `all`", name, show(key))
    end
  end
  return list
end

local function list_of(values, what)
  if type(values) ~= "table" then fail("%s: expected a list, got %s", what, show(values)) end
  local list = {}
  for i, value in ipairs(only_elements(values, what)) do list[i] = check_scalar(value, what) end
  return list
end

local operator = {}

function operator.eq(value, what)
  return { op = "in", operands = { check_scalar(value, what) } }
end

function operator.ne(value, what)
  return { op = "ne", operands = { check_scalar(value, what) } }
end

operator["in"] = function(value, what)
  return { op = "in", operands = list_of(value, what) }
end

function operator.prefix(value, what)
  if type(value) ~= "string" then fail("%s: expected a string, got %s", what, show(value)) end
  return { op = "prefix", operands = { value } }
end

function operator.present(value, what)
  if type(value) ~= "boolean" then fail("%s: expected true or false, got %s", what, show(value)) end
  return { op = "present", negated = not value }
end

for name in pairs(ORDERED) do
  operator[name] = function(value, what)
    local is_time = type(value) == "string"
    if is_time and not core.instant(value, true) then
      fail("%s: expected a number, a date (YYYY-MM-DD) or an RFC 3339 time, got %s", what, show(value))
    elseif not is_time and (type(value) ~= "number" or value ~= value) then
      fail("%s: expected a number or a time, got %s", what, show(value))
    end
    return { op = name, operands = { value }, time = is_time }
  end
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

--- Joins what was just compiled with the clause before it.
function Compiler:join(count, word)
  if count > 1 then table.insert(self.program, word) end
end

-- Refuses near misses of known names.
local function check_name(element, path)
  local problem = element and fields.problem(element, path)
  if problem then fail("%s", problem) end
end

-- A time is text: a number, such as that of os.time(), would never match.
local function check_time(element, path, operand, name)
  if element and type(operand) == "number" and fields.is_time(element, path) then
    fail("%s is a time in text form, which no number matches: compare it with text, such as \"2024-01-31\" or "
      .. "ampersand.time.format(%s)", name, tostring(operand))
  end
end

function Compiler:operators(path, map, name)
  local count = 0
  for _, key in ipairs(sorted_keys(map)) do
    local build = operator[key]
    if not build then fail("%s: unknown operator %s (there are %s)", name, show(key), OPERATORS) end
    check_time(self.element, path, map[key], name)
    self:test(path, build(map[key], name .. " " .. key))
    count = count + 1
    self:join(count, "and")
  end
end

-- A function over the values at a path: with `*` in it one of them must do.
local function condition_at(path, accepts)
  if not has_star(path) then return function(element) return accepts(deep.get(element, path)) end end
  local function is_accepted(found) return accepts(found) end -- what else deep.each gives is not the caller's
  return function(element) return deep.each(element, path, is_accepted) end
end

--- One field of a `where` map: a condition in the program, or a predicate.
function Compiler:field(key, value, nested)
  local path = to_path(key)
  local name = table.concat(path, ".")
  check_name(self.element, path)
  check_time(self.element, path, value, name)
  if type(value) == "function" then
    if nested then fail("%s: a function cannot stand inside of any or all", name) end
    table.insert(self.predicates, condition_at(path, value))
  elseif is_list(value) then
    self:test(path, operator["in"](value, name))
  elseif type(value) == "table" then
    if next(value) == nil then fail("%s: an empty table is not a condition", name) end
    self:operators(path, value, name)
  else
    self:test(path, operator.eq(value, name))
  end
end

local MAX_DEPTH = 100

--- `any` and `all`: a list of `where` maps.
function Compiler:several(maps, word, name)
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then fail("%s: nested more than %d deep; does the table hold itself?", name, MAX_DEPTH) end
  for i, map in ipairs(only_elements(maps, name)) do
    if type(map) ~= "table" or next(map) == nil then
      fail("%s: expected a list of conditions, got %s at %d", name, show(map), i)
    end
    self:map(map, true)
    self:join(i, word)
  end
  self.depth = self.depth - 1
end

--- A `where` map: all of its conditions must hold.
function Compiler:map(map, nested)
  local count = 0
  for _, key in ipairs(sorted_keys(map)) do
    local value, before = map[key], #self.program
    if (key == "any" or key == "all") and is_list(value) and type(value[1]) == "table" then
      self:several(value, key == "any" and "or" or "and", key)
    else
      self:field(key, value, nested)
    end
    if #self.program > before then
      count = count + 1
      self:join(count, "and")
    end
  end
end

function Compiler:where(condition)
  if type(condition) == "function" then
    table.insert(self.predicates, condition)
  elseif type(condition) ~= "table" or is_list(condition) then
    fail("where: expected a table of conditions or a function, got %s", show(condition))
  else
    local before = #self.program
    self:map(condition, false)
    if #self.program > before then
      self.clauses = self.clauses + 1
      self:join(self.clauses, "and")
    end
  end
end

local function select_entries(select, element)
  if type(select) ~= "table" or #select == 0 then
    local empty = type(select) == "table" and next(select) == nil
    fail("select: expected a list of paths, got %s", empty and "an empty table" or show(select))
  end
  local entries = {}
  for i, path in ipairs(select) do
    entries[i] = { path = to_path(path) }
    check_name(element, entries[i].path)
  end
  return entries
end

-- What a node of a tree selects of a value, as the core does it; nil for nothing.
local function reduce(value, node)
  if node.keep then return value end
  if type(value) ~= "table" then return nil end
  local result, star = setmetatable({}, getmetatable(value)), node.star
  if getmetatable(value) == core.array_mt then
    for _, element in ipairs(star and value or {}) do result[#result + 1] = reduce(element, star) end
    return result
  end
  local named = {}
  for i = 1, #node.names, 2 do named[node.names[i]] = node.names[i + 1] end
  for key, member in pairs(value) do
    local child = named[key] or star
    if child then result[key] = reduce(member, child) end
  end
  return result
end

-- The element as it is kept, nil when a function refuses it.
local function keeper(predicates, selection)
  return function(element)
    for i = 1, #predicates do
      if not predicates[i](element) then return nil end
    end
    if selection and type(element) == "table" then return reduce(element, selection) end
    return element
  end
end

-- Appends the elements that are kept until `max` are there; see ampersand.client.list.
local function collector(keep)
  return function(decoder, elements, max)
    if max and #elements >= max then return "full" end
    local status, value, kind = decoder:next()
    while status == "value" do
      elements[#elements + 1] = keep(value)
      if max and #elements >= max then return "full" end
      status, value, kind = decoder:next()
    end
    return status, value, kind
  end
end

local function compile(where_list, select, element)
  local compiler = { tests = {}, entries = {}, program = {}, predicates = {}, clauses = 0, depth = 0,
    element = element,
  }
  setmetatable(compiler, Compiler)
  for _, condition in ipairs(where_list or {}) do compiler:where(condition) end
  local selection = select and tree(select_entries(select, element), 1) or nil
  local compiled = {}
  if #compiler.predicates > 0 then
    compiled.keep, selection = keeper(compiler.predicates, selection), nil
    compiled.collect = collector(compiled.keep)
  end
  if #compiler.program > 0 or selection then
    compiled.plan = core.plan {
      tests = compiler.tests, program = compiler.program, select = selection,
      where = #compiler.program > 0 and tree(compiler.entries, 1) or nil,
    }
  end
  return compiled
end

--- Compiles filters and a projection.
---@param where_list table? list of `where` arguments, all of which must hold
---@param select table? list of paths
---@param element string? what the elements are, such as "Installation": near misses of its fields' names are refused
---@return { plan: userdata?, keep: (fun(element: any): any)?, collect: function? } compiled `plan` for the core; where
--- there are Lua functions `keep` gives what is kept of an element that the plan has let through, nil for nothing, and
--- `collect` appends what is kept
function query.compile(where_list, select, element)
  local ok, result = pcall(compile, where_list, select, element)
  if ok then return result end
  if type(result) ~= "table" then error(result, 0) end
  argcheck.raise(result.query)
end

--- A view of a list with one condition more, or another selection; see Resource:where and Resource:select.
---@param view ampersand.Resource
---@param verb string "where" or "select"
---@param given any its argument
---@return ampersand.Resource
function query.narrow(view, verb, given)
  local narrowed = {}
  for name, value in pairs(view) do narrowed[name] = value end
  if verb == "select" then
    narrowed._select = given
  else
    narrowed._where = {}
    for i, earlier in ipairs(view._where or {}) do narrowed._where[i] = earlier end
    table.insert(narrowed._where, given)
  end
  local element = view._client:_option "unknown_fields" ~= "ignore" and view._list.element or nil
  narrowed._filter = query.compile(narrowed._where or {}, narrowed._select, element)
  return setmetatable(narrowed, getmetatable(view))
end

return query

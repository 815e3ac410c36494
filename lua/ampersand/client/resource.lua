--- Resources: operations as methods, and views, which are lists narrowed by conditions or a selection.

local argcheck = require "ampersand.util.argcheck"
local list = require "ampersand.client.list"
local operations = require "ampersand.client.operations"
local params = require "ampersand.client.params"
local require = require "ampersand.util.require"

---@class ampersand.Resource
local Resource = {}
local methods = {} -- resource name -> verb -> function: a cache, at most one for each operation and verb

-- Verbs that are more than one operation: each is the function of this name in its module, required when it is called.
local VERBS = {
  installations = {
    watch = "ampersand.fleet.watch", explain = "ampersand.fleet.explain", edit = "ampersand.fleet.edit",
    undo = "ampersand.fleet.undo",
  },
  integrations = { deploy = "ampersand.fleet.deploy" },
  operations = { wait = "ampersand.fleet.wait" },
}

-- Operations whose answers get methods: `decorate(client, value)` of the module gives the value back.
local DECORATED = { triggerRead = "ampersand.fleet.wait", writeRecords = "ampersand.fleet.wait" }

-- "installations:list", for messages; a method called with a dot has no resource.
local function describe(self, verb)
  if getmetatable(self) ~= Resource then
    argcheck.raise(("%s is a method: call it with a colon, as in client.installations:%s()"):format(verb, verb))
  end
  return self._name .. ":" .. verb
end

local function list_operation(self, what)
  local op = self._list
  if op and (operations.is_list(op) or what == self._name .. ":list") then return op end
  argcheck.raise(("%s: %s is not a list"):format(what, self._name))
end

-- A call of a view's list operation, ready to be read in some way.
local function prepare_list(self, verb, ...)
  local what = describe(self, verb)
  local op = list_operation(self, what)
  local c, err = params.of_method(what, op, self._client, ...)
  if c and self._filter then c.filter = self._filter end
  return c, err
end

--- Runs a call.
---@param c ampersand.Call? nil, with an error: it cannot be made
---@return any value, table|ampersand.Error info
local function perform(c, err)
  if not c then return nil, err end
  if operations.is_list(c.op) then return list.all(c) end
  local value, info = require "ampersand.client.value"(c)
  local decorated = type(value) == "table" and DECORATED[c.op.id]
  return decorated and require(decorated).decorate(c.client, value) or value, info
end

local function read(self, verb, ...)
  local c, err = prepare_list(self, verb, ...)
  if not c then return nil, err end
  return require "ampersand.client.iterator"[verb](c)
end

local function iterate(self, verb, ...)
  local c, err = prepare_list(self, verb, ...)
  if not c then error(err, 0) end
  return require "ampersand.client.iterator"[verb](c)
end

--- All elements as one table.
function Resource:list(...) return perform(prepare_list(self, "list", ...)) end

--- Iterates while the body is still arriving; raises the error object.
function Resource:each(...) return iterate(self, "each", ...) end

--- The form of `each` that raises nothing: an object with `next()` and `close()`.
function Resource:stream(...) return read(self, "stream", ...) end

--- Iterates over whole pages; raises the error object.
function Resource:pages(...) return iterate(self, "pages", ...) end

--- The first element, or nil.
function Resource:first(...) return read(self, "first", ...) end

--- The number of elements, without making tables.
function Resource:count(...) return read(self, "count", ...) end

local NARROWS = { where = "a table of conditions or a function", select = "a list of paths" }

local function narrow(self, verb, given)
  local what = describe(self, verb)
  list_operation(self, what)
  if given == nil then argcheck.raise(("%s: expected %s, got nil"):format(what, NARROWS[verb])) end
  return require "ampersand.client.query".narrow(self, verb, given)
end

--- A view of the elements for which all conditions hold; see ampersand.client.query for their form.
---@param condition table|function
function Resource:where(condition) return narrow(self, "where", condition) end

--- A view of the elements reduced to some paths.
---@param paths string[]
function Resource:select(paths) return narrow(self, "select", paths) end

--- The view over all integrations of the project.
function Resource:in_project()
  local what = describe(self, "in_project")
  local op = operations.get(self._name, "in_project")
  if not op then argcheck.raise(what .. ": there is no project-wide list") end
  local view = setmetatable({}, Resource)
  for name, value in pairs(self) do rawset(view, name, value) end
  view._list, view._in_project = op, true
  return view
end

local function operation_method(op, verb)
  return function(self, ...)
    local what, client = describe(self, verb), self._client
    if self._filter then
      argcheck.raise(what .. ": `where` and `select` narrow lists; call this on the resource itself, by id")
    end
    return perform(params.of_method(what, op, client, ...))
  end
end

local function make_method(name, verb)
  local op = operations.get(name, verb)
  if op then return operation_method(op, verb) end
  local module = VERBS[name] and VERBS[name][verb]
  if module then return function(...) return require(module)[verb](...) end end
  local known = argcheck.names(operations.lines[name])
  for extra in pairs(VERBS[name] or {}) do known[#known + 1] = extra end
  argcheck.raise(("%s has no method %q; %s"):format(name, verb, argcheck.hint(verb, known)))
end

function Resource:__index(verb)
  local found = Resource[verb]
  if found then return found end
  local name = rawget(self, "_name")
  if type(verb) == "number" then Resource.__len(self) end
  if type(verb) ~= "string" or verb:match "^_" then return nil end
  methods[name] = methods[name] or {}
  methods[name][verb] = methods[name][verb] or make_method(name, verb)
  return methods[name][verb]
end

-- For `#` and ipairs, where the Lua asks.
function Resource:__len()
  argcheck.raise(("client.%s is not a table of elements: use client.%s:list(), :each() or :count()"):format(
    self._name, self._name))
end

Resource.__ipairs = Resource.__len

function Resource:__tostring()
  return "ampersand." .. self._name
end

return {
  --- The resource of a client.
  new = function(client, name)
    return setmetatable({
      _client = client, _name = name, _list = operations.get(name, "list") or false, _in_project = false,
      _where = false, _select = false, _filter = false,
    }, Resource)
  end,
  perform = perform,
  VERBS = VERBS,
}

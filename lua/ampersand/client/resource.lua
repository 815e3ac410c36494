--- Views of lists: what narrows them. ampersand.client's methods are the way to them.

local operations = require "ampersand.client.operations"
local argcheck = require "ampersand.util.argcheck"
local verbs = require "ampersand.client.verbs"

local views = {}

-- A view like another but for some of its parts.
local function derive(view, changes)
  local derived = {
    _client = view._client, _name = view._name, _list = view._list, _where = view._where, _select = view._select,
  }
  for name, value in pairs(changes) do derived[name] = value end
  if derived._where or derived._select then
    derived._filter = require("ampersand.client.query").compile(derived._where or {}, derived._select)
  end
  return setmetatable(derived, getmetatable(view))
end

--- Refuses a resource that has no list.
---@param view ampersand.Resource
---@param what string for messages
function views.refuse(view, what)
  argcheck.raise(("%s: %s is no list"):format(what, view._name))
end

--- Refuses a verb that would not mind a view's conditions and paths.
---@param what string for messages
function views.refuse_verb(what)
  argcheck.raise(what .. ": `where` and `select` narrow lists; call this on the resource itself, by id")
end

local function check_list(view, what)
  local op = view._list or operations.get(view._name, "list")
  if not op or not (op.returns == "array" or op.returns == "page") then views.refuse(view, what) end
end

--- A view with one more condition.
---@param view ampersand.Resource
---@param what string for messages
---@param condition table|function
---@return ampersand.Resource
function views.where(view, what, condition)
  check_list(view, what)
  local all = {}
  for i, earlier in ipairs(view._where or {}) do all[i] = earlier end
  all[#all + 1] = condition
  return derive(view, { _where = all })
end

--- A view reduced to some paths.
---@param view ampersand.Resource
---@param what string for messages
---@param paths string[]
---@return ampersand.Resource
function views.select(view, what, paths)
  check_list(view, what)
  return derive(view, { _select = paths })
end

--- The view over all integrations of the project.
---@param view ampersand.Resource
---@param what string for messages
---@return ampersand.Resource
function views.in_project(view, what)
  local op = operations.get(view._name, "in_project")
  if not op then argcheck.raise(("%s: there is no project-wide list"):format(what)) end
  return derive(view, { _list = op })
end

--- A method that is more than one operation; misuse where a resource has none of this name.
---@param resource string
---@param verb string
---@return function
function views.extra(resource, verb)
  local method = verbs.find(resource, verb)
  if method then return method end
  local known = argcheck.names(operations.lines[resource])
  for extra in pairs(verbs.of(resource)) do known[#known + 1] = extra end
  argcheck.raise(("%s has no method %q; %s"):format(resource, verb, argcheck.hint(verb, known)))
end

return views

--- Names of fields on the command line: near misses of known ones are refused, those that no element had are noted.

local deep = require "ampersand.util.deep"
local exit = require "ampersand.cli.exit"
local fields = require "ampersand.client.fields"

local names = {}

local function refuse(option, why)
  if why then exit.usage(option .. ": " .. why) end
end

--- Ends the command when a path is a near miss of a field of the element.
---@param ctx ampersand.cli.Context
---@param option string for the message: "--where"
---@param element string? nil: nothing is known
---@param paths string[]?
---@return string[]? paths
function names.check(ctx, option, element, paths)
  if paths and element and ctx.args.unknown_fields ~= "ignore" then
    for _, path in ipairs(paths) do refuse(option, fields.problem(element, deep.split(path) or {})) end
  end
  return paths
end

--- Ends the command when a member of a body is a near miss.
---@param ctx ampersand.cli.Context
---@param op table
---@param body table
function names.check_body(ctx, op, body)
  if ctx.args.unknown_fields ~= "ignore" then refuse("the body", fields.body_problem(op.id, body)) end
end

local function is_there(found) return found ~= nil end

--- Removes from a set of paths those that a value has.
---@param unseen table<string, boolean>
---@param value any
function names.see(unseen, value)
  for path in pairs(unseen) do
    if deep.each(value, path, is_there) then unseen[path] = nil end
  end
end

--- A set of paths.
---@param ... string[]?
---@return table<string, boolean>
function names.set(...)
  local set = {}
  for i = 1, select("#", ...) do
    for _, path in ipairs((select(i, ...)) or {}) do set[path] = true end
  end
  return set
end

--- The words for paths that no element had; nil where there are none.
---@param unseen table<string, boolean>
---@param noun string
---@return string?
function names.words(unseen, noun)
  local list = {}
  for path in pairs(unseen) do list[#list + 1] = path end
  table.sort(list)
  return list[1] and ("no %s has %s"):format(noun, table.concat(list, ", ")) or nil
end

--- Looks in a list for paths, up to the first elements that have them.
---@param view table without conditions
---@param paths string[]
---@param ... any arguments of the list
---@return table<string, boolean>? unseen empty, too, where the list is; nil when it cannot be read
---@return ampersand.Error? err
function names.probe(view, paths, ...)
  local unseen, any = names.set(paths), false
  local stream, err = exit.guard(view.stream, exit.guard(view.select, view, paths), ...)
  while stream and next(unseen) do
    local value
    value, err = stream:next()
    if value == nil then break end
    any = true
    names.see(unseen, value)
  end
  if stream then stream:close() end
  if err then return nil, err end
  return any and unseen or {}
end

return names

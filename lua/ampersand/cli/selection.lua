--- What the flags of a list select: conditions, paths, order, and which of them exclude each other. Names of fields
-- that are near misses of known ones are refused; those that no element had are noted.

local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local exit = require "ampersand.cli.exit"
local fields = require "ampersand.client.fields"
local filter = require "ampersand.cli.filter"
local json = require "ampersand.cli.output.json"
local options = require "ampersand.cli.options"
local query = require "ampersand.client.query"
local template = require "ampersand.cli.output.template"

local unpack = table.unpack or unpack -- luacheck: ignore

local selection = {}

local function checked(value, why)
  if why then exit.usage(why) end
  return value
end

--- Ends the command when a path is a near miss of a field of the element.
---@param ctx ampersand.cli.Context
---@param option string for the message: "--where"
---@param element string? nil: nothing is known
---@param paths string[]?
---@return string[]? paths
function selection.check_names(ctx, option, element, paths)
  if element and ctx.args.unknown_fields ~= "ignore" then
    for _, path in ipairs(paths or {}) do
      local why = fields.problem(element, deep.split(path) or {})
      if why then exit.usage(option .. ": " .. why) end
    end
  end
  return paths
end

--- What the flags select, read once.
---@param ctx ampersand.cli.Context
---@param element string?
---@return table selected where and where_paths, paths (of --select), sort, shown (all that the output names)
function selection.of(ctx, element)
  if ctx.selected then return ctx.selected end
  local args = ctx.args
  local function names(option, paths) return selection.check_names(ctx, option, element, paths) end
  local where, where_paths = filter.conditions(args.where or {})
  if not where then exit.usage(where_paths) end
  local found = { where = where, where_paths = names("--where", where_paths) }
  found.paths = names("--select", checked(filter.paths(args.select or {}, "--select")))
  found.sort = args.sort and names("--sort", checked(filter.paths({ args.sort }, "--sort")))[1]
  found.shown = ctx.template and names("--template", template.paths(ctx.template)) or { unpack(found.paths or {}) }
  found.shown[#found.shown + 1] = found.sort
  ctx.selected = found
  return found
end

local function whole_view(ctx, resource)
  local view = ctx:client()[resource]
  return ctx.args.in_project and view:in_project() or view
end

--- A resource's view with the conditions of the command line.
---@param ctx ampersand.cli.Context
---@param resource string
---@param element string
---@param paths string[]? what to keep of each element
function selection.view(ctx, resource, element, paths)
  local view = whole_view(ctx, resource)
  for _, condition in ipairs(selection.of(ctx, element).where) do view = exit.guard(view.where, view, condition) end
  return paths and exit.guard(view.select, view, paths) or view
end

--- Filters and projects values that are here already, by the same C code that does it to lists as they arrive.
---@param values any[]
---@param conditions table[]
---@param paths string[]?
---@return any[]
function selection.refine(values, conditions, paths)
  if #conditions == 0 and not paths then return values end
  local compiled = exit.guard(query.compile, conditions, paths)
  local decoder, kept = core.decoder { plan = compiled.plan }, {}
  decoder:feed(json.line(core.array(values)))
  decoder:finish()
  local status, message
  repeat
    status, message = decoder:collect(kept)
    if not status then exit.with(exit.FAILURE, message) end
  until status == "end"
  return kept
end

-- Paths that no element has ------------------------------------------------------------------------------------------

local Unseen = {}
Unseen.__index = Unseen

--- Paths that no element has had yet.
---@param paths string[]
---@return table unseen see(value), words(noun)
function selection.unseen(paths)
  local set = {}
  for _, path in ipairs(paths) do set[path] = true end
  return setmetatable({ set = set }, Unseen)
end

local function is_there(found) return found ~= nil end

--- Removes the paths that a value has.
function Unseen:see(value)
  for path in pairs(self.set) do
    if deep.each(value, path, is_there) then self.set[path] = nil end
  end
end

--- What is left, in words; nil where nothing is.
function Unseen:words(noun)
  local list = json.keys(self.set)
  return list[1] and ("no %s has %s"):format(noun, table.concat(list, ", ")) or nil
end

--- What is wrong with conditions of which no element has the path, such as a new name or a typo that resembles nothing.
--- Looks in the whole list, up to the first elements that have the paths.
---@param ctx ampersand.cli.Context
---@param resource string
---@param noun string
---@param ... any arguments of the list
---@return string? words, ampersand.Error? err when the list cannot be read
function selection.blind_conditions(ctx, resource, noun, ...)
  local paths, view = selection.of(ctx).where_paths, whole_view(ctx, resource)
  if #paths == 0 then return nil end
  local unseen, empty = selection.unseen(paths), true
  local stream, err = exit.guard(view.stream, exit.guard(view.select, view, paths), ...)
  while stream and next(unseen.set) do
    local value
    value, err = stream:next()
    if value == nil then break end
    unseen:see(value)
    empty = false
  end
  if stream then stream:close() end
  if err then return nil, err end
  return not empty and unseen:words(noun) or nil
end

-- Options that exclude each other ------------------------------------------------------------------------------------

local NOT_COUNTED = { "wide", "no_header", "sort", "max", "summary", "svg", "html", unpack(options.FORMATS) }

local function refuse_any(args, list, words)
  for _, name in ipairs(list) do
    if args[name] then exit.usage(words:format((name:gsub("_", "-")))) end
  end
end

--- Ends the command before it asks: when options would be ignored, spoil each other's output, or name a near miss.
---@param ctx ampersand.cli.Context
---@param element string?
function selection.check(ctx, element)
  local args, selected = ctx.args, selection.of(ctx, element)
  if args.reverse and not args.sort then exit.usage "--reverse turns the order of --sort PATH round: give that, too" end
  if args.count then
    local words = "--count prints one number: --%s does not go with it"
    refuse_any(args, NOT_COUNTED, words)
    if selected.paths then exit.usage(words:format "select") end
  end
  if args.svg == "-" or args.html == "-" then
    local words = "--%s - and --%%s both write to standard output: choose one"
    if args.svg == args.html then exit.usage(words:format "svg":format "html -") end
    refuse_any(args, { "summary", unpack(options.FORMATS) }, words:format(args.svg == "-" and "svg" or "html"))
  end
end

return selection

--- What the flags of a list select: conditions, paths, order, and which of them exclude each other.

local core = require "ampersand.core"
local exit = require "ampersand.cli.exit"
local filter = require "ampersand.cli.filter"
local json = require "ampersand.cli.output.json"
local names = require "ampersand.cli.names"
local options = require "ampersand.cli.options"
local query = require "ampersand.client.query"
local template = require "ampersand.cli.output.template"

local unpack = table.unpack or unpack -- luacheck: ignore

local selection = {}

selection.condition_paths = filter.condition_paths

local function checked(value, why)
  if why then exit.usage(why) end
  return value
end

--- The conditions of `--where`.
---@param element string?
---@return table[]
function selection.conditions(ctx, element)
  local conditions = checked(filter.conditions(ctx.args.where or {}))
  names.check(ctx, "--where", element, filter.condition_paths(conditions))
  return conditions
end

--- The paths of `--select`; nil without it.
---@param element string?
---@return string[]?
function selection.paths(ctx, element)
  return names.check(ctx, "--select", element, checked(filter.paths(ctx.args.select or {}, "--select")))
end

--- The path of `--sort`; nil without it.
---@param element string?
---@return string?
function selection.sort(ctx, element)
  if not ctx.args.sort then return nil end
  return names.check(ctx, "--sort", element, checked(filter.paths({ ctx.args.sort }, "--sort")))[1]
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
  for _, condition in ipairs(selection.conditions(ctx, element)) do view = exit.guard(view.where, view, condition) end
  return paths and exit.guard(view.select, view, paths) or view
end

--- What is wrong with conditions of which no element has the path, such as a new name or a typo that resembles nothing.
---@param ctx ampersand.cli.Context
---@param resource string
---@param noun string
---@param ... any arguments of the list
---@return string? words, ampersand.Error? err when the list cannot be read
function selection.blind_conditions(ctx, resource, noun, ...)
  local paths = filter.condition_paths(selection.conditions(ctx))
  if #paths == 0 then return nil end
  local unseen, err = names.probe(whole_view(ctx, resource), paths, ...)
  if not unseen then return nil, err end
  return names.words(unseen, noun)
end

--- Filters and projects values that are here already, by the same C code that does it to lists as they arrive.
---@param values any[]
---@param conditions table[]
---@param paths string[]?
---@return any[]
function selection.refine(values, conditions, paths)
  if #conditions == 0 and not paths then return values end
  local compiled = exit.guard(query.compile, conditions, paths)
  local decoder, kept = core.decoder { select = compiled.plan }, {}
  decoder:feed(json.line(core.array(values)))
  decoder:finish()
  local status, message
  repeat
    status, message = decoder:collect(kept)
    if not status then exit.with(exit.FAILURE, message) end
  until status == "end"
  return kept
end

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
  local args = ctx.args
  selection.conditions(ctx, element)
  selection.paths(ctx, element)
  selection.sort(ctx, element)
  if ctx.template then names.check(ctx, "--template", element, template.paths(ctx.template)) end
  if args.reverse and not args.sort then exit.usage "--reverse turns the order of --sort PATH round: give that, too" end
  if args.count then
    local words = "--count prints one number: --%s does not go with it"
    refuse_any(args, NOT_COUNTED, words)
    if #(args.select or {}) > 0 then exit.usage(words:format "select") end
  end
  if args.svg == "-" or args.html == "-" then
    local words = "--%s - and --%%s both write to standard output: choose one"
    if args.svg == args.html then exit.usage(words:format "svg":format "html -") end
    refuse_any(args, { "summary", unpack(options.FORMATS) }, words:format(args.svg == "-" and "svg" or "html"))
  end
end

return selection

--- Runs the commands that are one operation of the API each; cli/generated declares them.

local cell = require "ampersand.cli.output.cell"
local core = require "ampersand.core"
local deep = require "ampersand.util.deep"
local exit = require "ampersand.cli.exit"
local fields = require "ampersand.client.fields"
local help = require "ampersand.cli.help"
local input = require "ampersand.cli.input"
local json = require "ampersand.cli.output.json"
local operations = require "ampersand.client.operations"
local selection = require "ampersand.cli.selection"
local show = require "ampersand.cli.show"
local terminal = require "ampersand.cli.terminal"
local wait = require "ampersand.cli.commands.wait"
local width = require "ampersand.cli.output.width"

local unpack = table.unpack or unpack -- luacheck: ignore

-- Arguments -------------------------------------------------------------------------------------------------------

local function is_api_key(op)
  return op.placeholders[#op.placeholders] == "apiKey"
end

local function name_of(op)
  return help.dashed(op.resource) .. " " .. help.dashed(op.verb)
end

-- The API key is an id of its own operations: it is read like any other secret.
local function read_ids(ctx, op)
  local ids, all = ctx.args.ids, op.placeholders
  if is_api_key(op) and #ids > 0 then ids[#ids] = terminal.given_secret("API key", ids[#ids], "a key", "-") end
  local usage = ("usage: ampersand %s %s"):format(name_of(op), help.ids(op))
  if #ids > #all then exit.usage(("%d ids are given, at most %d are taken; %s"):format(#ids, #all, usage)) end
  for i = 1, #all - #ids do
    local setting = help.SETTINGS[all[i]]
    if not setting or help.is_target(op, i) then exit.usage(("the id <%s> is missing; %s"):format(all[i], usage)) end
    ctx:require_setting(setting)
  end
  return ids
end

local function read_fields(ctx, op)
  local given = input.body(ctx.args) or {}
  if type(given) ~= "table" or deep.is_list(given) then exit.usage "--body: expected a JSON object" end
  for _, name in ipairs(op.query_names) do
    local value = ctx.args["query_" .. name]
    if value ~= nil then given[name] = value end
  end
  local why = ctx.args.unknown_fields ~= "ignore" and fields.body_problem(op.id, given)
  if why then exit.usage("the body: " .. why) end
  return given
end

-- Questions -------------------------------------------------------------------------------------------------------

local WARNINGS = {
  deleteInstallation = "The connection goes with it when no other installation uses it. ",
  deleteProject = "Everything in it goes with it. ",
  deleteIntegration = "Its installations go with it. ",
}

-- What is about to be deleted, with the names that people know.
local function describe(ctx, op, ids)
  local name = is_api_key(op) and "this API key" or ids[#ids]
  if op.id ~= "deleteInstallation" then return name end
  local installations = ctx:client().installations
  local found = exit.guard(installations.get, installations, unpack(ids))
  local group, provider = cell(found, "group.groupName"), cell(found, "connection.provider")
  if group == "" then return name end
  return name .. " (" .. group .. (provider ~= "" and ", " .. provider or "") .. ")"
end

local function confirm(ctx, op, ids, given)
  if not help.is_destructive(op) or ctx.args.yes then return end
  local deletes = op.method == "DELETE"
  if not deletes and tostring(given.destructive) ~= "true" then return end
  if not terminal.is "stdin" then exit.usage(name_of(op) .. " asks first: without a terminal, give --yes") end
  local words = deletes and "Delete " .. width.clean(describe(ctx, op, ids)) or "Apply a destructive change"
  if not terminal.agrees(("%s? %s[y/N] "):format(words, WARNINGS[op.id] or "")) then
    exit.with(exit.FAILURE, "nothing was deleted")
  end
end

-- Running ---------------------------------------------------------------------------------------------------------

local NOUNS = { Log = "log line", ProviderInfo = "provider", NotificationEventTopicRoute = "route",
  TopicDestinationRoute = "route", ClaimedDomainResponse = "claimed domain", ApiKey = "API key", JWTKey = "JWT key" }

local function noun_of(op)
  return NOUNS[op.element] or op.element:gsub("(%l)(%u)", "%1 %2"):lower()
end

local function list(ctx, op, arguments)
  -- Where nothing fits: whether that is because no element has what the conditions name.
  local function blind()
    local words, err = selection.blind_conditions(ctx, op.resource, noun_of(op), unpack(arguments))
    if err then exit.fail(err) end
    return words
  end
  local plan = not ctx.args.count and show.plan(ctx, op.element, noun_of(op)) or nil
  local view = selection.view(ctx, op.resource, op.element, plan and plan.paths)
  if not plan then return show.count(ctx, exit.checked(view.count, view, unpack(arguments)), blind) end
  show.stream(plan, exit.checked(view.stream, view, unpack(arguments)), blind)
end

-- An object of named things, such as the providers, is shown as the list of them.
local function map_values(map)
  local values = {}
  for i, name in ipairs(json.keys(map)) do
    local value = map[name]
    if type(value) == "table" and value.name == nil then value.name = name end
    values[i] = value
  end
  return core.array(values)
end

local DONE = { DELETE = "deleted", POST = "done", PUT = "done", PATCH = "updated" }

local function invoke(ctx, op, ids, arguments)
  local value = ctx:call(op.resource, op.verb, unpack(arguments))
  if value == true then
    return ctx:note(DONE[op.method] .. (#ids > 0 and not is_api_key(op) and ": " .. ids[#ids] or ""))
  end
  if ctx.args.wait then return wait.follow(ctx, value) end
  ctx.changes = op.method ~= "GET"
  if op.returns == "map" then value = map_values(value) end
  if help.is_list(op) then return show.list(ctx, value, op.element, noun_of(op)) end
  show.value(ctx, value, op.element)
end

--- Runs the command of an operation.
---@param ctx ampersand.cli.Context
---@param op table of client/operations
return function(ctx, op)
  selection.check(ctx, op.element)
  ctx:settings() -- a key on standard input stands before a body
  if ctx.args.in_project then
    if #ctx.args.ids > 1 then exit.usage "--in-project takes at most the project as an id" end
    op = setmetatable({ placeholders = operations.get(op.resource, "in_project").placeholders }, { __index = op })
  end
  local ids, given = read_ids(ctx, op), read_fields(ctx, op)
  if ctx.args.wait and given.mode == nil then given.mode = "async" end
  ctx:require_credentials(op.auth)
  confirm(ctx, op, ids, given)
  -- A timeout asked for counts for the whole of a list.
  local arguments = { unpack(ids) }
  arguments[#arguments + 1], arguments[#arguments + 2] = given, { timeout = ctx.args.timeout }
  -- What the library brings element by element; every other list comes whole.
  if help.is_list(op) and op.verb == "list" and op.returns ~= "map" then return list(ctx, op, arguments) end
  return invoke(ctx, op, ids, arguments)
end

--- The commands that are one operation of the API each.

local cell = require "ampersand.cli.output.cell"
local core = require "ampersand.core"
local exit = require "ampersand.cli.exit"
local help = require "ampersand.cli.help"
local input = require "ampersand.cli.input"
local operations = require "ampersand.client.operations"
local names = require "ampersand.cli.names"
local options = require "ampersand.cli.options"
local selection = require "ampersand.cli.selection"
local show = require "ampersand.cli.show"
local terminal = require "ampersand.cli.terminal"
local wait = require "ampersand.cli.commands.wait"
local width = require "ampersand.cli.output.width"

local unpack = table.unpack or unpack -- luacheck: ignore

local operation = {}

-- Options ---------------------------------------------------------------------------------------------------------

local function add_list_options(command, op)
  local installations = op.element == "Installation"
  local list = {
    options.where(command),
    options.count(command, "--max --limit", "At most this many."),
    command:option("--sort", "Order by a path."):argname "<path>",
    command:flag("--reverse", "With --sort: the largest, or latest, first."),
    command:flag("--count", "Print only the number of elements."),
    command:option("--fail-if", "Exit code 3 if there is any, none, or an unhealthy one."):argname "<what>"
      :choices(installations and { "any", "empty", "unhealthy" } or { "any", "empty" }),
  }
  if op.verb == "list" and operations.get(op.resource, "in_project") then
    list[#list + 1] = options.in_project(command)
  end
  command:group("Which", unpack(list))
  if op.verb ~= "list" or not installations then return end
  command:group("Summaries",
    command:flag("--summary", "Counts by health, provider and connection status, as bars."),
    command:option("--svg", "Write the summary as a picture; `-`: to standard output."):argname "<file>",
    command:option("--html", "Write the summary as a self-contained page; or `-`."):argname "<file>")
end

-- Every name a query parameter goes by: its own, and ours with dashes.
local function add_query_options(command, op)
  local list = {}
  for i, name in ipairs(op.query_names) do
    local kebab = "--" .. help.dashed(name)
    list[i] = command:option(kebab, "Query parameter " .. name .. "."):target("query_" .. name):argname "<value>"
    if kebab ~= "--" .. name then list[i]:hidden_name("--" .. name) end
  end
  if #list > 0 then command:group("Parameters", unpack(list)) end
end

-- Operations that start one which goes on: `--wait` follows it.
local STARTS = { triggerRead = true, writeRecords = true }

local function declare(command, op)
  command:argument("ids"):args("*"):hidden(true)
  if help.is_list(op) then add_list_options(command, op) end
  if op.returns ~= "none" and op.returns ~= "text" then options.formats(command) end
  add_query_options(command, op)
  if op.body then command:group("Body", options.body(command, "name=text or name:=JSON; dots reach inwards.")) end
  if help.is_destructive(op) then options.yes(command) end
  if STARTS[op.id] then
    command:flag("--wait", "Wait until the operation has ended, as operations wait does.")
    options.number(command, "--interval", "With --wait: seconds between two polls (0.5, growing to 10).")
  end
end

-- Arguments -------------------------------------------------------------------------------------------------------

local function is_api_key(op)
  return op.placeholders[#op.placeholders] == "apiKey"
end

-- The API key is an id of its own operations: it is read like any other secret.
local function read_ids(ctx, op)
  local ids = ctx.args.ids
  if is_api_key(op) and #ids > 0 then ids[#ids] = terminal.given_secret("API key", ids[#ids], "a key", "-") end
  return ids
end

local function check_ids(ctx, op)
  local ids, all = read_ids(ctx, op), op.placeholders
  local usage = ("usage: ampersand %s %s %s"):format(help.dashed(op.resource), help.dashed(op.verb), help.ids(op))
  if #ids > #all then exit.usage(("%d ids are given, at most %d are taken; %s"):format(#ids, #all, usage)) end
  for i = 1, #all - #ids do
    local setting = help.SETTINGS[all[i]]
    if not setting or help.is_target(op, i) then exit.usage(("the id <%s> is missing; %s"):format(all[i], usage)) end
    ctx:require_setting(setting)
  end
  return ids
end

local function read_fields(ctx, op)
  local fields = input.body(ctx.args) or {}
  if type(fields) ~= "table" then exit.usage "--body: expected a JSON object" end
  for _, name in ipairs(op.query_names) do
    local value = ctx.args["query_" .. name]
    if value ~= nil then fields[name] = value end
  end
  names.check_body(ctx, op, fields)
  return fields
end

-- Questions -------------------------------------------------------------------------------------------------------

local WARNINGS = {
  deleteInstallation = "The connection goes with it when no other installation uses it.",
  deleteProject = "Everything in it goes with it.",
  deleteIntegration = "Its installations go with it.",
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

local function confirm(ctx, op, ids, fields)
  if not help.is_destructive(op) or ctx.args.yes then return end
  if op.method ~= "DELETE" and tostring(fields.destructive) ~= "true" then return end
  if not terminal.is "stdin" then
    exit.usage(("%s %s asks first: without a terminal, give --yes"):format(help.dashed(op.resource),
      help.dashed(op.verb)))
  end
  local words = op.method == "DELETE" and "Delete " .. width.clean(describe(ctx, op, ids))
    or "Apply a destructive change"
  local warning = WARNINGS[op.id] and WARNINGS[op.id] .. " " or ""
  if not terminal.agrees(("%s? %s[y/N] "):format(words, warning)) then
    exit.with(exit.FAILURE, "nothing was deleted")
  end
end

-- Running ---------------------------------------------------------------------------------------------------------

local NOUNS = { Log = "log line", ProviderInfo = "provider", NotificationEventTopicRoute = "route",
  TopicDestinationRoute = "route", ClaimedDomainResponse = "claimed domain", ApiKey = "API key", JWTKey = "JWT key" }

local function noun_of(op)
  return NOUNS[op.element] or op.element:gsub("(%l)(%u)", "%1 %2"):lower()
end

-- Where nothing fits: whether that is because no element has what the conditions name.
local function blind(ctx, op, arguments)
  return function()
    local words, err = selection.blind_conditions(ctx, op.resource, noun_of(op), unpack(arguments))
    if err then exit.fail(err) end
    return words
  end
end

local function count(ctx, op, arguments)
  local view = selection.view(ctx, op.resource, op.element)
  show.count(ctx, exit.checked(view.count, view, unpack(arguments)), blind(ctx, op, arguments))
end

local function list(ctx, op, arguments)
  if ctx.args.count then return count(ctx, op, arguments) end
  local plan = show.plan(ctx, op.element, noun_of(op))
  local view = selection.view(ctx, op.resource, op.element, plan.paths)
  show.stream(ctx, plan, exit.checked(view.stream, view, unpack(arguments)), blind(ctx, op, arguments))
end

-- An object of named things, such as the providers, is shown as the list of them.
local function map_values(map)
  local keys, values = {}, {}
  for name in pairs(map) do keys[#keys + 1] = name end
  table.sort(keys)
  for i, name in ipairs(keys) do
    local value = map[name]
    if type(value) == "table" and value.name == nil then value.name = name end
    values[i] = value
  end
  return core.array(values)
end

local DONE = { DELETE = "deleted", POST = "done", PUT = "done", PATCH = "updated" }

local function invoke(ctx, op, ids, arguments)
  local resource = ctx:client()[op.resource]
  local value = exit.checked(resource[op.verb], resource, unpack(arguments))
  if value == true then
    return ctx:note(DONE[op.method] .. (#ids > 0 and not is_api_key(op) and ": " .. ids[#ids] or ""))
  end
  if ctx.args.wait then return wait.follow(ctx, value) end
  ctx.changes = op.method ~= "GET"
  if op.returns == "map" then value = map_values(value) end
  if help.is_list(op) then return show.list(ctx, value, op.element, noun_of(op)) end
  show.value(ctx, value, op.element)
end

local function run(ctx, op)
  selection.check(ctx, op.element)
  ctx:settings() -- a key on standard input stands before a body
  if ctx.args.in_project then
    if #ctx.args.ids > 1 then exit.usage "--in-project takes at most the project as an id" end
    op = setmetatable({ placeholders = operations.get(op.resource, "in_project").placeholders }, { __index = op })
  end
  local ids, fields = check_ids(ctx, op), read_fields(ctx, op)
  if ctx.args.wait and fields.mode == nil then fields.mode = "async" end
  ctx:require_credentials(op)
  confirm(ctx, op, ids, fields)
  -- A timeout asked for counts for the whole of a list.
  local arguments = { unpack(ids) }
  arguments[#arguments + 1], arguments[#arguments + 2] = fields, { timeout = ctx.args.timeout }
  -- What the library brings element by element; every other list comes whole.
  if help.is_list(op) and op.verb == "list" and op.returns ~= "map" then return list(ctx, op, arguments) end
  return invoke(ctx, op, ids, arguments)
end

--- The command of an operation.
---@param op table of client/operations
---@return table command
function operation.command(op)
  return {
    summary = help.summary(op), description = help.description(op), usage = help.ids(op), epilog = help.epilog(op),
    element = op.element, body = op.body,
    declare = function(command) declare(command, op) end,
    run = function(ctx) run(ctx, op) end,
  }
end

return operation

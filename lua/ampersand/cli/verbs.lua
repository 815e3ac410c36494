--- Runs the commands that are operations of the API.

local core = require "ampersand.core"
local exit = require "ampersand.cli.exit"
local help = require "ampersand.cli.help"
local operations = require "ampersand.client.operations"
local show = require "ampersand.cli.show"
local terminal = require "ampersand.cli.terminal"

local unpack = table.unpack or unpack -- luacheck: ignore

local verbs = {}

-- Arguments -------------------------------------------------------------------------------------------------------

-- The API key is an id of its own operations: it is read like any other secret.
local function read_ids(ctx, op)
  local ids = ctx.args.ids
  if op.placeholders[#op.placeholders] ~= "apiKey" or #ids == 0 then return ids end
  if ids[#ids] == "-" then
    ids[#ids] = terminal.read_secret "API key: " or exit.usage "nothing was given for the API key"
  else
    ctx:warn "a key on the command line can be read by other users of this machine; use - instead"
  end
  return ids
end

local function check_ids(ctx, op)
  local ids, all = read_ids(ctx, op), op.placeholders
  local usage = ("usage: ampersand %s %s %s"):format(op.resource:gsub("_", "-"), op.verb:gsub("_", "-"), help.ids(op))
  if #ids > #all then exit.usage(("%d ids are given, at most %d are taken; %s"):format(#ids, #all, usage)) end
  for i = 1, #all - #ids do
    local setting = help.SETTINGS[all[i]]
    if not setting or help.is_target(op, i) then exit.usage(("the id <%s> is missing; %s"):format(all[i], usage)) end
    ctx:require_setting(setting)
  end
  return ids
end

-- The text of a file, or of standard input.
local function read_file(name)
  local file, why
  if name == "-" then file = io.stdin else file, why = io.open(name, "rb") end
  local text = file and file:read "*a"
  if file and name ~= "-" then file:close() end
  return text or exit.usage(("--body: cannot read %s: %s"):format(name, why or "no text"))
end

--- Decodes the JSON of `--body`.
function verbs.read_body(name)
  local value, why = core.decode(read_file(name))
  if value == nil then exit.usage(("--body %s: %s"):format(name == "-" and "(standard input)" or name, why)) end
  return value
end

-- Puts a value at a dotted path, making the tables on the way.
local function put(body, path, value)
  local at, keys = body, {}
  for key in path:gmatch "[^.]+" do keys[#keys + 1] = key end
  if #keys == 0 then exit.usage "--field: the name is missing" end
  for i = 1, #keys - 1 do
    if type(at[keys[i]]) ~= "table" then at[keys[i]] = {} end
    at = at[keys[i]]
  end
  at[keys[#keys]] = value
end

--- Adds the `--field` options to a body.
function verbs.add_fields(body, fields)
  for _, field in ipairs(fields) do
    local name, mark, text = field:match "^([^=:]+)(:?=)(.*)$"
    if not name then exit.usage(("--field %q: expected name=text or name:=JSON"):format(field)) end
    if mark == ":=" then
      local value, why = core.decode(text)
      if value == nil then exit.usage(("--field %s: %s"):format(name, why)) end
      text = value
    end
    put(body, name, text)
  end
  return body
end

local function read_fields(ctx, op)
  local args, fields = ctx.args, {}
  if args.body then fields = verbs.read_body(args.body) end
  if type(fields) ~= "table" then exit.usage "--body: expected a JSON object" end
  verbs.add_fields(fields, args.field or {})
  for _, name in ipairs(op.query_names) do
    local value = args["query_" .. name]
    if value ~= nil then fields[name] = value end
  end
  return fields
end

-- Questions -------------------------------------------------------------------------------------------------------

local WARNINGS = {
  deleteInstallation = "The connection goes with it when no other installation uses it.",
  deleteProject = "Everything in it goes with it.",
  deleteIntegration = "Its installations go with it.",
}

-- What is about to go, in words people know it by.
local function describe(ctx, op, ids)
  local name = op.placeholders[#op.placeholders] == "apiKey" and "this API key" or ids[#ids]
  if op.id ~= "deleteInstallation" then return name end
  local client = ctx:client()
  local found = exit.guard(client.installations.get, client.installations, unpack(ids))
  local get = require("ampersand").get
  local group, provider = get(found, "group.groupName"), get(found, "connection.provider")
  if not group then return name end
  return ("%s (%s%s)"):format(name, group, provider and ", " .. provider or "")
end

local function confirm(ctx, op, ids, fields)
  if not help.is_destructive(op) or ctx.args.yes then return end
  if op.method ~= "DELETE" and tostring(fields.destructive) ~= "true" then return end
  local command = op.resource:gsub("_", "-") .. " " .. op.verb:gsub("_", "-")
  if not terminal.is "stdin" then
    exit.usage(command .. " takes something away: say --yes where nobody can be asked")
  end
  local words = op.method == "DELETE" and "Delete " .. require("ampersand.cli.width").clean(describe(ctx, op, ids))
    or "Apply a destructive change"
  local warning = WARNINGS[op.id] and WARNINGS[op.id] .. " " or ""
  local answer = terminal.ask(("%s? %s[y/N] "):format(words, warning))
  if not answer:lower():match "^%s*y" then exit.with(exit.FAILURE, "nothing was deleted") end
end

-- Running ---------------------------------------------------------------------------------------------------------

local NOUNS = { Log = "log line", ProviderInfo = "provider", NotificationEventTopicRoute = "route",
  TopicDestinationRoute = "route", ClaimedDomainResponse = "claimed domain", ApiKey = "API key", JWTKey = "JWT key" }

local function noun_of(op)
  return NOUNS[op.element] or op.element:gsub("(%l)(%u)", "%1 %2"):lower()
end

local function fail(err)
  exit.with(exit.code_of(err), tostring(err))
end

--- A resource's view with the conditions, and the paths, of the command line.
function verbs.view(ctx, resource, conditions, paths)
  local view = ctx:client()[resource]
  if ctx.args.in_project then view = view:in_project() end
  for _, condition in ipairs(conditions) do view = exit.guard(view.where, view, condition) end
  return paths and exit.guard(view.select, view, paths) or view
end

-- The arguments of a method: ids, fields, options. A timeout asked for counts for the whole of a list.
local function method_arguments(ctx, ids, fields)
  local all = { unpack(ids) }
  all[#all + 1], all[#all + 2] = fields, { timeout = ctx.args.timeout }
  return all
end

local function count(ctx, op, arguments)
  local view = verbs.view(ctx, op.resource, show.conditions(ctx))
  local n, err = exit.guard(view.count, view, unpack(arguments))
  if not n then fail(err) end
  show.count(ctx, n)
end

local function list(ctx, op, ids, fields)
  local arguments = method_arguments(ctx, ids, fields)
  if ctx.args.count then return count(ctx, op, arguments) end
  local plan = show.plan(ctx, op.element, noun_of(op))
  local view = verbs.view(ctx, op.resource, show.conditions(ctx), plan.paths)
  local stream, err = exit.guard(view.stream, view, unpack(arguments))
  if not stream then fail(err) end
  show.stream(ctx, plan, stream)
end

-- An object of named things, such as the providers, is shown as the list of them.
local function map_values(map)
  local names, values = {}, {}
  for name in pairs(map) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = map[name]
    if type(value) == "table" and value.name == nil then value.name = name end
    values[i] = value
  end
  return core.array(values)
end

local DONE = { DELETE = "deleted", POST = "done", PUT = "done", PATCH = "updated" }

local function invoke(ctx, op, ids, fields)
  local resource = ctx:client()[op.resource]
  local arguments = method_arguments(ctx, ids, fields)
  local value, err = exit.guard(resource[op.verb], resource, unpack(arguments))
  if value == nil then fail(err) end
  if value == true then
    local what = op.placeholders[#op.placeholders] ~= "apiKey" and ids[#ids]
    return ctx:note(DONE[op.method] .. (what and ": " .. what or ""))
  end
  ctx.changes = op.method ~= "GET"
  if op.returns == "map" then value = map_values(value) end
  if help.is_list(op) then return show.list(ctx, value, op.element, noun_of(op)) end
  show.value(ctx, value, op.element)
end

-- What the library brings element by element; every other list comes whole.
local function is_streamed(op)
  return op.verb == "list" and op.returns ~= "map"
end

--- Runs `ampersand <resource> <verb>`.
---@param ctx ampersand.cli.Context
---@param op table an operation
function verbs.run(ctx, op)
  if help.is_list(op) then show.check(ctx.args) end
  ctx:settings() -- a key on standard input stands before a body
  if ctx.args.in_project then
    local ids = #ctx.args.ids
    op = setmetatable({ placeholders = operations.get(op.resource, "in_project").placeholders }, { __index = op })
    if ids > #op.placeholders then exit.usage "--in-project takes at most the project as an id" end
  end
  local ids = check_ids(ctx, op)
  local fields = read_fields(ctx, op)
  ctx:require_credentials(op)
  confirm(ctx, op, ids, fields)
  if help.is_list(op) and is_streamed(op) then return list(ctx, op, ids, fields) end
  return invoke(ctx, op, ids, fields)
end

return verbs

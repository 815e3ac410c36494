--- The registry of commands. A command is a table:
--
--   summary                one line for --help
--   description?           instead of it, above its options
--   usage?                 the ids in the usage line: "<operationId> "
--   arguments?, options?   as argparse and cli/options have them
--   epilog                 the text below its options
--   run(ctx)               runs it; or `verbs`, commands within it that have a `name`
--
-- Each tool, and each verb that is more than one operation of the API, is a file of cli/commands. All other verbs are
-- made from client/operations by commands/operation.

local operation = require "ampersand.cli.commands.operation"
local operations = require "ampersand.client.operations"

local commands = {}

--- The tools, in the order of --help.
commands.TOOLS = {
  "api", "proxy", "webhook", "deploy", "validate", "login", "logout", "config", "doctor", "mock", "completion", "man",
  "version",
}

local VERBS = { installations = { "watch", "explain", "edit", "undo" }, operations = { "wait" } }
local MAIN = { "installations", "operations", "connections", "integrations", "providers", "projects" }

--- A tool.
---@param name string
---@return table command
function commands.tool(name)
  return require("ampersand.cli.commands." .. name)
end

--- A verb of a resource.
---@return table command
function commands.verb(resource, verb)
  local op = operations.get(resource, verb)
  return op and operation.command(op) or commands.tool(verb)
end

local RANK = { list = 1, get = 2, create = 3, update = 4, delete = 5 }

--- The verbs of a resource in the order people look for them; `in_project` is a flag of `list`.
---@param resource string
---@return string[]
function commands.verbs(resource)
  local verbs = { (table.unpack or unpack)(VERBS[resource] or {}) } -- luacheck: ignore
  for verb in pairs(operations.lines[resource]) do
    if verb ~= "in_project" then verbs[#verbs + 1] = verb end
  end
  table.sort(verbs, function(a, b)
    local ra, rb = RANK[a] or 9, RANK[b] or 9
    if ra ~= rb then return ra < rb end
    return a < b
  end)
  return verbs
end

--- The resources: those that are used most, and all others.
---@return string[] main, string[] others
function commands.resources()
  local main, others = {}, {}
  for _, name in ipairs(MAIN) do main[name] = true end
  for name in pairs(operations.all_lines()) do
    if not main[name] then others[#others + 1] = name end
  end
  table.sort(others)
  return MAIN, others
end

return commands

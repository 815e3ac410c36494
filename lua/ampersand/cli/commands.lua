--- The registry of commands. A command is a table:
--
--   description?           above its options, instead of its line in the --help of what it is in
--   usage?                 the ids in the usage line: "<operationId> "
--   arguments?, options?   as argparse and cli/options have them
--   epilog                 the text below its options
--   run(ctx)               runs it; or `verbs`, commands within it that have a `name` and a `summary`
--
-- Each tool, and each verb that is more than one operation of the API, is a file of cli/commands, which is loaded when
-- the command line names it. All other verbs are generated from client/operations by cli/generated.

local help = require "ampersand.cli.help"
local operations = require "ampersand.client.operations"

local commands = {}

--- The tools, in the order of --help.
commands.TOOLS = {
  "api", "proxy", "webhook", "deploy", "validate", "login", "logout", "config", "doctor", "mock", "completion", "man",
  "version",
}

local VERBS = { installations = { "watch", "explain", "edit", "undo" }, operations = { "wait" } }
local MAIN = { "installations", "operations", "connections", "integrations", "providers", "projects" }

local SUMMARIES = {
  api = "Send any request: ampersand api GET /projects.",
  proxy = "Send a request to the provider with the customer's credentials.",
  webhook = "Webhooks: verify a message, send one, listen for them.",
  deploy = "Deploy an amp.yaml: show what would change, ask, then make the new revisions.",
  validate = "Check names, types and required members of an amp.yaml; send nothing.",
  login = "Ask for an API key, test it, and store it in the profile.",
  logout = "Remove the key and the bearer token of the profile.",
  config = "Show or change settings: keys, projects, URLs, and where each comes from.",
  doctor = "Check key, network, certificates, clock and versions; print what to fix.",
  mock = "Run a mock server of the API on this machine, for tests and demos.",
  completion = "Print a completion script for bash, zsh or fish.",
  man = "Print the manual page.",
  version = "Print the versions of ampersand and Lua.",
  watch = "Print changes: installed, removed, unhealthy, healthy, bad_credentials, config.",
  explain = "Print why an installation is unhealthy, and the next step.",
  edit = "Change the configs of many installations; the edit can be resumed and undone.",
  undo = "Undo an edit, from its journal.",
  wait = "Wait until an operation has succeeded; exit code 3 when it fails, 5 when it takes too long.",
}

--- A line about a tool, or a verb of a resource.
---@param name string
---@param resource string? nil: a tool
---@return string
function commands.summary(name, resource)
  local op = resource and operations.get(resource, name)
  return op and help.summary(op) or SUMMARIES[name]
end

--- A tool, or a verb of a resource.
---@param name string
---@param resource string? nil: a tool
---@return table command
function commands.load(name, resource)
  local op = resource and operations.get(resource, name)
  if op then return require("ampersand.cli.generated").command(op) end
  return require("ampersand.cli.commands." .. name)
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

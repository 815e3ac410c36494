--- Commands generated from the table of operations, one of the API each; commands/operation runs them.

local help = require "ampersand.cli.help"
local operations = require "ampersand.client.operations"

local generated = {}

local SUMMARIES = { group = "Summaries",
  { "--summary", "Counts by health, provider and connection status, as bars." },
  { "--svg", "Write the summary as a picture; `-`: to standard output.", "<file>" },
  { "--html", "Write the summary as a self-contained page; or `-`.", "<file>" },
}

local function list_options(op)
  local of_installations = op.element == "Installation"
  return { group = "Which",
    "where",
    { "--max --limit", "At most this many.", number = "count" },
    { "--sort", "Order by a path.", "<path>" },
    { "--reverse", "With --sort: the largest, or latest, first." },
    { "--count", "Print only the number of elements." },
    { "--fail-if", "Exit code 3 if there is any, none, or an unhealthy one.", "<what>",
      choices = { "any", "empty", of_installations and "unhealthy" or nil } },
    op.verb == "list" and operations.get(op.resource, "in_project") and "in_project" or nil,
  }
end

-- Every name a query parameter goes by: its own, and ours with dashes.
local function query_options(op)
  local list = { group = op.query_names[1] and "Parameters" }
  for i, name in ipairs(op.query_names) do
    list[i] = { "--" .. help.dashed(name), "Query parameter " .. name .. ".", "<value>", target = "query_" .. name,
      hidden_name = help.dashed(name) ~= name and "--" .. name or nil }
  end
  return list
end

local BODY = { group = "Body",
  { "-f --field", "name=text or name:=JSON; dots reach inwards.", "<field>", several = true }, "body" }

-- Operations that start one which goes on: `--wait` follows it.
local STARTS = { triggerRead = true, writeRecords = true }
local WAIT = {
  { "--wait", "Wait until the operation has ended, as operations wait does." },
  { "--interval", "With --wait: seconds between two polls (0.5, growing to 10).", number = "seconds" },
}

local function options_of(op)
  local list = {}
  local function add(wanted, options) list[#list + 1] = wanted and options or nil end
  add(help.is_list(op), list_options(op))
  add(op.verb == "list" and op.element == "Installation", SUMMARIES)
  add(op.returns ~= "none" and op.returns ~= "text", "formats")
  add(true, query_options(op))
  add(op.body, BODY)
  add(help.is_destructive(op), "yes")
  add(STARTS[op.id], WAIT)
  return list
end

--- The command of an operation.
---@param op table of client/operations
---@return table command
function generated.command(op)
  return {
    description = help.description(op), usage = help.ids(op), epilog = help.epilog(op),
    element = op.element, body = op.body,
    arguments = { { name = "ids", args = "*", hidden = true } }, options = options_of(op),
    run = function(ctx) require("ampersand.cli.commands.operation")(ctx, op) end,
  }
end

return generated

--- The text of --help and of the manual, most of it made from client/operations. Pure.

local descriptions = require "ampersand.cli.descriptions"
local request = require "ampersand.client.request"

local help = {}

help.ROOT = "The Ampersand API on the command line: installations, their health, and every other operation."

help.ROOT_EPILOG = [[
Examples:
  ampersand doctor                        checks the configuration
  ampersand installations list            a table
  ampersand installations list --where healthStatus=unhealthy --csv
  ampersand installations get <installationId> --yaml
  ampersand installations list --summary  bars by health, provider, status

Help on one command: ampersand <resource> <verb> --help
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 condition not met, 4 no access,
5 timed out, 130 interrupted.]]

help.WHERE = [[
Conditions of --where; if there are several, all must hold:
  healthStatus=unhealthy                  equal
  connection.status=working,created       one of (\, is a comma)
  group.groupName!=Acme                   not equal
  createTime>=2024-01-01                  also > <= <; dates may be YYYY-MM-DD
  connection.provider^=sales              begins with
  connection.providerApp                  present
  !connection.providerApp                 absent
A name in a path may be * (any).]]

local SETTINGS = require("ampersand.client.operations").DEFAULTS
help.SETTINGS = SETTINGS

--- "groupRef" -> "group-ref"
function help.dashed(name)
  return (name:gsub("_", "-"):gsub("%u", function(c) return "-" .. c:lower() end))
end

--- One line about an operation.
function help.summary(op)
  return descriptions[op.id] .. (op.dropped and " (No longer documented by the vendor.)" or "")
end

local CREDENTIALS = { key = "an API key", bearer = "a bearer token (--bearer -)", none = "no credentials" }

--- A few lines about an operation.
function help.description(op)
  local lines = { help.summary(op), op.method .. " " .. op.path }
  if op.server then lines[#lines + 1] = "Server: " .. request.SERVERS[op.server] end
  if CREDENTIALS[op.auth] then lines[#lines + 1] = "Takes " .. CREDENTIALS[op.auth] .. "." end
  return table.concat(lines, "\n")
end

--- Whether the answer is a list or a map.
function help.is_list(op)
  return op.returns == "array" or op.returns == "page" or op.returns == "map"
end

--- Whether the last id is required even where a setting could supply it: the target of a change is explicit.
function help.is_target(op, position)
  return position == #op.placeholders and op.method ~= "GET" and op.method ~= "POST"
end

--- The ids of a usage line: "[<project>] <installationId> ".
function help.ids(op)
  local text = ""
  for i, name in ipairs(op.placeholders) do
    if SETTINGS[name] and not help.is_target(op, i) then
      text = text == "" and ("[<%s>] "):format(name) or ("[%s<%s>] "):format(text, name)
    else
      text = ("%s<%s> "):format(text, name)
    end
  end
  return text
end

--- Whether a command deletes something and therefore asks for confirmation.
function help.is_destructive(op)
  return op.method == "DELETE" or op.query.destructive == true
end

local EXAMPLE_IDS = {
  installationId = "installation-123", operationId = "operation-123", connectionId = "connection-123",
  provider = "hubspot", objectName = "contact", apiKey = "-", projectIdOrName = "my-project",
  integrationIdOrName = "salesforce", orgId = "org-123",
}

local EXAMPLES = {
  listInstallations = {
    "ampersand installations list",
    "ampersand installations list --where healthStatus=unhealthy --csv",
    "ampersand installations list --select id,group.groupRef --ndjson | head -3",
    "ampersand installations list --in-project --summary --html fleet.html",
    "ampersand installations list --fail-if unhealthy >/dev/null || echo unhealthy",
  },
  getInstallation = {
    "ampersand installations get installation-123",
    "ampersand installations get installation-123 --select config.content --yaml",
  },
  deleteInstallation = { "ampersand installations delete installation-123" },
  listOperations = {
    "ampersand operations list installation-123 --where status=failure --max 10",
    "ampersand operations list installation-123 --template '{id} {status} {createTime}'",
  },
  listOperationLogs = { "ampersand operations logs operation-123" },
}

--- An example of the operation, as it is written by hand or made from its ids and required fields.
function help.example(op)
  if EXAMPLES[op.id] then return table.concat(EXAMPLES[op.id], "\n  ") end
  local words = { "ampersand", (op.resource:gsub("_", "-")), (op.verb:gsub("_", "-")) }
  for i, name in ipairs(op.placeholders) do
    if not SETTINGS[name] or help.is_target(op, i) then
      words[#words + 1] = EXAMPLE_IDS[name] or help.dashed(name:gsub("Id$", "")) .. "-123"
    end
  end
  for _, name in ipairs(op.required_query) do
    words[#words + 1] = "--" .. help.dashed(name) .. " …"
  end
  if op.body and op.body_required then words[#words + 1] = "--body request.json" end
  return table.concat(words, " ")
end

--- The example, or examples, of a command.
---@param examples string[]
---@return string
function help.examples(examples)
  return ("Example%s:\n  %s"):format(#examples > 1 and "s" or "", table.concat(examples, "\n  "))
end

--- The text below the options of a verb: paragraphs, then where the settings are explained.
---@param paragraphs string[]
---@return string
function help.below(paragraphs)
  paragraphs[#paragraphs + 1] = "--project, --key, --timeout, --color … are explained by: ampersand --help"
  return table.concat(paragraphs, "\n\n")
end

--- The text below the options of an operation.
function help.epilog(op)
  local parts, names = {}, {}
  for i, field in ipairs(op.body or {}) do names[i] = field.name .. (field.required and "*" or "") end
  if op.body then
    parts[1] = "Fields of the body (* is required, in.side* once `in` is given):\n  " .. table.concat(names, " ")
  end
  if help.is_list(op) then parts[#parts + 1] = help.WHERE end
  parts[#parts + 1] = help.examples(EXAMPLES[op.id] or { help.example(op) })
  if op.id == "deleteInstallation" then
    parts[#parts + 1] = "The connection is deleted as well when no other installation uses it."
  end
  return help.below(parts)
end

return help

-- The table of operations in docs/operations.md. Prints it, or with an argument writes it between the marks in that file:
--   lua spec/support/operations_table.lua docs/operations.md
package.path = "lua/?.lua;" .. package.path
local descriptions = require "ampersand.cli.descriptions"
local operations = require "ampersand.client.operations"

local table_of = { OPEN = "<!-- operations -->\n", CLOSE = "<!-- /operations -->" }

local AUTH = { bearer = "bearer token only", key = "API key only", none = "no credential" }

local function notes(op)
  local list = {}
  if AUTH[op.auth] then list[#list + 1] = AUTH[op.auth] end
  if op.server then list[#list + 1] = op.server .. " server" end
  if op.returns == "page" then list[#list + 1] = "paged" end
  if op.dropped then list[#list + 1] = "no longer in the vendor's documents" end
  return table.concat(list, ", ")
end

--- The table as Markdown, one row per operation.
function table_of.text()
  local rows, last = { "| resource | verb | | operation | request | |", "|---|---|---|---|---|---|" }, nil
  for _, op in ipairs(operations.all()) do
    local resource = op.resource ~= last and "`" .. op.resource .. "`" or ""
    last = op.resource
    local row = "| %s | `%s` | %s | %s | `%s %s` | %s |"
    rows[#rows + 1] = row:format(resource, op.verb, descriptions[op.id], op.id, op.method, op.path, notes(op))
  end
  return table.concat(rows, "\n") .. "\n"
end

--- What stands between the marks of a text; nil without marks.
function table_of.region(text)
  local _, first = text:find(table_of.OPEN, 1, true)
  local last = first and text:find(table_of.CLOSE, first + 1, true)
  return last and text:sub(first + 1, last - 1), first, last
end

local read = require "support.read_file"

local function write(path)
  local text = read(path)
  local found, first, last = table_of.region(text)
  assert(found, path .. " has no marks")
  local file = assert(io.open(path, "wb"))
  file:write(text:sub(1, first), table_of.text(), text:sub(last))
  file:close()
end

if arg and arg[0] and arg[0]:match "operations_table%.lua$" then
  if arg[1] then write(arg[1]) else io.write(table_of.text()) end
end

return table_of

--- The writer of each format. A writer takes one value after the other and writes as early as it can: `add(value)`,
-- then `finish()`.

local csv = require "ampersand.cli.output.csv"
local json = require "ampersand.cli.output.json"
local tables = require "ampersand.cli.output.table"
local template = require "ampersand.cli.output.template"
local yaml = require "ampersand.cli.output.yaml"

local writers = {}

local LISTS = {
  table = tables.writer, json = json.array, ndjson = json.lines, csv = csv.comma, tsv = csv.tab,
  yaml = yaml.sequence, template = template.writer,
}

--- A writer for a list.
---@param kind string "table", "json", "ndjson", "csv", "tsv", "yaml" or "template"
---@param write fun(text: string)
---@param settings table columns ({ path }), header, template (parts), terminal; see output/table for those of a table
---@return table writer add, finish
function writers.list(kind, write, settings)
  return LISTS[kind](write, settings)
end

local SINGLE = { json = json.text, yaml = yaml.text }

--- Writes one value in a format.
function writers.one(kind, write, value, settings)
  if kind == "table" then return tables.record(write, value, settings) end
  if SINGLE[kind] then return write(SINGLE[kind](value) .. "\n") end
  local writer = writers.list(kind, write, settings)
  writer.add(value)
  writer.finish()
end

return writers

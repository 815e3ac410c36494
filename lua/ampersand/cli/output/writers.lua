--- The formats. A writer takes one value after the other and writes as early as it can: `add(value)`, then `finish()`.

local columns = require "ampersand.cli.output.columns"
local csv = require "ampersand.cli.output.csv"
local json = require "ampersand.cli.output.json"
local tables = require "ampersand.cli.output.table"
local template = require "ampersand.cli.output.template"
local yaml = require "ampersand.cli.output.yaml"

local writers = {}

--- The formats that have columns.
writers.TABULAR = { table = true, csv = true, tsv = true }

-- The text of an element (and of what stands before all), and what goes between them; `none` where there are none.
local FORMATS = {
  json = { text = json.element, first = "[\n  ", between = ",\n  ", last = "\n]\n", none = "[]\n" },
  ndjson = { text = function(value) return json.line(value) .. "\n" end },
  yaml = { text = function(value) return yaml.text { value } .. "\n" end, none = "[]\n" },
  template = { text = template.fill }, csv = csv.comma, tsv = csv.tab,
}

local function writer_of(format, write, settings)
  local any = false
  if format.head then write(format.head(settings)) end
  return {
    add = function(value)
      write((any and format.between or not any and format.first or "") .. format.text(value, settings))
      any = true
    end,
    finish = function() write(any and format.last or not any and format.none or "") end,
  }
end

-- The columns of elements of an unknown kind are known once all of them are.
local function guessing(kind, write, settings)
  local values = {}
  return {
    add = function(value) values[#values + 1] = value end,
    finish = function()
      settings.columns = columns.guess(values)
      local writer = writers.list(kind, write, settings)
      for _, value in ipairs(values) do writer.add(value) end
      writer.finish()
    end,
  }
end

--- A writer for a list.
---@param kind string "table", "json", "ndjson", "csv", "tsv", "yaml" or "template"
---@param write fun(text: string)
---@param settings table columns ({ heading, path }; nil: guessed), header, spreadsheet, template (parts), terminal; and
--   for a table limit (terminal columns), paint, say, empty (what to say when there are no rows)
---@return table writer add, finish
function writers.list(kind, write, settings)
  if writers.TABULAR[kind] and not settings.columns then return guessing(kind, write, settings) end
  if kind == "table" then return tables.writer(write, settings) end
  return writer_of(FORMATS[kind], write, settings)
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

--- Comma- and tab-separated values.

local cell = require "ampersand.cli.output.cell"
local printable = require "ampersand.util.terminal_text"

local csv = {}

local function csv_cell(text)
  if text:find '[",\r\n]' or text:find "^%s" or text:find "%s$" then return '"' .. text:gsub('"', '""') .. '"' end
  return text
end

local TSV_ESCAPES = { ["\t"] = "\\t", ["\n"] = "\\n", ["\r"] = "\\r", ["\\"] = "\\\\" }

local function tsv_cell(text)
  return (text:gsub("[\t\r\n\\]", TSV_ESCAPES))
end

-- The characters that begin a formula in a spreadsheet, also in full width. A number is not a formula.
local FORMULA = { "^[=+@\t\r\n-]", "^\239\188[\157\139\141\160]" }

local function harmless(text)
  if text:find "^[+-]?[%d.]+$" then return text end
  for _, beginning in ipairs(FORMULA) do
    if text:find(beginning) then return "'" .. text end
  end
  return text
end

local function separated(separator, quote)
  return function(write, settings)
    local columns = settings.columns
    local function line(text_of)
      local cells = {}
      for i, column in ipairs(columns) do
        local text = text_of(column)
        if settings.spreadsheet then text = harmless(text) end
        cells[i] = quote(settings.terminal and text:gsub("[^\t\n]+", printable) or text)
      end
      write(table.concat(cells, separator) .. "\n")
    end
    if settings.header ~= false then line(function(column) return column.path end) end
    return {
      add = function(value) line(function(column) return cell(value, column.path) end) end,
      finish = function() end,
    }
  end
end

--- Writers of lines; `settings` has columns ({ path }), header, terminal and spreadsheet.
csv.comma = separated(",", csv_cell)
csv.tab = separated("\t", tsv_cell)

return csv

--- Comma- and tab-separated values.

local cell = require "ampersand.cli.output.cell"
local printable = require "ampersand.util.terminal_text"

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
  local function line(settings, text_of)
    local cells = {}
    for i, column in ipairs(settings.columns) do
      local text = text_of(column)
      if settings.spreadsheet then text = harmless(text) end
      cells[i] = quote(settings.terminal and text:gsub("[^\t\n]+", printable) or text)
    end
    return table.concat(cells, separator) .. "\n"
  end
  return {
    head = function(settings)
      return settings.header ~= false and line(settings, function(column) return column.path end) or ""
    end,
    text = function(value, settings)
      return line(settings, function(column) return cell(value, column.path) end)
    end,
  }
end

return { comma = separated(",", csv_cell), tab = separated("\t", tsv_cell) }

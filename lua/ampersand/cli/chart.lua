--- A fleet counted: bars for the terminal, an SVG picture, an HTML page that needs nothing else. Pure.

local format = require "ampersand.cli.format"
local terminal_columns = require "ampersand.cli.columns"
local width = require "ampersand.cli.width"

local chart = {}

--- What is counted: title and path.
chart.DIMENSIONS = {
  { "Health", "healthStatus" }, { "Provider", "connection.provider" }, { "Connection", "connection.status" },
}
--- What the list of sick ones shows.
chart.DETAILS = { "id", "group.groupName", "connection.provider", "connection.status", "healthStatus" }

local MOST_SICK = 200

local Tally = {}
Tally.__index = Tally

--- Counts installations.
---@return table tally add(installation), then bars, svg, html
function chart.tally()
  local tally = setmetatable({ total = 0, counts = {}, sick = {}, sick_total = 0 }, Tally)
  for i in ipairs(chart.DIMENSIONS) do tally.counts[i] = {} end
  return tally
end

--- The paths a tally needs of each installation.
function chart.paths()
  return chart.DETAILS
end

function Tally:add(installation)
  self.total = self.total + 1
  for i, dimension in ipairs(chart.DIMENSIONS) do
    local name = width.clean(format.cell(installation, dimension[2]))
    if name == "" then name = "(none)" end
    self.counts[i][name] = (self.counts[i][name] or 0) + 1
  end
  if installation.healthStatus == "unhealthy" then
    self.sick_total = self.sick_total + 1
    if #self.sick < MOST_SICK then self.sick[#self.sick + 1] = installation end
  end
end

-- The largest first; what is beyond `most` becomes one line, without a bar: it would dwarf those above it.
local function ranked(counts, most)
  local list = {}
  for name, count in pairs(counts) do list[#list + 1] = { name = name, count = count } end
  table.sort(list, function(a, b)
    if a.count ~= b.count then return a.count > b.count end
    return a.name < b.name
  end)
  if #list <= most then return list end
  local rest, kinds = 0, #list - most + 1
  for i = #list, most, -1 do rest = rest + table.remove(list, i).count end
  list[most] = { name = ("%d others"):format(kinds), count = rest, is_rest = true }
  return list
end

local function percent(count, all)
  return ("%.1f%%"):format(all > 0 and 100 * count / all or 0)
end

local EIGHTHS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }

-- A bar of `share` (0 to 1) of `columns`, exact to an eighth of a column; something is never nothing.
local function bar(share, columns)
  local eighths = math.max(math.floor(share * columns * 8 + 0.5), 1)
  return ("█"):rep(math.floor(eighths / 8)) .. (EIGHTHS[eighths % 8] or "")
end

local MOST_LINES = 12

--- Writes bars for a terminal.
---@param write fun(text: string)
---@param settings table limit (columns), paint
function Tally:bars(write, settings)
  local limit = settings.limit or 80
  write(settings.paint(("%d installation%s"):format(self.total, self.total == 1 and "" or "s"), "bold") .. "\n")
  if self.total == 0 then return end
  for i, dimension in ipairs(chart.DIMENSIONS) do
    local list = ranked(self.counts[i], MOST_LINES)
    local names, digits, most = 0, 1, list[1].count
    for _, each in ipairs(list) do
      names = math.max(names, math.min(width.of(each.name), math.floor(limit / 3)))
      digits = math.max(digits, #tostring(each.count))
    end
    local room = math.max(limit - names - digits - 12, 5)
    write("\n" .. settings.paint(dimension[1], "bold") .. "\n")
    for _, each in ipairs(list) do
      local name = width.pad(width.cut(each.name, names), names)
      local drawn = ""
      if not each.is_rest then
        drawn = "  " .. settings.paint(bar(each.count / most, room), terminal_columns.colour(each.name) or "blue")
      end
      write(("  %s %" .. digits .. "d %6s%s\n"):format(name, each.count, percent(each.count, self.total), drawn))
    end
  end
end

--- Counts as a table, for --json.
---@return table
function Tally:numbers()
  local result = { total = self.total }
  for i, dimension in ipairs(chart.DIMENSIONS) do result[dimension[2]] = self.counts[i] end
  return result
end

--- Counts as a list of { of, value, count }, the largest of each first.
---@return table[]
function Tally:rows()
  local rows = {}
  for i, dimension in ipairs(chart.DIMENSIONS) do
    for _, each in ipairs(ranked(self.counts[i], math.huge)) do
      rows[#rows + 1] = { of = dimension[2], value = each.name, count = each.count }
    end
  end
  return rows
end

-- Pictures --------------------------------------------------------------------------------------------------------

local FILLS = { green = "#2f9e62", red = "#d64545", yellow = "#d9a020" }
local OTHER_FILL = "#4a7fb5"

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(text)
  return (text:gsub("[&<>\"']", ENTITIES))
end

local WIDE, LABELS, LINE, HEAD = 720, 190, 24, 44

local function svg_line(each, y, most, all)
  local long = each.is_rest and 0 or math.max((WIDE - LABELS - 130) * each.count / most, 1)
  local fill = FILLS[terminal_columns.colour(each.name)] or OTHER_FILL
  return table.concat {
    ('<text x="%d" y="%d" text-anchor="end">%s</text>'):format(LABELS - 10, y + 15, escape(width.cut(each.name, 26))),
    ('<rect x="%d" y="%d" width="%.1f" height="16" rx="2" fill="%s"/>'):format(LABELS, y + 2, long, fill),
    ('<text x="%.1f" y="%d" class="n">%d (%s)</text>'):format(LABELS + long + 8, y + 15, each.count,
      percent(each.count, all)),
  }
end

local STYLE = "text{font:13px system-ui,sans-serif;fill:#222}.h{font-weight:600;font-size:15px}.n{fill:#666}"
  .. ".t{font-weight:600;font-size:18px}"

--- The picture, complete in itself.
---@param title string
---@return string svg
function Tally:svg(title)
  local parts, y = {}, 40
  for i, dimension in ipairs(chart.DIMENSIONS) do
    local list = ranked(self.counts[i], MOST_LINES)
    parts[#parts + 1] = ('<text x="16" y="%d" class="h">%s</text>'):format(y + 24, dimension[1])
    y = y + HEAD - 8
    for _, each in ipairs(list) do
      parts[#parts + 1] = svg_line(each, y, list[1].count, self.total)
      y = y + LINE
    end
  end
  local head = ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">')
    :format(WIDE, y + 16, WIDE, y + 16)
  local heading = ('<title>%s</title><style>%s</style><rect width="100%%" height="100%%" fill="#fff"/>')
    :format(escape(title), STYLE)
  return ('%s%s<text x="16" y="28" class="t">%s: %d installations</text>\n%s\n</svg>\n'):format(head, heading,
    escape(title), self.total, table.concat(parts, "\n"))
end

local PAGE = [[
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>%s</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:760px;margin:2em auto;padding:0 1em;color:#222}
svg{max-width:100%%;height:auto}
table{border-collapse:collapse;width:100%%;font-size:14px}
th,td{text-align:left;padding:.3em .6em;border-bottom:1px solid #ddd;overflow-wrap:anywhere}
</style></head><body>
<h1>%s</h1>
<p>%d installations, %d of them unhealthy. Written %s.</p>
%s
%s</body></html>
]]

local function sick_table(self)
  if self.sick_total == 0 then return "<p>Nothing is unhealthy.</p>\n" end
  local rows = { "<h2>Unhealthy</h2>\n<table>"
    .. "<tr><th>Installation</th><th>Group</th><th>Provider</th><th>Connection</th></tr>" }
  for _, installation in ipairs(self.sick) do
    local cells = {}
    for i = 1, 4 do
      cells[i] = "<td>" .. escape(width.clean(format.cell(installation, chart.DETAILS[i]))) .. "</td>"
    end
    rows[#rows + 1] = "<tr>" .. table.concat(cells) .. "</tr>"
  end
  rows[#rows + 1] = "</table>"
  local left = self.sick_total - #self.sick
  if left > 0 then rows[#rows + 1] = ("<p>and %d more</p>"):format(left) end
  return table.concat(rows, "\n") .. "\n"
end

--- The page, complete in itself: pictures inside, nothing loaded from anywhere.
---@param title string
---@param written string when, for the reader
---@return string html
function Tally:html(title, written)
  local shown = escape(title)
  return PAGE:format(shown, shown, self.total, self.sick_total, escape(written), self:svg(title), sick_table(self))
end

return chart

--- A counted fleet as an SVG picture and as an HTML page; both need nothing else. Pure.

local cell = require "ampersand.cli.output.cell"
local chart = require "ampersand.cli.output.chart"
local terminal_columns = require "ampersand.cli.output.columns"
local width = require "ampersand.cli.output.width"

local html = {}

local FILLS = { green = "#2f9e62", red = "#d64545", yellow = "#d9a020" }
local OTHER_FILL = "#4a7fb5"

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(text)
  return (text:gsub("[&<>\"']", ENTITIES))
end

local WIDE, LABELS, LINE, HEAD = 720, 190, 24, 36

local function svg_line(line, y, most)
  local long = line.is_rest and 0 or math.max((WIDE - LABELS - 130) * line.count / most, 1)
  local fill = FILLS[terminal_columns.colour(line.name)] or OTHER_FILL
  local name = escape(width.cut(line.name, 26))
  return ('<text x="%d" y="%d" text-anchor="end">%s</text>'):format(LABELS - 10, y + 15, name)
    .. ('<rect x="%d" y="%d" width="%.1f" height="16" rx="2" fill="%s"/>'):format(LABELS, y + 2, long, fill)
    .. ('<text x="%.1f" y="%d" class="n">%d (%s)</text>'):format(LABELS + long + 8, y + 15, line.count, line.percent)
end

local STYLE = "text{font:13px system-ui,sans-serif;fill:#222}.h{font-weight:600;font-size:15px}.n{fill:#666}"
  .. ".t{font-weight:600;font-size:18px}"

--- The picture, complete in itself.
---@param tally table of output/chart
---@param title string
---@return string svg
function html.picture(tally, title)
  local parts, y = {}, 40
  for _, group in ipairs(tally:groups(chart.MOST_LINES)) do
    parts[#parts + 1] = ('<text x="16" y="%d" class="h">%s</text>'):format(y + 24, group.title)
    y = y + HEAD
    for _, line in ipairs(group.lines) do
      parts[#parts + 1] = svg_line(line, y, group.lines[1].count)
      y = y + LINE
    end
  end
  local head = ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">')
    :format(WIDE, y + 16, WIDE, y + 16)
  local heading = ('<title>%s</title><style>%s</style><rect width="100%%" height="100%%" fill="#fff"/>')
    :format(escape(title), STYLE)
  return ('%s%s<text x="16" y="28" class="t">%s: %d installations</text>\n%s\n</svg>\n'):format(head, heading,
    escape(title), tally.total, table.concat(parts, "\n"))
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

local function unhealthy_table(tally)
  if tally.unhealthy_total == 0 then return "<p>Nothing is unhealthy.</p>\n" end
  local rows = { "<h2>Unhealthy</h2>\n<table>"
    .. "<tr><th>Installation</th><th>Group</th><th>Provider</th><th>Connection</th></tr>" }
  for _, installation in ipairs(tally.unhealthy) do
    local cells = {}
    for i = 1, 4 do
      cells[i] = "<td>" .. escape(width.clean(cell(installation, chart.DETAILS[i]))) .. "</td>"
    end
    rows[#rows + 1] = "<tr>" .. table.concat(cells) .. "</tr>"
  end
  rows[#rows + 1] = "</table>"
  local left = tally.unhealthy_total - #tally.unhealthy
  if left > 0 then rows[#rows + 1] = ("<p>and %d more</p>"):format(left) end
  return table.concat(rows, "\n") .. "\n"
end

--- The page, complete in itself: pictures inside, nothing loaded from anywhere.
---@param tally table
---@param title string
---@param written string when, for the reader
---@return string html
function html.page(tally, title, written)
  local shown = escape(title)
  return PAGE:format(shown, shown, tally.total, tally.unhealthy_total, escape(written), html.picture(tally, title),
    unhealthy_table(tally))
end

return html

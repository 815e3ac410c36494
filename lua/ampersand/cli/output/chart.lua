--- A fleet counted, and drawn as bars for the terminal. Pure.

local cell = require "ampersand.cli.output.cell"
local terminal_columns = require "ampersand.cli.output.columns"
local width = require "ampersand.cli.output.width"

local chart = {}

--- What is counted: title and path.
chart.DIMENSIONS = {
  { "Health", "healthStatus" }, { "Provider", "connection.provider" }, { "Connection", "connection.status" },
}
--- What a tally needs of each installation, for the list of unhealthy ones, too.
chart.DETAILS = { "id", "group.groupName", "connection.provider", "connection.status", "healthStatus" }

local MOST_UNHEALTHY = 200

local Tally = {}
Tally.__index = Tally

--- Counts installations.
---@return table tally add(installation), then bars, numbers, rows; output/html draws it, too
function chart.tally()
  local tally = setmetatable({ total = 0, counts = {}, unhealthy = {}, unhealthy_total = 0 }, Tally)
  for i in ipairs(chart.DIMENSIONS) do tally.counts[i] = {} end
  return tally
end

function Tally:add(installation)
  self.total = self.total + 1
  for i, dimension in ipairs(chart.DIMENSIONS) do
    local name = width.clean(cell(installation, dimension[2]))
    if name == "" then name = "(none)" end
    self.counts[i][name] = (self.counts[i][name] or 0) + 1
  end
  if installation.healthStatus == "unhealthy" then
    self.unhealthy_total = self.unhealthy_total + 1
    if #self.unhealthy < MOST_UNHEALTHY then self.unhealthy[#self.unhealthy + 1] = installation end
  end
end

--- The counts, largest first; what is beyond `most` becomes one line without a bar, which would be the longest.
function chart.ranked(counts, most)
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

--- A share as text.
function chart.percent(count, all)
  return ("%.1f%%"):format(all > 0 and 100 * count / all or 0)
end

local EIGHTHS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }

-- A bar of `share` (0 to 1) of `columns`, exact to an eighth of a column; something is never nothing.
local function bar(share, columns)
  local eighths = math.max(math.floor(share * columns * 8 + 0.5), 1)
  return ("█"):rep(math.floor(eighths / 8)) .. (EIGHTHS[eighths % 8] or "")
end

--- How many lines a dimension has.
chart.MOST_LINES = 12

--- Writes bars for a terminal.
---@param write fun(text: string)
---@param settings table limit (columns), paint
function Tally:bars(write, settings)
  local limit = settings.limit or 80
  write(settings.paint(("%d installation%s"):format(self.total, self.total == 1 and "" or "s"), "bold") .. "\n")
  if self.total == 0 then return end
  for i, dimension in ipairs(chart.DIMENSIONS) do
    local list = chart.ranked(self.counts[i], chart.MOST_LINES)
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
      write(("  %s %" .. digits .. "d %6s%s\n"):format(name, each.count, chart.percent(each.count, self.total), drawn))
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
    for _, each in ipairs(chart.ranked(self.counts[i], math.huge)) do
      rows[#rows + 1] = { of = dimension[2], value = each.name, count = each.count }
    end
  end
  return rows
end

return chart

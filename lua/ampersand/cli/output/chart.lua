--- A fleet counted, and drawn as bars for the terminal. Pure.

local cell = require "ampersand.cli.output.cell"
local terminal_columns = require "ampersand.cli.output.columns"
local width = require "ampersand.cli.output.width"

local chart = {}

-- What is counted: title and path.
local DIMENSIONS = {
  { "Health", "healthStatus" }, { "Provider", "connection.provider" }, { "Connection", "connection.status" },
}
--- What a tally needs of each installation, for the list of unhealthy ones, too.
chart.DETAILS = { "id", "group.groupName", "connection.provider", "connection.status", "healthStatus" }
--- How many lines a dimension has in a drawing.
chart.MOST_LINES = 12

local MOST_UNHEALTHY = 200

local Tally = {}
Tally.__index = Tally

--- Counts installations.
---@return table tally add(installation), then bars, numbers, rows; output/html draws it, too
function chart.tally()
  return setmetatable({ total = 0, counts = { {}, {}, {} }, unhealthy = {}, unhealthy_total = 0 }, Tally)
end

function Tally:add(installation)
  self.total = self.total + 1
  for i, dimension in ipairs(DIMENSIONS) do
    local name = width.clean(cell(installation, dimension[2]))
    if name == "" then name = "(none)" end
    self.counts[i][name] = (self.counts[i][name] or 0) + 1
  end
  if installation.healthStatus == "unhealthy" then
    self.unhealthy_total = self.unhealthy_total + 1
    if #self.unhealthy < MOST_UNHEALTHY then self.unhealthy[#self.unhealthy + 1] = installation end
  end
end

-- The counts, largest first; what is beyond `most` becomes one line without a bar, which would be the longest.
local function ranked(counts, most, total)
  local list = {}
  for name, count in pairs(counts) do list[#list + 1] = { name = name, count = count } end
  table.sort(list, function(a, b)
    if a.count ~= b.count then return a.count > b.count end
    return a.name < b.name
  end)
  if #list > most then
    local rest, kinds = 0, #list - most + 1
    for i = #list, most, -1 do rest = rest + table.remove(list, i).count end
    list[most] = { name = ("%d others"):format(kinds), count = rest, is_rest = true }
  end
  for _, line in ipairs(list) do line.percent = ("%.1f%%"):format(100 * line.count / total) end
  return list
end

--- The counts by dimension.
---@param most integer lines of each
---@return table[] groups { title, path, lines = { { name, count, percent, is_rest } } }, the largest line first
function Tally:groups(most)
  local groups = {}
  for i, dimension in ipairs(DIMENSIONS) do
    groups[i] = { title = dimension[1], path = dimension[2], lines = ranked(self.counts[i], most, self.total) }
  end
  return groups
end

local EIGHTHS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }

-- A bar of `share` (0 to 1) of `columns`, exact to an eighth of a column; something is never nothing.
local function bar(share, columns)
  local eighths = math.max(math.floor(share * columns * 8 + 0.5), 1)
  return ("█"):rep(math.floor(eighths / 8)) .. (EIGHTHS[eighths % 8] or "")
end

--- Writes bars for a terminal.
---@param write fun(text: string)
---@param settings table limit (columns), paint
function Tally:bars(write, settings)
  local limit, paint = settings.limit or 80, settings.paint
  write(paint(("%d installation%s"):format(self.total, self.total == 1 and "" or "s"), "bold") .. "\n")
  if self.total == 0 then return end
  for _, group in ipairs(self:groups(chart.MOST_LINES)) do
    local names, digits = 0, 1
    for _, line in ipairs(group.lines) do
      names = math.max(names, math.min(width.of(line.name), math.floor(limit / 3)))
      digits = math.max(digits, #tostring(line.count))
    end
    local room = math.max(limit - names - digits - 12, 5)
    write("\n" .. paint(group.title, "bold") .. "\n")
    for _, line in ipairs(group.lines) do
      local name, drawn = width.pad(width.cut(line.name, names), names), ""
      if not line.is_rest then
        local colour = terminal_columns.colour(line.name) or "blue"
        drawn = "  " .. paint(bar(line.count / group.lines[1].count, room), colour)
      end
      write(("  %s %" .. digits .. "d %6s%s\n"):format(name, line.count, line.percent, drawn))
    end
  end
end

--- Counts as a table, for --json.
---@return table
function Tally:numbers()
  local result = { total = self.total }
  for i, dimension in ipairs(DIMENSIONS) do result[dimension[2]] = self.counts[i] end
  return result
end

--- Counts as a list of { of, value, count }, the largest of each first.
---@return table[]
function Tally:rows()
  local rows = {}
  for _, group in ipairs(self:groups(math.huge)) do
    for _, line in ipairs(group.lines) do
      rows[#rows + 1] = { of = group.path, value = line.name, count = line.count }
    end
  end
  return rows
end

return chart

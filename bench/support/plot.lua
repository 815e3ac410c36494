-- Plots as SVG text: bars in groups, and lines over two logarithmic axes.
local plot = {}

local WIDTH, HEIGHT = 760, 420
local LEFT, RIGHT, TOP, BOTTOM = 70, 210, 50, 60
-- Distinguishable for colour-blind readers (Okabe and Ito); ours comes first.
local COLOURS = { "#0072b2", "#56b4e9", "#d55e00", "#e69f00", "#8a6d00", "#009e73", "#cc79a7", "#555555" }

local function escape(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

local function text(x, y, words, more)
  return ('<text x="%.1f" y="%.1f" %s>%s</text>'):format(x, y, more or "", escape(words))
end

local function line(x1, y1, x2, y2, colour)
  return ('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>'):format(x1, y1, x2, y2, colour)
end

--- 1200 as 1,200; 0.25 as it is.
function plot.number(value)
  if value < 10 then return (("%.2f"):format(value):gsub("0+$", ""):gsub("%.$", "")) end
  if value < 100 then return (("%.1f"):format(value):gsub("%.0$", "")) end
  local digits = ("%.0f"):format(value):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (digits:gsub("^,", ""))
end

local function legend(names)
  local parts = {}
  for i, name in ipairs(names) do
    local y = TOP + 22 * i - 12
    parts[#parts + 1] = ('<rect x="%d" y="%d" width="12" height="12" fill="%s"/>'):format(WIDTH - RIGHT + 16, y - 10,
      COLOURS[i])
    parts[#parts + 1] = text(WIDTH - RIGHT + 34, y, name)
  end
  return table.concat(parts, "\n")
end

local function picture(title, note, parts)
  return table.concat {
    ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">\n')
      :format(WIDTH, HEIGHT),
    "<title>", escape(title), "</title>\n",
    ('<rect width="%d" height="%d" fill="white"/>\n'):format(WIDTH, HEIGHT),
    text(LEFT, 22, title, 'font-size="15" font-weight="bold"'), "\n",
    text(LEFT, 39, note, 'fill="#555555"'), "\n",
    table.concat(parts, "\n"), "\n</svg>\n",
  }
end

--- Lines over logarithmic axes.
---@param given table title, note, x (its name), series (array of { name, points = array of { x, y } })
---@return string svg
function plot.lines(given)
  local low, high, most = math.huge, -math.huge, 1
  for _, series in ipairs(given.series) do
    for _, point in ipairs(series.points) do
      low, high, most = math.min(low, point[2]), math.max(high, point[2]), math.max(most, point[1])
    end
  end
  local function exponent(value) return math.log(value) / math.log(10) end
  local bottom, top, last = math.floor(exponent(low)), math.ceil(exponent(high)), math.ceil(exponent(most) - 1e-9)
  local wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
  local function across(x) return LEFT + exponent(x) / math.max(last, 1) * wide end
  local function up(y) return TOP + tall - (exponent(y) - bottom) / math.max(top - bottom, 1) * tall end

  local parts, names = {}, {}
  for power = bottom, top do
    local y = up(10 ^ power)
    parts[#parts + 1] = line(LEFT, y, LEFT + wide, y, "#dddddd")
    parts[#parts + 1] = text(LEFT - 8, y + 4, plot.number(10 ^ power), 'text-anchor="end"')
  end
  for power = 0, last do
    local x = across(10 ^ power)
    parts[#parts + 1] = line(x, TOP, x, TOP + tall, "#eeeeee")
    parts[#parts + 1] = text(x, TOP + tall + 18, plot.number(10 ^ power), 'text-anchor="middle"')
  end
  parts[#parts + 1] = text(LEFT + wide / 2, HEIGHT - 14, given.x, 'text-anchor="middle"')
  for i = #given.series, 1, -1 do -- ours last, so that it lies on top
    local series, dots, path = given.series[i], {}, {}
    for k, point in ipairs(series.points) do
      path[k] = ("%.1f,%.1f"):format(across(point[1]), up(point[2]))
      dots[k] = ('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>'):format(across(point[1]), up(point[2]), COLOURS[i])
    end
    parts[#parts + 1] = ('<polyline points="%s" fill="none" stroke="%s" stroke-width="%s"/>'):format(
      table.concat(path, " "), COLOURS[i], i <= (given.ours or 1) and 3 or 1.5)
    parts[#parts + 1] = table.concat(dots)
    names[i] = series.name
  end
  parts[#parts + 1] = legend(names)
  return picture(given.title, given.note, parts)
end

--- Bars in groups, from zero, each with its figure.
---@param given table title, note, names (array), groups (array of { label, [name] = value })
---@return string svg
function plot.bars(given)
  local most = 0
  for _, group in ipairs(given.groups) do
    for _, name in ipairs(given.names) do most = math.max(most, group[name] or 0) end
  end
  local wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
  local step = wide / #given.groups
  local bar = math.min(46, step * 0.84 / #given.names)
  local parts = { line(LEFT, TOP + tall, LEFT + wide, TOP + tall, "#555555") }
  for g, group in ipairs(given.groups) do
    local present = 0
    for _, name in ipairs(given.names) do present = present + (group[name] and 1 or 0) end
    local x = LEFT + step * (g - 0.5) - bar * present / 2
    for i, name in ipairs(given.names) do
      if group[name] then
        local height = group[name] / most * (tall - 20)
        parts[#parts + 1] = ('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>'):format(x + 1,
          TOP + tall - height, bar - 2, height, COLOURS[i])
        parts[#parts + 1] = text(x + bar / 2, TOP + tall - height - 4, plot.number(group[name]),
          'text-anchor="middle" font-size="11"')
        x = x + bar
      end
    end
    parts[#parts + 1] = text(LEFT + step * (g - 0.5), TOP + tall + 18, group.label, 'text-anchor="middle"')
  end
  parts[#parts + 1] = legend(given.names)
  return picture(given.title, given.note, parts)
end

return plot
